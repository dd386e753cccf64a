"""Plans: what each says, what came otherwise, and having one sent."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row

from crm_pipeline.accounts.store import get_account
from crm_pipeline.console.asked import ActionAddress, ActionDone, Order, PageAddress, PageQuestion
from crm_pipeline.console.errors import ConsoleError
from crm_pipeline.console.log import note
from crm_pipeline.console.paging import PAGE_ROWS, first, number
from crm_pipeline.console.parts import (
    Button,
    ConsolePage,
    Facts,
    Form,
    Link,
    Note,
    PagePart,
    PageTable,
)
from crm_pipeline.console.roles import ConsoleRole
from crm_pipeline.cycle.apply import apply_plan, plan_to_apply
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.plans import Departure, KeptPlan, departures_of, kept_plan, numbers_of

_WRITES = ("create", "update", "delete")


def plan(asked: PageQuestion) -> ConsolePage:
    """A plan: how much of what; who may see people sees each record, and what came otherwise."""
    account_id, plan_id = asked.path["account_id"], number(asked.path["plan_id"]) or 0
    asked.account_id = account_id
    kept = _kept(asked.connection, account_id, plan_id)
    numbers = numbers_of(asked.connection, plan_id)
    parts: list[PagePart] = [
        Facts(
            "",
            [
                ("account", Link(account_id, f"/accounts/{account_id}")),
                ("made at", kept.made_at),
                ("about", "some people" if kept.of_some_people else "everybody"),
                ("sent by cycle", kept.cycle_id and Link(kept.cycle_id, _cycle(kept))),
                ("sent at", kept.applied_at),
                ("sent for", kept.applied_by),
            ],
        ),
        *_sending(asked, kept),
        PageTable(
            "numbers",
            "What it comes to",
            ("object", "outcome", "records"),
            numbers,
            empty="It would do nothing.",
        ),
    ]
    is_open = kept.cycle_id is None and not asked.work.is_under_way(account_id, _sending_of(kept))
    if asked.somebody.role >= ConsoleRole.operator and is_open:
        writes = ", ".join(
            f"{each.records} {each.sobject} to {each.outcome}"
            for each in numbers
            if each.outcome in _WRITES
        )
        parts.append(
            Form(
                f"/accounts/{account_id}/plans/{plan_id}",
                [],
                [Button("Approve: send exactly this")],
                method="post",
                title="Approve",
                note=f"{writes or 'No writes'}. What has changed since waits, and is named.",
            )
        )
    if asked.somebody.role >= ConsoleRole.support:
        parts += [_departures(asked, kept), _rows(asked, kept)]
    return ConsolePage(f"Plan {plan_id} of {account_id}", parts, "Accounts")


def _departures(asked: PageQuestion, kept: KeptPlan) -> PageTable:
    found = departures_of(asked.connection, kept.plan_id) if kept.is_compared else []
    shown = first(asked, found)
    asked.looked_at |= {each.person_key for each in shown if each.person_key is not None}
    title = "Not as planned"
    return PageTable(
        "departures",
        title if len(shown) == len(found) else f"{title} (the first {len(shown)} of {len(found)})",
        ("about", "object", "planned", "became", "reason", "because"),
        [
            (
                _about(kept.account_id, each),
                each.sobject,
                each.foreseen or "nothing",
                each.outcome,
                each.reason,
                each.because,
            )
            for each in shown
        ],
        empty="All came as it was planned."
        if kept.is_compared
        else "No cycle was compared with it: only the next one is, where it sends all.",
    )


def _rows(asked: PageQuestion, kept: KeptPlan) -> PageTable:
    after = asked.session.sought.get(asked.query.get("after", ""), "\n").split("\n")
    found = asked.connection.execute(
        statement("console/plan_rows"),
        {
            "plan_id": kept.plan_id,
            "after": after[0] or None,
            "after_object": after[1],
            "limit": asked.rows(PAGE_ROWS),
        },
    ).all()
    shown = first(asked, found)
    asked.looked_at |= {row.person_key for row in shown if row.person_key is not None}
    return PageTable(
        "records",
        "Records (`crm-pipeline plan --all FILE` has their fields)",
        ("about", "object", "outcome", "record"),
        [
            (_about(kept.account_id, row), row.sobject, row.outcome, row.salesforce_id)
            for row in shown
        ],
        empty="It has no records.",
        more=_more(asked, kept, shown[-1]) if len(found) > len(shown) else None,
    )


def _more(asked: PageQuestion, kept: KeptPlan, last: Row[Any]) -> str:
    """The address of the next rows; the key has a person's address, and stays here."""
    place = asked.session.seek(f"{last.about}\n{last.sobject}")
    return f"/accounts/{kept.account_id}/plans/{kept.plan_id}?after={place}"


