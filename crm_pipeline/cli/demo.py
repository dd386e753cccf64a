"""`crm-pipeline demo`."""

from typing import Annotated

import typer

from crm_pipeline.cli.extras import need_local_org, need_sample


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End after the table; exit 1 if an account ended wrong.")
    ] = False,
    registrations: Annotated[
        int, typer.Option(min=100, help="Of the sample warehouse, where there is none yet.")
    ] = 3_000,
) -> None:
    """Show everything on sample data: local orgs, a cycle of each account, Dagster's UI."""
    from rich.console import Console

    need_local_org()
    need_sample()
    from crm_pipeline.demo.alone import DemoError
    from crm_pipeline.demo.demo import run_demo
    from crm_pipeline.demo.processes import ProcessEnded

    try:
        as_foreseen = run_demo(Console(), registrations=registrations, once=once)
    except (DemoError, ProcessEnded) as error:
        raise typer.TyperException(str(error)) from error
    if not as_foreseen:
        raise typer.Exit(1)
