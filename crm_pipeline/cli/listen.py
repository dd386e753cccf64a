"""`crm-pipeline listen`: takes requests from Salesforce."""

import logging
import sys
from typing import Annotated

import typer

from crm_pipeline.cli.databases import pipeline
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import say


def listen(
    host: Annotated[
        str, typer.Option(help="Address to listen on; beyond this machine only behind TLS.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8440,
) -> None:
    """Take requests from Salesforce, until Ctrl-C."""
    from crm_pipeline.listener.server import Listener

    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    database = pipeline()
    try:
        listener = Listener(database, host=host, port=port)
    except OSError as error:
        mistake(f"Cannot listen on {host}:{port}: {error.strerror}.")
    say(f"Taking requests at {listener.url}; {listener.url}/openapi.json says which.")
    listener.serve()