def _about(account_id: str, row: Departure | Row[Any]) -> object:
    if row.person_key is None:
        return row.about
    return Link(row.about, f"/accounts/{account_id}/people/{row.person_key}")


def approve(order: Order) -> ActionDone:
    """Has a plan be sent, by this process."""
    account_id, plan_id = order.path["account_id"], number(order.path["plan_id"]) or 0
    work, who = order.work, order.somebody.name
    with order.databases.pipeline.begin() as connection:
        kept = _kept(connection, account_id, plan_id)
        what = _sending_of(kept)
        if work.is_under_way(account_id, what):
            raise ConsoleError(HTTPStatus.CONFLICT, f"Plan {plan_id} is being sent already.")
        plan_to_apply(connection, account_id, plan_id)
        note(connection, order.somebody, "apply", account_id=account_id, detail=what)

    def send() -> str:
        with work.plans.failure_kept(plan_id, plan_id):
            report = apply_plan(
                account_id,
                plan_id,
                run_id=f"console-{uuid4()}",
                by=who,
                stop_asked=work.stop_asked,
            ).report
        sentence = f"{report.state}. {report.reason}".strip()
        work.plans.keep(plan_id, plan_id, report, sentence)
        return sentence

    if not work.begin(order.somebody, account_id, what, "applied", send):
        raise ConsoleError(HTTPStatus.CONFLICT, f"Plan {plan_id} is being sent already.")
    return ActionDone("", f"/accounts/{account_id}/plans/{plan_id}")


def _kept(connection: Connection, account_id: str, plan_id: int) -> KeptPlan:
    get_account(connection, account_id)
    kept = kept_plan(connection, account_id, plan_id)
    if kept is None:
        raise ConsoleError(
            HTTPStatus.NOT_FOUND, f"Account {account_id} has no plan {plan_id}, or not any more."
        )
    return kept


def _cycle(kept: KeptPlan) -> str:
    return f"/accounts/{kept.account_id}/cycles/{kept.cycle_id}"


def _sending_of(kept: KeptPlan) -> str:
    return f"plan {kept.plan_id}"


def _sending(asked: PageQuestion, kept: KeptPlan) -> Iterator[PagePart]:
    """What is being done of a plan, or how that ended."""
    if asked.work.is_under_way(kept.account_id, _sending_of(kept)):
        yield Note("It is being sent, by a cycle of its own.")
        yield Form(f"/accounts/{kept.account_id}/plans/{kept.plan_id}", [], [Button("Look again")])
        return
    seen = asked.work.plans.of(kept.plan_id)
    if seen is not None:
        is_well = seen.found is not None and seen.found.state == "Complete"
        yield Note(f"Sending it ended: {seen.sentence}", "good" if is_well else "bad")


PAGES = (PageAddress("/accounts/{account_id}/plans/{plan_id}", ConsoleRole.viewer, plan),)
ACTIONS = (ActionAddress("/accounts/{account_id}/plans/{plan_id}", ConsoleRole.operator, approve),)
