"""Operations: those that failed first of all, to be sent again or dropped."""

import json
from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlencode

from sqlalchemy.exc import SQLAlchemyError

from crm_pipeline.accounts.account import AccountError
from crm_pipeline.accounts.store import get_account
from crm_pipeline.console.asked import ActionAddress, ActionDone, Order, PageAddress, PageQuestion
from crm_pipeline.console.errors import ConsoleError, log_database
from crm_pipeline.console.locked import locked
from crm_pipeline.console.log import note
from crm_pipeline.console.paging import PAGE_ROWS, first, more, number
from crm_pipeline.console.parts import (
    Button,
    ConsolePage,
    Field,
    Form,
    Link,
    Note,
    PagePart,
    PageTable,
)
from crm_pipeline.console.roles import ConsoleRole
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger import decided

_FAILED = ("failed", "exhausted")
_STATES = (
    "failed or exhausted",
    "failed",
    "exhausted",
    "pending",
    "held",
    "in_flight",
    "rejected",
    "left_out",
    "dropped",
    "done",
)
_DROPPED = (
    "What was rejected while its account was held can be requeued. What was dropped from here is "
    "never sent: only what the source says anew is."
)
_FILTERS = ("account", "state", "kind", "code")
_KINDS = ("", "person", "activity", "campaign", "member", "record", "message", "undo")


def queue(asked: PageQuestion) -> ConsolePage:
    """Operations in a state, the oldest first; failed and exhausted ones by default."""
    state, kind = asked.chosen("state", _STATES), asked.chosen("kind", _KINDS)
    asked.account_id = asked.query.get("account") or None
    if asked.account_id:
        get_account(asked.connection, asked.account_id)
    found = asked.connection.execute(
        statement("operations/list_operations"),
        {
            "account_id": asked.account_id,
            "states": list(_FAILED) if state == _STATES[0] else [state],
            "error_code": asked.query.get("code") or None,
            "kind": kind or None,
            "since": None,
            "until": None,
            "after": number(asked.query.get("after")),
            "limit": asked.rows(PAGE_ROWS),
        },
    ).all()
    shown = first(asked, found)
    asked.looked_at |= {row.person_key for row in shown if row.person_key is not None}
    choice = Form(
        "/queue",
        [
            Field("account", "Account", asked.query.get("account", "")),
            Field("state", "State", state, choices=_STATES),
            Field("kind", "Kind", kind, choices=_KINDS),
            Field("code", "Code", asked.query.get("code", "")),
        ],
        [Button("Show")],
    )
    requeues = Button("Requeue the chosen", "requeue")
    same_queue = [Field(name, "", asked.query.get(name, ""), hidden=True) for name in _FILTERS]
    decide = Form(
        "/queue",
        [Field("reason", "Why (to drop; kept with the operation)"), *same_queue],
        [requeues, Button("Drop the chosen", "drop", danger=True)],
        method="post",
    )
    if state == "dropped":
        decide = Form("/queue", same_queue, [requeues], method="post")
    table = PageTable(
        "operations",
        "",
        (
            "operation",
            "account",
            "about",
            "kind",
            "object",
            "state",
            "tries left",
            "next try",
            "code",
            "why",
        ),
        [
            (
                Link(row.operation_id, f"/operations/{row.operation_id}"),
                Link(row.account_id, f"/accounts/{row.account_id}"),
                row.natural_key
                if row.person_key is None
                else Link(row.natural_key, f"/accounts/{row.account_id}/people/{row.person_key}"),
                row.kind,
                row.sobject,
                row.state,
                row.attempts_left,
                row.next_attempt_at,
                row.error_code,
                row.error_message or row.reason,
            )
            for row in shown
        ],
        empty="No operation is like this.",
        more=more(asked, "/queue", found, shown[-1].operation_id if shown else ""),
        chosen_by=decide if state in (_STATES[0], *_FAILED, "dropped") else None,
    )
    parts: list[PagePart] = [choice, table]
    if state == "dropped":
        parts.insert(1, Note(_DROPPED))
    return ConsolePage("Queue", parts, "Queue")


