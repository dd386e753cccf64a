"""`crm-pipeline warehouse`: whether the extracts fit the warehouse."""

from typing import TYPE_CHECKING, Annotated

import typer

from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import counted, print_table, say

if TYPE_CHECKING:
    from crm_pipeline.sources.clients import Client
    from crm_pipeline.sources.fit import Fit

app = typer.Typer(help="The platform's warehouse, which is only read.")


@app.callback()
def _group() -> None:
    pass


@app.command()
def check(
    client: Annotated[
        list[str] | None,
        typer.Option(help="A client of the warehouse, also several; by default its largest."),
    ] = None,
) -> None:
    """Ask each statement of sql/extract/ about a client, and say what does not fit.

    That is columns, types, zones and the order of rows, clocks, whether statements agree with one
    another, how long each takes and, of PostgreSQL, what an index would spare. Nothing of a row is
    shown. It ends with 1 where something must be mended.
    """
    from crm_pipeline.database.engines import engine
    from crm_pipeline.settings import settings
    from crm_pipeline.sources.fit import fits

    chosen, warehouse = settings(), engine("warehouse")
    wrong = 0
    for each in _asked(client):
        found = []
        for fit in fits(
            warehouse, each.client_id, chosen.warehouse_timezone, chosen.sensor_seconds
        ):
            found += list(_lines(fit))
            wrong += len(fit.faults)
        print_table(
            f"client {each.client_id}",
            ["extract", "rows", "seconds", "is", "what to mend, or to know"],
            found,
            empty="",
        )
    if wrong:
        mistake(
            f"{counted(wrong, 'fault')}: mend the statements, in EXTRACT_DIR, or the warehouse."
        )
    say("All that is needed fits.")


def _asked(names: list[str] | None) -> "list[Client]":
    from crm_pipeline.database.engines import engine
    from crm_pipeline.sources.clients import clients

    found = clients(engine("warehouse"), names)
    if missing := sorted({*(names or ())} - {each.client_id for each in found}):
        mistake(
            f"The warehouse has no client {missing[0]}; `crm-pipeline account clients` lists them."
        )
    if not found:
        mistake("The warehouse has no client yet: nothing can be looked at.")
    return found if names else [max(found, key=lambda each: each.rows)]


def _lines(fit: "Fit") -> list[tuple[object, ...]]:
    row = (fit.extract, fit.rows, fit.seconds)
    lines = [("wrong", each) for each in fit.faults] + [("to know", each) for each in fit.notes]
    return [(*row, *line) for line in lines] or [(*row, "fits", "")]
