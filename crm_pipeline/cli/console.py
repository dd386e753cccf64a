"""`crm-pipeline console`: what people who serve clients look at, and decide, in a browser."""

import logging
import sys
from typing import Annotated

import typer

from crm_pipeline.cli.databases import pipeline
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import say
from crm_pipeline.cli.who import who


def console(
    host: Annotated[
        str, typer.Option(help="Address to listen on; beyond this machine only behind TLS.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8450,
) -> None:
    """Show accounts, people, failures and plans in a browser, and let people decide; until Ctrl-C.

    Prints a link that works once, unless CONSOLE_OIDC_ISSUER or CONSOLE_PROXY is set.
    """
    from sqlalchemy import make_url

    from crm_pipeline.cli.console_settings import CommandDesk
    from crm_pipeline.console.logins import LinkLogin
    from crm_pipeline.console.server import Console
    from crm_pipeline.console.way_in import chosen_login
    from crm_pipeline.database.engines import engine
    from crm_pipeline.settings import is_this_machine, settings

    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    chosen = settings()
    standby = chosen.console_database_url
    database = engine("pipeline") if standby else pipeline()
    login = chosen_login(chosen, who(), lambda link: say(f"Open {made.url}{link}"))
    if isinstance(login, LinkLogin) and not is_this_machine(host):
        mistake(
            "A link logs in on this machine only: beyond it set CONSOLE_URL, and "
            "CONSOLE_OIDC_ISSUER or CONSOLE_PROXY."
        )
    try:
        made = Console(
            login,
            database,
            CommandDesk(),
            standby=make_url(standby.get_secret_value()) if standby else None,
            public_url=chosen.console_url,
            host=host,
            port=port,
        )
    except OSError as error:
        mistake(f"Cannot listen on {host}:{port}: {error.strerror}.")
    say(f"The console is at {chosen.console_url or made.url}.")
    if isinstance(login, LinkLogin):
        login.new_link()
    made.serve()
