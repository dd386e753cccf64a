"""`crm-pipeline warehouse`: whether the extracts fit the warehouse."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from crm_pipeline.cli.arguments import DAYS_AND_TIMES
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
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=DAYS_AND_TIMES, help="As of an account that sends nothing from before (UTC)."
        ),
    ] = None,
) -> None:
    """Ask each statement of sql/extract/ about a client, and say what does not fit.

    That is columns, types, zones and the order of rows, clocks, whether statements agree with one
    another, how long each takes and, of PostgreSQL, what an index would spare. Where all fits, it
    says what the first reading will take, by a sample, and the first sending, at most. Nothing of a
    row is shown. It ends with 1 where something must be mended.
    """
    from crm_pipeline.database.engines import engine
    from crm_pipeline.settings import settings
    from crm_pipeline.sources.fit import fits

    start = None if since is None else since.replace(tzinfo=UTC)
    chosen, warehouse = settings(), engine("warehouse")
    wrong = 0
    for each in _asked(client):
        found, faults = [], 0
        for fit in fits(
            warehouse, each.client_id, chosen.warehouse_timezone, chosen.sensor_seconds
        ):
            found += list(_lines(fit))
            faults += len(fit.faults)
        print_table(
            f"client {each.client_id}",
            ["extract", "rows", "seconds", "is", "what to mend, or to know"],
            found,
            empty="",
        )
        if not faults:
            _tell_first_cycle(each.client_id, start)
        wrong += faults
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


def _tell_first_cycle(client_id: str, start: datetime | None) -> None:
    from crm_pipeline.database.engines import engine
    from crm_pipeline.settings import settings
    from crm_pipeline.sources.first_reading import first_readings, first_sending

    warehouse = engine("warehouse")
    readings = list(first_readings(warehouse, client_id, settings().warehouse_timezone, start))
    print_table(
        f"first reading of {client_id}",
        ["of", "rows", "sent at most", "not whole", "late", "rows sampled", "seconds"],
        [
            (
                each.source,
                each.rows,
                each.to_send,
                each.incomplete,
                each.late,
                each.sampled,
                round(each.seconds, 1),
            )
            for each in readings
        ],
        empty="",
    )
    sending = first_sending(warehouse, client_id, sum(each.to_send for each in readings))
    print_table(
        f"first sending of {client_id}, at most",
        ["people", "activities", "API calls", "minutes, about"],
        [(sending.people, sending.activities, sending.calls, round(sending.seconds / 60, 1))],
        empty="",
    )
    if late := sum(each.late for each in readings):
        say(
            f"{counted(late, 'row')} came while the others were read, with an earlier time of "
            "shipping: OVERLAP_MINUTES must be longer than they take to be there."
        )


def _lines(fit: "Fit") -> list[tuple[object, ...]]:
    row = (fit.extract, fit.rows, fit.seconds)
    lines = [("wrong", each) for each in fit.faults] + [("to know", each) for each in fit.notes]
    return [(*row, *line) for line in lines] or [(*row, "fits", "")]
