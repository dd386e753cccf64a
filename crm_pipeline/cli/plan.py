"""`crm-pipeline plan`: what the next cycle would do, before it does."""

import signal
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, NamedTuple
from uuid import uuid4

import typer

from crm_pipeline.cli.arguments import AccountId, not_blank
from crm_pipeline.cli.cycle import stopped_by_ctrl_c
from crm_pipeline.cli.databases import pipeline, transaction
from crm_pipeline.cli.files import private_file
from crm_pipeline.cli.mistakes import mistake
from crm_pipeline.cli.show import counted, print_facts, print_table, say
from crm_pipeline.spreadsheets import write_csv

if TYPE_CHECKING:
    from crm_pipeline.cycle.plan import Plan, PlannedFieldChange, PlannedReason, PlannedRecord
    from crm_pipeline.cycle.planning import Planning
    from crm_pipeline.ledger.plans import PlannedNumber

_OUTCOMES = (
    "create",
    "update",
    "delete",
    "unchanged",
    "rejected",
    "left out",
    "ambiguous",
    "refused",
    "waiting",
    "held",
)

_COLUMNS = ("object", "outcome", "about", "record", "field", "now", "planned", "reason")


def plan(
    account_id: AccountId,
    *,
    since: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="As if nothing that happened before were to be sent."),
    ] = None,
    from_now: Annotated[
        bool, typer.Option("--from-now", help="As if nothing of before now were to be sent.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Of the first N people alone.")
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(metavar="EMAIL", help="Of one person alone.", callback=not_blank),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--all",
            metavar="FILE",
            dir_okay=False,
            help="Write every record with its fields to FILE, .csv or .json.",
        ),
    ] = None,
) -> None:
    """Say what the next cycle of an account would do; sends nothing, and drafts have plans, too.

    Reads the warehouse and the org as a cycle does, and one call more for 10,000 updates. The plan
    has a number, by which `apply` sends exactly that. Exit status 1 unless all could be planned.
    """
    from crm_pipeline.cycle.planning import Planning

    if since is not None and from_now:
        mistake("Say --since DATE or --from-now, not both.")
    if limit is not None and person is not None:
        mistake("Say --limit N or --person EMAIL, not both.")
    planning = Planning("now" if from_now else since, limit, person, in_full=file is not None)
    made = made_plan(account_id, planning, file)
    say(
        f"This is plan {made.plan_id}: `crm-pipeline apply {account_id} {made.plan_id}` sends "
        "exactly that, and what has changed by then waits."
    )


class MadePlan(NamedTuple):
    """A plan that was shown: its number, and how many records come to what."""

    plan_id: int | None
    numbers: "Sequence[PlannedNumber]"


def made_plan(account_id: str, planning: "Planning", file: Path | None) -> MadePlan:
    """Makes a plan and shows it; keeps it, but for that of a replay, which no cycle applies.

    Ends the command where not all could be planned.

    Args:
        account_id: the account.
        planning: what it is about.
        file: where every record is written, .csv or .json; None: nowhere.
    """
    from crm_pipeline.accounts.account import AccountError
    from crm_pipeline.cycle.cycle import collect_rarely
    from crm_pipeline.cycle.plan import planned

    if file is not None and file.suffix not in (".csv", ".json"):
        mistake(f"{file}: say FILE.csv or FILE.json.")
    pipeline()
    collect_rarely()
    plan_id = None
    try:
        with (
            stopped_by_ctrl_c() as stop,
            nullcontext() if file is None else private_file(file) as opened,
            planned(account_id, planning, run_id=f"cli-{uuid4()}", stop_asked=stop.is_set) as found,
        ):
            contents = _Contents.of(found)
            could_be = found.report.state in ("Complete", "Paused")
            if file is not None and opened is not None and could_be:
                _WRITERS[file.suffix](opened, found.records(None))
            if found.report.state == "Complete" and not planning.replayed:
                with transaction() as connection:
                    plan_id = found.keep(connection)
    except AccountError as error:
        mistake(str(error))
    _print_plan(found, contents, plan_id)
    if file is not None and could_be:
        say(f"Every record stands in {file}; it has personal data.")
    if stop.is_set() and found.report.state != "Complete":
        mistake("Stopped: not all was planned.", status=128 + signal.SIGINT)
    if found.report.state == "Paused":
        mistake(f"The cycle would pause, and the rest wait: {found.report.reason}")
    if found.report.state != "Complete":
        mistake(f"Not all could be planned: {found.report.reason}")
    return MadePlan(plan_id, contents.numbers)