def decide(order: Order) -> ActionDone:
    """Requeues or drops the operations that were chosen, account by account."""
    chosen = [number(each) for each in order.form.get("chosen", ())]
    if not chosen:
        raise ConsoleError(HTTPStatus.BAD_REQUEST, "Choose operations first.")
    does, reason = order.said("do"), order.said("reason")
    if does not in ("requeue", "drop"):
        raise ConsoleError(HTTPStatus.BAD_REQUEST, "Say whether to requeue or to drop them.")
    if does == "drop" and not reason:
        raise ConsoleError(
            HTTPStatus.BAD_REQUEST, "Say why they are dropped: it is what is left of them."
        )
    what = "are tried again from the next cycle" if does == "requeue" else "are dropped"
    changed, waiting = 0, 0
    told: list[str] = []
    # What was done of one account is done, and is told whatever becomes of the others.
    for account_id, ids in _by_account(order, chosen):
        try:
            changed += _decided(order, account_id, ids, does, reason)
        except (ConsoleError, AccountError) as error:
            waiting += len(ids)
            told.append(f"{len(ids)} not: {error}")
        except SQLAlchemyError as error:
            if not changed:
                raise
            log_database(error)
            raise ConsoleError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"{changed} of {len(chosen)} operations {what}. Then the database went away, or "
                "took too long: look in the queue which are left, and try these again.",
            ) from None
    if left := len(chosen) - changed - waiting:
        told.append(
            f"{left} are no longer failed, were dropped for good, or a later version has "
            "overtaken them."
        )
    sentence = " ".join((f"{changed} of {len(chosen)} operations {what}.", *told))
    if waiting and not changed:
        raise ConsoleError(HTTPStatus.CONFLICT, sentence)
    same_queue = {name: said for name in _FILTERS if (said := order.said(name))}
    return ActionDone(sentence, f"/queue?{urlencode(same_queue)}")


def _by_account(order: Order, chosen: list[int | None]) -> Iterator[tuple[str, list[int]]]:
    with order.databases.pipeline.connect() as connection:
        rows = connection.execute(
            statement("operations/named_operations"), {"operation_ids": chosen}
        ).all()
    by_account: dict[str, list[int]] = {}
    for row in rows:
        by_account.setdefault(row.account_id, []).append(row.operation_id)
    return iter(by_account.items())


def _decided(order: Order, account_id: str, ids: list[int], does: str, reason: str) -> int:
    with locked(order, account_id) as connection:
        if does == "requeue":
            number_of = decided.requeue(connection, account_id, ids)
        else:
            number_of = decided.drop(
                connection, account_id, ids, reason=reason, dropped_by=order.somebody.name
            ).operations
        about = f"{number_of} of operations {', '.join(map(str, ids))}"
        note(connection, order.somebody, does, account_id=account_id, detail=about)
    return number_of


def operation(asked: PageQuestion) -> ConsolePage:
    """One operation: what was wanted, what was sent, what came back."""
    which = {"operation_id": number(asked.path["operation_id"])}
    row = (
        asked.connection.execute(statement("operations/show_operation"), which)
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise ConsoleError(HTTPStatus.NOT_FOUND, "There is no such operation.")
    asked.account_id = row["account_id"]
    asked.looked_at |= {row["person_key"]} - {None}
    of_it = {"operation_ids": [row["operation_id"]]}
    changes = asked.connection.execute(statement("operations/field_changes"), of_it)
    table = PageTable(
        "changes",
        "Values changed to fit the org",
        ("field", "why", "was", "became", "when"),
        [(c.field, c.why, c.old_value, c.new_value, c.changed_at) for c in changes],
        empty="All values were sent as they are.",
    )
    whole = PageTable(
        "operation",
        "",
        ("what", "value"),
        [
            (name.replace("_", " "), _told(row["account_id"], name, value))
            for name, value in row.items()
            if value is not None
        ],
        empty="",
    )
    return ConsolePage(f"Operation {row['operation_id']}", [whole, table], "Queue")


def _told(account_id: str, name: str, value: object) -> object:
    """A value of an operation: what has a page of its own leads there."""
    if isinstance(value, dict):
        return json.dumps(value, indent=2, ensure_ascii=False)
    pages = {"account_id": "", "person_key": f"/people/{value}"}
    pages |= dict.fromkeys(("read_by", "sent_by"), f"/cycles/{value}")
    if name in pages:
        return Link(value, f"/accounts/{account_id}{pages[name]}")
    return value if isinstance(value, datetime) else str(value)


PAGES = (
    PageAddress("/queue", ConsoleRole.support, queue),
    PageAddress("/operations/{operation_id}", ConsoleRole.support, operation),
)
ACTIONS = (ActionAddress("/queue", ConsoleRole.support, decide),)
