"""`crm-pipeline undo`: take back what a cycle wrote."""

import signal
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

from crm_pipeline.cli.arguments import AccountId, Yes, ids, not_blank
from crm_pipeline.cli.cycle import stopped_by_ctrl_c
from crm_pipeline.cli.databases import pipeline, transaction
from crm_pipeline.cli.guards import agree_now
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import counted, print_table, say
from crm_pipeline.cli.who import who
from crm_pipeline.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crm_pipeline.cycle.undo import Undo
    from crm_pipeline.ledger.undo import NotUndone, UndoneRecord

_SHOWN = 100
"""Records that are shown of each sort where not all are asked for."""

_REMOVED = "removed"


def undo(
    account_id: AccountId,
    *,
    cycle_id: Annotated[
        int, typer.Option("--cycle", metavar="N", help="The number of the cycle.", callback=ids)
    ],
    field: Annotated[
        str | None,
        typer.Option(help="Of this field alone; records that it made stay.", callback=not_blank),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show every record, not the first.")] = False,
    yes: Yes = False,
) -> None:
    """Take back what a cycle wrote to the org; says first what that comes to, and asks.

    Values that it replaced are restored where nobody has changed them since; records that it made
    go to the recycle bin where nobody touched them and nothing else belongs to them. All else is
    listed and stays. What is taken back is not sent again until the source says otherwise. Exit
    status 1 unless all that was agreed to is done.
    """
    from crm_pipeline.accounts.account import AccountError
    from crm_pipeline.accounts.store import get_account
    from crm_pipeline.cycle.cycle import collect_rarely
    from crm_pipeline.cycle.undo import CycleToUndo, plan_undo, undo_cycle

    pipeline()
    collect_rarely()
    of = CycleToUndo(account_id, cycle_id, field)
    try:
        with transaction() as connection:
            account = get_account(connection, account_id)
        with stopped_by_ctrl_c() as stop:
            planned = plan_undo(of, run_id=f"cli-{uuid4()}", stop_asked=stop.is_set)
        _check_planned(planned)
        if field is not None and not (planned.records or planned.left):
            mistake(
                f"Cycle {cycle_id} replaced no value of a field {field}; what it made "
                "is taken back without --field."
            )
        _say_how_far_back(planned)
        _print_undo(planned, all_of_them=every)
        if not planned.changing:
            say(f"Nothing of cycle {cycle_id} is to be taken back.")
            return
        agree_now(
            f"Cycle {cycle_id} for {account.login_url}: {_numbers(planned)}.",
            "Take that back?",
            yes=yes,
        )
        with stopped_by_ctrl_c() as stop:
            done = undo_cycle(
                of,
                only=planned.changing,
                by=who(),
                run_id=f"cli-{uuid4()}",
                stop_asked=stop.is_set,
            )
    except AccountError as error:
        mistake(str(error))
    _print_done(planned, done, all_of_them=every)
    if stop.is_set():
        raise typer.Exit(128 + signal.SIGINT)
    if done.report.state != "Complete" or _short(planned, done):
        raise typer.Exit(1)


def _check_planned(planned: "Undo") -> None:
    if planned.report.state != "Complete":
        mistake(f"It cannot be said what that comes to: {planned.report.reason}.")


def _say_how_far_back(planned: "Undo") -> None:
    from crm_pipeline.settings import settings

    since = planned.kept_since
    known = (
        f"replaced values are known since {shown(since)}" if since else "no replaced value is known"
    )
    say(
        f"Cycles of the last {counted(settings().undo_days, 'day')} can be taken back (UNDO_DAYS); "
        f"{known}; of whom was removed on request only that is kept."
    )


def _numbers(planned: "Undo") -> str:
    """How many records are restored, deleted and left, in words."""
    numbers = Counter((each.outcome, each.sobject) for each in planned.records)
    numbers.update(("left", each.sobject) for each in planned.left)
    return ", ".join(
        f"{number} {sobject} {_BECOMES[outcome]}"
        for (outcome, sobject), number in sorted(numbers.items(), key=lambda each: each[0][0])
    )


_BECOMES = {
    "restore": "to restore",
    "delete": "to delete",
    "waiting": "to go once what belongs to them is gone",
    "left": "left as they are",
    "refused": "refused",
}


def _print_undo(planned: "Undo", *, all_of_them: bool) -> None:
    most = None if all_of_them else _SHOWN
    changing = [e for e in planned.records if e.outcome not in ("left", "refused")]
    print_table(
        "To be taken back",
        ("object", "record", "about", "outcome", "field", "now", "then"),
        [row for each in changing[:most] for row in _rows(each)],
        empty="Nothing.",
    )
    staying = [e for e in planned.records if e.outcome in ("left", "refused")]
    print_table(
        "Left as they are",
        ("object", "record", "about", "field", "why"),
        [
            *((e.sobject, e.salesforce_id, e.about, None, e.reason) for e in staying[:most]),
            *_why_not([each for each in planned.left if each.code != _REMOVED][:most]),
            *_of_removed(sum(each.code == _REMOVED for each in planned.left)),
        ],
        empty="",
    )
    more = max(len(changing), len(staying), len(planned.left))
    if most is not None and more > most:
        say(f"The first {most} of each sort; --all shows all.")


def _rows(record: "UndoneRecord") -> "Iterator[tuple[Any, ...]]":
    head = record.sobject, record.salesforce_id, record.about, record.outcome
    if record.outcome != "restore" or not record.fields:
        yield *head, None, None, None
        return
    for name, former in record.fields.items():
        yield *head, name, (record.written or {}).get(name), former


def _why_not(left: "Sequence[NotUndone]") -> "Iterator[tuple[Any, ...]]":
    for each in left:
        fields = ", ".join(each.fields) or None
        yield each.sobject, each.salesforce_id, each.about, fields, each.why


def _of_removed(operations: int) -> "Iterator[tuple[Any, ...]]":
    """One row for all whom nothing is kept of."""
    if operations:
        said = f"{counted(operations, 'operation')} about people who were removed on request"
        yield "people", None, None, None, f"{said}; nothing of what was written is kept"


def _short(planned: "Undo", done: "Undo") -> int:
    """How many records were to be taken back and are not."""
    taken = {e.salesforce_id for e in done.records if e.outcome in ("restore", "delete")}
    return len(set(planned.changing) - taken)


def _print_done(planned: "Undo", done: "Undo", *, all_of_them: bool) -> None:
    shown_before = {each.salesforce_id for each in planned.records if each.outcome == "left"}
    otherwise = [
        each
        for each in done.records
        if each.outcome not in ("restore", "delete") and each.salesforce_id not in shown_before
    ]
    print_table(
        "Not taken back",
        ("object", "record", "about", "outcome", "why"),
        [
            (each.sobject, each.salesforce_id, each.about, each.outcome, each.reason)
            for each in otherwise[: None if all_of_them else _SHOWN]
        ],
        empty="",
    )
    restored = sum(each.outcome == "restore" for each in done.records)
    deleted = sum(each.outcome == "delete" for each in done.records)
    said = f"{counted(restored, 'record')} restored, {deleted} deleted"
    if short := _short(planned, done):
        said += f", {short} not"
    say(f"{said}; {done.report.counts.api_calls} API calls.")
    if done.report.state != "Complete":
        say(
            f"Not all is done: {done.report.reason}. What was agreed to stays wanted: the next "
            "cycle goes on, and so does this command."
        )