@dataclass(frozen=True, slots=True)
class _Contents:
    """The part of a plan that is shown: it is read at once, as rows are locked until its end."""

    numbers: "Sequence[PlannedNumber]"
    reasons: "Sequence[PlannedReason]"
    field_changes: "Sequence[PlannedFieldChange]"
    examples: "Sequence[PlannedRecord]"

    @classmethod
    def of(cls, found: "Plan") -> "_Contents":
        examples = list(found.records())
        return cls(found.numbers(), found.reasons(), found.field_changes(), examples)


def _print_plan(found: "Plan", contents: _Contents, plan_id: int | None) -> None:
    from crm_pipeline.cycle.plan import REASONS

    numbers: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for each in contents.numbers:
        numbers[each.sobject][each.outcome] = each.records
    outcomes = [each for each in _OUTCOMES if any(each in of for of in numbers.values())]
    print_table(
        "What the next cycle would do",
        ("object", *outcomes),
        [(sobject, *(of.get(each, 0) for each in outcomes)) for sobject, of in numbers.items()],
        empty="The next cycle would do nothing.",
    )
    examples = [
        row
        for record in contents.examples
        if record.outcome not in ("unchanged", "held")
        for row in record.lines()
    ]
    changed = ("object", "field", "why", "records", "for example", "becomes")
    for title, columns, rows in (
        ("Why", ("object", "outcome", "reason", "records"), contents.reasons),
        ("Values that do not fit the org", changed, contents.field_changes),
        ("Examples", _COLUMNS, examples),
    ):
        if rows:
            print_table(title, columns, rows, empty="")
    if len(contents.reasons) == REASONS:
        say(f"These are the {REASONS} most frequent reasons; --all FILE has that of each record.")
    print_facts(_facts(found, plan_id))
    others = _of_others(contents.numbers)
    for line in filter(None, (found.report.notes, others, _untold(found, contents.numbers))):
        say(line)


def _facts(found: "Plan", plan_id: int | None) -> Iterator[tuple[str, object]]:
    report = found.report
    if plan_id is not None:
        yield "plan", plan_id
    yield "account", f"{report.account_id} ({report.account_name})"
    yield "known already", report.tally.overall("known_already")
    yield "API calls", report.counts.api_calls
    for kind, calls in sorted(report.api_calls_by_kind.items()):
        yield f"calls: {kind}", calls
    if report.api_limit:
        share = report.counts.api_calls / report.api_limit
        yield "share of the day", f"{share:.1%} of {report.api_limit} calls"
    yield "minutes, about", round(found.seconds / 60, 1)
    yield "calls of this plan", report.api_calls_asked


def _of_others(numbers: "Sequence[PlannedNumber]") -> str:
    """Says what is no part of a plan that is not about everybody, and yet goes in a whole cycle."""
    held = sum(each.records for each in numbers if each.outcome == "held")
    if not held:
        return ""
    are = "is" if held == 1 else "are"
    return (
        f"Beside these {counted(held, 'record')} that a whole cycle comes to, too, {are} no part "
        "of this (held)."
    )


def _untold(found: "Plan", numbers: "Sequence[PlannedNumber]") -> str:
    """Names what a plan cannot know, where it matters."""
    written = sum(each.records for each in numbers if each.outcome in ("create", "update"))
    if not written:
        return ""
    line = (
        "Not foreseen: what validation rules, flows and triggers of the org make of "
        f"{counted(written, 'record')}."
    )
    people = sum(
        each.records
        for each in numbers
        if each.outcome == "create" and each.sobject in ("Lead", "Contact")
    )
    if people and found.account.settings.duplicate_rules == "attach":
        line += (
            f" Duplicate rules that block may stop some of {counted(people, 'new record')} of "
            "people, who become the records that the rule names then (duplicate_rules)."
        )
    return line


def _write_csv(opened: IO[str], records: "Iterator[PlannedRecord]") -> None:
    write_csv(opened, _COLUMNS, chain.from_iterable(record.lines() for record in records))


def _write_json(opened: IO[str], records: "Iterator[PlannedRecord]") -> None:
    import orjson

    opened.write("[")
    for place, record in enumerate(records):
        written = {
            "object": record.sobject,
            "outcome": record.outcome,
            "about": record.about,
            "record": record.record_id,
            "fields": {f: {"now": now, "planned": then} for f, now, then in record.differences()},
            "reason": record.says,
        }
        opened.write(",\n" if place else "\n")
        opened.write(orjson.dumps(written).decode())
    opened.write("\n]\n")


_WRITERS = {".csv": _write_csv, ".json": _write_json}
