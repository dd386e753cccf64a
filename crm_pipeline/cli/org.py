"""`crm-pipeline org`: local Salesforce orgs, to try things with."""

import socket
from pathlib import Path
from typing import Annotated

import typer

from crm_pipeline.cli.extras import need_local_org
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import say

app = typer.Typer(help="Local Salesforce orgs, for trying things out.")


@app.callback()
def _group() -> None:
    """Keeps `serve` a command of its own while it is the only one."""


@app.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8420,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    config: Annotated[
        list[Path] | None,
        typer.Option(help="YAML file of an org, or of several; may be given again."),
    ] = None,
) -> None:
    """Serve local orgs until Ctrl-C; without a file, one that is named dev."""
    need_local_org()
    from crm_pipeline.local_org.config import OrgConfigError, dev_org, load
    from crm_pipeline.local_org.server import serve

    files = config or []
    try:
        orgs = [each for file in files for each in load(file)] or [dev_org()]
    except OrgConfigError as error:
        mistake(str(error))
    chosen = free_port(host, port)
    shown_host = f"[{host}]" if ":" in host else host
    for org in orgs:
        say(f"Org {org.name}: login URL http://{shown_host}:{chosen}/{org.name}")
    if not files:
        user, app = orgs[0].users[0], orgs[0].connected_apps[0]
        say(f"User {user.username}, password {user.password}, no security token")
        say(f"Connected app {app.client_id}, secret {app.client_secret}")
    say(f"Page for people: http://{shown_host}:{chosen}/ (Ctrl-C stops)")
    try:
        serve(orgs, host, chosen)
    except OrgConfigError as error:
        mistake(str(error))


def free_port(host: str, port: int) -> int:
    """The port, or a free one for 0, so that its number can be told before serving.

    Ends the command where nobody can listen there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            mistake(f"Cannot listen on {host}:{port} ({error.strerror}); try --port 0.")
        free: int = probe.getsockname()[1]
        return free
