"""Intents: what a flow wants written, recorded before anything is sent."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from crm_pipeline.database.refusals import refused_value
from crm_pipeline.database.statements import statement
from crm_pipeline.text import storable_json


@dataclass(slots=True)
class Intent:
    """One thing that a flow wants to be so in the org.

    Attributes:
        natural_key: what it is about, unique in the account: `registration:4711`.
        kind: which part of the delivery sends it: `person`, `activity`, …
        person_key: the person it is about (`ledger.people`), or None; with another one it is
            another thing that is wanted.
        as_of: when the source said so, UTC; of two, the later wins.
        fields: what is wanted; its form is that of the kind (see `crm_pipeline.delivery`).
        rejected_because: why it is not to be sent; it is recorded all the same.
        memory: what the flow is to find again beside it; another one alone changes nothing.
        undoes: of a rejected one: what an earlier version brought to the org is to be gone. Where
            there is nothing, it is only rejected.
    """

    natural_key: str
    kind: str
    person_key: int | None
    as_of: datetime
    fields: Mapping[str, Any]
    rejected_because: str | None = None
    memory: Mapping[str, Any] | None = None
    undoes: bool = False


@dataclass(slots=True)
class Recorded:
    """The numbers of recorded intents of one kind; each is counted once.

    Attributes:
        new: nothing was known of what they are about.
        changed: they say something else than what was known, or undo it.
        unchanged: they say what is known, or are older; rejected ones among them.
        rejected: by reason, those that are new or changed and not to be sent.
        staying: of the rejected, those of which the org has something, which stays.
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    staying: int = 0

    def plus(self, more: "Recorded") -> "Recorded":
        """Both together."""
        return Recorded(
            self.new + more.new,
            self.changed + more.changed,
            self.unchanged + more.unchanged,
            self.rejected + more.rejected,
            self.staying + more.staying,
        )


def only_read(intents: Sequence[Intent]) -> dict[str, Recorded]:
    """Counts intents that are not recorded: nothing is known of them, so all are new."""
    recorded: dict[str, Recorded] = {}
    for intent in intents:
        of_kind = recorded.setdefault(intent.kind, Recorded())
        if intent.rejected_because is None:
            of_kind.new += 1
        else:
            of_kind.rejected[intent.rejected_because] += 1
    return recorded


def record_intents(
    connection: Connection,
    account_id: str,
    *,
    flow: str,
    cycle_id: int,
    intents: Sequence[Intent],
) -> dict[str, Recorded]:
    """Records intents as pending operations, within the caller's transaction.

    Where PostgreSQL takes a value in no form (an id of ten thousand characters), they are
    halved until that one is found. It is recorded as rejected, with the reason.

    Recording one again that says the same, or that is older than what is known, changes
    nothing, so a flow may read the same rows as often as it likes. An operation that still
    waits and is now said differently is superseded; one that is in flight is left alone, and
    the new version waits for its outcome.

    Args:
        connection: a transaction of the pipeline's database; the caller holds the account.
        account_id: whose they are.
        flow: the flow's name.
        cycle_id: the cycle that read them.
        intents: any number; each natural key once.

    Returns:
        Counts by kind.
    """
    from psycopg import Error

    if not intents:
        return {}
    try:
        with connection.begin_nested():
            return _record(connection, account_id, flow, cycle_id, intents)
    except (Error, DBAPIError) as error:
        state = refused_value(error)
        if state is None or (len(intents) == 1 and _is_left_of_one(intents[0])):
            raise
    middle = len(intents) // 2
    halves = [intents[:middle], intents[middle:]] if middle else [[_rejected(intents[0], state)]]
    recorded: dict[str, Recorded] = {}
    for half in halves:
        added = record_intents(connection, account_id, flow=flow, cycle_id=cycle_id, intents=half)
        for kind, counts in added.items():
            recorded[kind] = recorded.get(kind, Recorded()).plus(counts)
    return recorded


def _record(
    connection: Connection, account_id: str, flow: str, cycle_id: int, intents: Sequence[Intent]
) -> dict[str, Recorded]:
    connection.execute(statement("ledger/stage_intents"))
    connection.execute(statement("ledger/clear_staged"))
    cursor = connection.connection.driver_connection.cursor()  # type: ignore[union-attr]
    with cursor.copy(
        "COPY staged_intent (natural_key, kind, person_key, as_of, content_hash, intent, memory,"
        " rejected_because, undoes) FROM STDIN"
    ) as copy:
        for intent in intents:
            content = storable_json(intent.fields, ordered=True)
            copy.write_row(
                (
                    intent.natural_key,
                    intent.kind,
                    intent.person_key,
                    intent.as_of,
                    _content_hash(content, intent),
                    content,
                    None if intent.memory is None else storable_json(intent.memory),
                    intent.rejected_because,
                    intent.undoes,
                )
            )
    parameters = {"account_id": account_id, "flow": flow, "cycle_id": cycle_id}
    rows = connection.execute(statement("ledger/record_intents"), parameters)
    recorded: dict[str, Recorded] = {}
    for row in rows:
        of_kind = recorded.setdefault(row.kind, Recorded())
        of_kind.unchanged += row.unchanged
        of_kind.staying += row.staying
        if row.rejected_because is None:
            of_kind.new, of_kind.changed = row.new, row.changed
        elif row.new + row.changed:
            of_kind.rejected[row.rejected_because] = row.new + row.changed
    return recorded


UNFIT = "the ledger cannot hold it"


def _is_left_of_one(intent: Intent) -> bool:
    return (intent.rejected_because or "").startswith(UNFIT)


def _rejected(intent: Intent, state: str) -> Intent:
    """Returns what is left of an intent that PostgreSQL refuses, with the reason."""
    digest = blake2b(intent.natural_key.encode(errors="replace"), digest_size=8).hexdigest()
    reason = f"{UNFIT} (SQLSTATE {state})"
    return Intent(f"{intent.kind}:{digest}", intent.kind, None, intent.as_of, {}, reason)


def _content_hash(content: str, intent: Intent) -> bytes:
    """Sixteen bytes that differ when what is wanted differs, a rejection included."""
    undoes = " undoes" if intent.undoes else ""
    whole = f"{content}{intent.rejected_because or ''}{undoes}"
    return blake2b(whole.encode(), digest_size=16).digest()
