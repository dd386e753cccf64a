"""A cycle: what it came to, and taking back what it wrote."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from uuid import uuid4

from sqlalchemy import Connection

from crm_pipeline.accounts.store import get_account
from crm_pipeline.console.asked import ActionAddress, ActionDone, Order, PageAddress, PageQuestion
from crm_pipeline.console.errors import ConsoleError
from crm_pipeline.console.log import note
from crm_pipeline.console.pages.accounts import phases
from crm_pipeline.console.paging import first, number
from crm_pipeline.console.parts import (
    Button,
    ConsolePage,
    Facts,
    Field,
    Form,
    Link,
    Note,
    PagePart,
    PageTable,
)
from crm_pipeline.console.roles import ConsoleRole
from crm_pipeline.console.under_way import Seen, WorkUnderWay
from crm_pipeline.cycle.undo import CycleToUndo, Undo, plan_undo, undo_cycle
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.undo import wrote_at
from crm_pipeline.report import Tally
from crm_pipeline.settings import settings
from crm_pipeline.text import shown


def cycle(asked: PageQuestion) -> ConsolePage:
    """A cycle; operators see what taking it back comes to, and approve that."""
    account_id, cycle_id = asked.path["account_id"], number(asked.path["cycle_id"]) or 0
    asked.account_id = account_id
    which = {"account_id": account_id, "cycle_id": cycle_id}
    row = asked.connection.execute(statement("console/cycle"), which).one_or_none()
    wrote = _wrote_at(asked.connection, account_id, cycle_id)
    facts: list[tuple[str, object]] = [("account", Link(account_id, f"/accounts/{account_id}"))]
    parts: list[PagePart] = [Facts("", facts)]
    if row is None:
        facts.append(("wrote at", wrote))
    else:
        facts += [
            ("state", row.state),
            ("began", row.started_at),
            ("ended", row.finished_at),
            ("seconds by phase", phases(row.counts) or None),
            ("reason", row.reason or None),
            ("notes", row.notes or None),
        ]
        if run := settings().run_page(row.run_id):
            facts.append(("run in Dagster", Link(row.run_id[:8], run)))
        parts.append(
            PageTable(
                "topics",
                "What became of it",
                ("topic", "outcome", "number"),
                [
                    (topic, outcome, times)
                    for topic, of in sorted(Tally.stored(row.counts).by_topic.items())
                    for outcome, times in of.items()
                ],
                empty="Nothing has happened.",
            )
        )
    if asked.somebody.role >= ConsoleRole.operator:
        parts += _undo(asked, account_id, cycle_id)
    return ConsolePage(f"Cycle {cycle_id} of {account_id}", parts, "Accounts")


def _wrote_at(connection: Connection, account_id: str, cycle_id: int) -> datetime:
    """When a cycle began to write; refuses an account or a cycle that is none."""
    get_account(connection, account_id)
    wrote = wrote_at(connection, account_id, cycle_id)
    if wrote is None:
        raise ConsoleError(
            HTTPStatus.NOT_FOUND, f"Account {account_id} has no cycle {cycle_id}, or not any more."
        )
    return wrote


def _undo(asked: PageQuestion, account_id: str, cycle_id: int) -> Iterator[PagePart]:
    path = f"/accounts/{account_id}/cycles/{cycle_id}"
    if asked.work.is_under_way(account_id, _undo_of(cycle_id)):
        yield Note("What it wrote is being looked at or taken back.")
        yield Form(path, [], [Button("Look again")])
        return
    seen = asked.work.undos.of((account_id, cycle_id))
    yield Form(
        path,
        [Field("field", "Of one field alone (empty: all that it wrote)")],
        [Button("See what taking it back comes to", "look")],
        method="post",
        title="Take it back",
        note="The org is asked, and nothing is changed yet.",
    )
    if seen is not None:
        yield Note(seen.sentence, "calm" if seen.found else "bad")
        if seen.found is not None:
            yield from _seen(asked, seen, seen.found)


def _seen(asked: PageQuestion, seen: Seen[CycleToUndo, Undo], found: Undo) -> Iterator[PagePart]:
    numbers = Counter((each.outcome, each.sobject) for each in found.records)
    numbers.update(("left", each.sobject) for each in found.left)
    yield PageTable(
        "undo",
        "What became of it when it was taken back" if seen.is_done else "What that comes to",
        ("outcome", "object", "records"),
        [(*what, times) for what, times in sorted(numbers.items())],
        empty="It wrote nothing that is known.",
    )
    if not seen.is_done and found.changing:
        of_field = f", of the field {seen.of.field} alone" if seen.of.field else ""
        yield Form(
            f"/accounts/{seen.of.account_id}/cycles/{seen.of.cycle_id}",
            [Field("seen", "", seen.number, hidden=True)],
            [Button("Approve: take exactly this back", "undo", danger=True)],
            method="post",
            note=f"{len(found.changing)} records{of_field}. Each is looked at again, and stays "
            "where somebody has changed it; what is taken back is not sent again until the "
            "source says otherwise.",
        )
    rows = list(_records(found))
    visible = first(asked, rows)
    about = [row[3] for row in visible if row[3] is not None]
    keys = {
        row.address: row.person_key
        for row in asked.connection.execute(
            statement("console/people_by_address"),
            {"account_id": seen.of.account_id, "addresses": about},
        )
    }
    asked.looked_at |= set(keys.values())
    title = "Its records"
    yield PageTable(
        "records",
        title
        if len(visible) == len(rows)
        else f"{title} (the first {len(visible)} of {len(rows)})",
        ("object", "record", "outcome", "about", "field", "now", "then", "why"),
        [
            (*row[:3], _person(seen.of.account_id, row[3], keys.get(str(row[3]))), *row[4:])
            for row in visible
        ],
        empty="None.",
    )


def _records(found: Undo) -> Iterator[tuple[object, ...]]:
    """A row for each value that is restored, and for each record of which none is."""
    for each in found.records:
        head = each.sobject, each.salesforce_id, each.outcome, each.about
        if each.outcome != "restore" or not each.fields:
            yield *head, None, None, None, each.reason
            continue
        for name, former in each.fields.items():
            yield *head, name, (each.written or {}).get(name), former, each.reason
    for left in found.left:
        fields = ", ".join(left.fields) or None
        yield left.sobject, left.salesforce_id, "left", left.about, fields, None, None, left.why


def _person(account_id: str, address: object, person_key: int | None) -> object:
    if person_key is None:
        return address
    return Link(address, f"/accounts/{account_id}/people/{person_key}")


def _undo_of(cycle_id: int) -> str:
    return f"undo of cycle {cycle_id}"


def _key(of: CycleToUndo) -> tuple[str, int]:
    return of.account_id, of.cycle_id


def _looking(work: WorkUnderWay, of: CycleToUndo) -> Callable[[], str]:
    def look() -> str:
        with work.undos.failure_kept(_key(of), of):
            found = plan_undo(of, run_id=f"console-{uuid4()}", stop_asked=work.stop_asked)
        if found.report.state != "Complete":
            sentence = f"It cannot be said what that comes to: {found.report.reason}"
            work.undos.keep(_key(of), of, None, sentence)
            return sentence
        sentence = f"{len(found.changing)} records are to be taken back"
        seen = f"{sentence}, as of {shown(datetime.now(UTC))}."
        work.undos.keep(_key(of), of, found, seen)
        return sentence

    return look


def _doing(work: WorkUnderWay, of: CycleToUndo, only: Sequence[str], who: str) -> Callable[[], str]:
    def do() -> str:
        with work.undos.failure_kept(_key(of), of):
            found = undo_cycle(
                of, only=only, by=who, run_id=f"console-{uuid4()}", stop_asked=work.stop_asked
            )
        taken = {e.salesforce_id for e in found.records if e.outcome in ("restore", "delete")}
        sentence = f"{len(taken.intersection(only))} of {len(only)} records were taken back"
        if found.report.state != "Complete":
            sentence += (
                f". Not all is done: {found.report.reason}. What was approved stays wanted: the "
                "next cycle goes on"
            )
        work.undos.keep(_key(of), of, found, f"{sentence}.", is_done=True)
        return sentence

    return do


def take_back(order: Order) -> ActionDone:
    """Has this process look at what an undo comes to, or do what was seen."""
    account_id, cycle_id = order.path["account_id"], number(order.path["cycle_id"]) or 0
    path = f"/accounts/{account_id}/cycles/{cycle_id}"
    does = order.said("do")
    if does == "look":
        of = CycleToUndo(account_id, cycle_id, order.said("field") or None)
        done, sentence, work = "looked at", "is being looked at", _looking(order.work, of)
    elif does == "undo":
        what = f"Taking back cycle {cycle_id} of account {account_id}"
        of, seen = order.work.undos.approved((account_id, cycle_id), order.said("seen"), what)
        done, sentence = "undone", "is being taken back"
        work = _doing(order.work, of, seen.changing, order.somebody.name)
    else:
        raise ConsoleError(HTTPStatus.BAD_REQUEST, "Say whether to look at it or to take it back.")
    with order.databases.pipeline.begin() as connection:
        _wrote_at(connection, account_id, cycle_id)
        detail = f"cycle {cycle_id}" + (f", field {of.field}" if of.field else "")
        action = "undo" if does == "undo" else "look at undo"
        note(connection, order.somebody, action, account_id=account_id, detail=detail)
    begun = order.work.begin(order.somebody, account_id, _undo_of(cycle_id), done, work)
    if not begun:
        sentence = "is being looked at or taken back already"
    return ActionDone(f"What cycle {cycle_id} wrote {sentence}: load this page again.", path)


PAGES = (PageAddress("/accounts/{account_id}/cycles/{cycle_id}", ConsoleRole.viewer, cycle),)
ACTIONS = (
    ActionAddress("/accounts/{account_id}/cycles/{cycle_id}", ConsoleRole.operator, take_back),
)
