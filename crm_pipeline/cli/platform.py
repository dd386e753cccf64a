"""`crm-pipeline platform`: a local source platform, to see what it is told."""

import secrets
from typing import Annotated

import typer

from crm_pipeline.cli.extras import need_local_org
from crm_pipeline.cli.org import free_port
from crm_pipeline.cli.show import say

app = typer.Typer(help="A local source platform, for trying things out.")


@app.callback()
def _group() -> None:
    """Keeps `serve` a command of its own while it is the only one."""


@app.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8430,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    secret: Annotated[
        str | None,
        typer.Option(envvar="PLATFORM_SECRET", help="That of the pipeline; none: a new one."),
    ] = None,
) -> None:
    """Serve a platform that takes, shows and, on demand, refuses messages, until Ctrl-C."""
    need_local_org()
    from crm_pipeline.local_platform.server import LocalPlatformServer

    shared = secret or secrets.token_urlsafe(24)
    server = LocalPlatformServer(shared, host=host, port=free_port(host, port))
    say(f"Settings of the pipeline: PLATFORM_URL={server.url}/messages")
    say(f"                          PLATFORM_SECRET={shared}")
    say(f"Page for people: {server.url}/ (Ctrl-C stops)")
    server.serve()
