"""Intents: what a flow wants written, recorded before anything is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

import orjson
from sqlalchemy import Connection

from crm_pipeline.database.statements import statement


# Made by the ten thousand: frozen, each would take eight times as long to make.
@dataclass(slots=True)
class Intent:
    """One thing that a flow wants to be so in the org.

    Attributes:
        natural_key: what it is about, unique in the account: `registration:4711`.
        kind: which part of the delivery sends it: `person`, `activity`, …
        person_key: the person it is about (`salesforce.matching.email_key`), or None.
        as_of: when the source said so, UTC; of two, the later wins.
        fields: what is wanted; its form is that of the kind (see `crm_pipeline.delivery`).
        rejected_because: why it is not to be sent; it is recorded all the same.
        memory: what the flow is to find again beside it; another one alone changes nothing.
    """

    natural_key: str
    kind: str
    person_key: str | None
    as_of: datetime
    fields: Mapping[str, Any]
    rejected_because: str | None = None
    memory: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class PersonEmail:
    """The address (as a person key) that a person of the source has, as of a time (UTC)."""

    source_person: str
    person_key: str
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many intents of one kind were new, changed, unchanged (or older), rejected."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0


def record_intents(
    connection: Connection,
    account_id: str,
    *,
    flow: str,
    cycle_id: int,
    intents: Sequence[Intent],
) -> dict[str, Recorded]:
    """Records intents as pending operations, within the caller's transaction.

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
    if not intents:
        return {}
    connection.execute(statement("ledger/stage_intents"))
    cursor = connection.connection.driver_connection.cursor()  # type: ignore[union-attr]
    with cursor.copy(
        "COPY staged_intent (natural_key, kind, person_key, as_of, content_hash, intent, memory,"
        " rejected_because) FROM STDIN"
    ) as copy:
        for intent in intents:
            content = orjson.dumps(
                intent.fields, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
            )
            copy.write_row(
                (
                    intent.natural_key,
                    intent.kind,
                    intent.person_key,
                    intent.as_of,
                    _content_hash(content, intent.rejected_because),
                    content.decode(),
                    None if intent.memory is None else orjson.dumps(intent.memory).decode(),
                    intent.rejected_because,
                )
            )
    whose = {"account_id": account_id}
    connection.execute(statement("ledger/supersede_older"), whose)
    rows = connection.execute(
        statement("ledger/record_intents"), {**whose, "flow": flow, "cycle_id": cycle_id}
    )
    return {row.kind: Recorded(row.new, row.changed, row.unchanged, row.rejected) for row in rows}


def record_emails(connection: Connection, account_id: str, emails: Sequence[PersonEmail]) -> None:
    """Notes who has which address now, so that one who changed it is not taken for another."""
    if emails:
        rows = {"account_id": account_id, "rows": orjson.dumps(emails).decode()}
        connection.execute(statement("ledger/record_emails"), rows)


def reject_for_dropped(connection: Connection, account_id: str) -> int:
    """Rejects what waits for people whom an operator gave up; returns how many."""
    rejected = connection.execute(
        statement("ledger/reject_for_dropped"), {"account_id": account_id}
    )
    return rejected.rowcount


def _content_hash(content: bytes, rejected_because: str | None) -> bytes:
    """Sixteen bytes that differ when what is wanted differs, a rejection included."""
    digest = blake2b(content, digest_size=16)
    digest.update((rejected_because or "").encode())
    return digest.digest()
