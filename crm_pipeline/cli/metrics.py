"""`crm-pipeline metrics`: numbers for Prometheus and the like."""

from typing import Annotated

import typer

from crm_pipeline.cli.databases import pipeline
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import say


def metrics(
    host: Annotated[str, typer.Option(help="Address to serve at; it asks for no login.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 9464,
    accounts: Annotated[
        int,
        typer.Option(
            min=0,
            max=100_000,
            help="So many accounts have numbers of their own, those in trouble first.",
        ),
    ] = 1_000,
) -> None:
    """Serve metrics in OpenMetrics' form, until Ctrl-C."""
    from crm_pipeline.metrics.server import MetricsServer

    database = pipeline()
    try:
        server = MetricsServer(database, host=host, port=port, most_accounts=accounts)
    except OSError as error:
        mistake(f"Cannot serve at {host}:{port}: {error.strerror}.")
    with server:
        say(f"Metrics are at {server.url}.")
        server.wait()
