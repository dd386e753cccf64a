"""The queue of requests: what was asked and accepted, and the record of repetitions.

Each function is a part of the caller's transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

import orjson
from sqlalchemy import Connection

from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement
from crm_pipeline.text import storable_json

RequestKind = Literal["removal", "macro", "feedback", "user_data"]
Door = Literal["listener", "open_dsr", "outbound_message", "command", "restored"]


@dataclass(frozen=True, slots=True)
class NewRequest:
    """Something that somebody asks, checked and ready to be worked off.

    Attributes:
        kind: what it is.
        door: how it came.
        name: of the listener, the external source or the like.
        sameness: digest of what tells a repetition.
        content: digest of what is asked: a repetition asks the same.
        address: the person's, as `email_key` writes it; None: of nobody.
        digest: the keyed hash of the address.
        body: what is to be told; JSON.
        within_hours: how long a repetition is one; None: for ever.
        key: digest of the caller's own key, where there is one beside `sameness`.
    """

    kind: RequestKind
    door: Door
    name: str
    sameness: bytes
    content: bytes
    address: str | None = None
    digest: bytes | None = None
    body: Mapping[str, Any] | None = None
    within_hours: int | None = None
    key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """The request that stands for what was asked: a new one, or the first of its repetitions.

    `asks_the_same` is False of a repetition that asks something else.
    """

    request_id: str
    received_at: datetime
    asks_the_same: bool = True
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A request that waits to be worked off."""

    seq: int
    request_id: str
    kind: RequestKind
    door: Door
    name: str
    address: str | None
    body: Mapping[str, Any] | None
    received_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class RequestStatus:
    """The state of a request. Times are UTC; the receipt has no personal data."""

    request_id: str
    kind: RequestKind
    name: str
    state: Literal["pending", "done", "failed"]
    received_at: datetime
    finished_at: datetime | None
    receipt: Mapping[str, Any] | None
    problem: str | None


def receive(connection: Connection, account_id: str, asked: NewRequest) -> Received:
    """Puts what is asked into the queue, unless it is there."""
    if asked.key is not None:
        known = of_key(connection, account_id, asked.key, asked.content)
        if known is None:
            known = _receive(connection, account_id, asked)
            note_key(connection, account_id, asked.key, asked.content, known)
        return known
    return _receive(connection, account_id, asked)


def note_key(
    connection: Connection, account_id: str, key: bytes, content: bytes, received: Received
) -> None:
    """Notes a key of the caller's for a request."""
    connection.execute(
        statement("inbound/note_key"),
        {
            "account_id": account_id,
            "key": key,
            "content": content,
            "request_id": received.request_id,
        },
    )


def of_key(
    connection: Connection, account_id: str, key: bytes, content: bytes | None = None
) -> Received | None:
    """Returns the request that somebody made with a key of their own; None: there is none."""
    row = connection.execute(
        statement("inbound/of_key"), {"account_id": account_id, "key": key}
    ).one_or_none()
    if row is None:
        return None
    return Received(
        row.request_id, row.received_at, content is None or bytes(row.content) == content
    )


def _receive(connection: Connection, account_id: str, asked: NewRequest) -> Received:
    """Puts it into the queue; what is in the way, and too old to be the same, is let pass first."""
    new = _insert(connection, account_id, asked)
    if new is None and asked.within_hours is not None:
        passing = {
            "account_id": account_id,
            "sameness": asked.sameness,
            "hours": asked.within_hours,
        }
        if connection.execute(statement("inbound/let_pass"), passing).rowcount:
            new = _insert(connection, account_id, asked)
    if new is not None:
        return new
    first = first_of(connection, account_id, asked.sameness, asked.content)
    assert first is not None  # noqa: S101 - it was in the way
    return first


def _insert(connection: Connection, account_id: str, asked: NewRequest) -> Received | None:
    row = connection.execute(
        statement("inbound/receive"),
        {
            "account_id": account_id,
            "sameness": asked.sameness,
            "request_id": str(uuid4()),
            "kind": asked.kind,
            "door": asked.door,
            "name": asked.name,
            "content": asked.content,
            "address": asked.address,
            "digest": asked.digest,
            "body": None if asked.body is None else storable_json(asked.body),
        },
    ).one_or_none()
    return None if row is None else Received(str(row.request_id), row.received_at, is_new=True)


def first_of(
    connection: Connection, account_id: str, sameness: bytes, content: bytes | None = None
) -> Received | None:
    """Returns the request that is there already; None: there is none."""
    same = {"account_id": account_id, "sameness": sameness}
    first = connection.execute(statement("inbound/first_of"), same).one_or_none()
    if first is None:
        return None
    same_content = content is None or bytes(first.content) == content
    return Received(str(first.request_id), first.received_at, same_content)


def is_asked(connection: Connection, account_id: str) -> bool:
    """Returns whether `pending` would return something, of whatever kind."""
    return bool(connection.scalar(statement("inbound/is_asked"), {"account_id": account_id}))


def pending(
    connection: Connection, account_id: str, kinds: tuple[RequestKind, ...]
) -> list[Request]:
    """Returns the requests of these kinds whose time has come, in the order of their coming."""
    rows = connection.execute(
        statement("inbound/pending"), {"account_id": account_id, "kinds": list(kinds)}
    )
    return objects(rows, Request)


def status_of(connection: Connection, account_id: str, request_id: str) -> RequestStatus | None:
    """Returns how a request of the account stands; None where it has none of this id."""
    parameters = {"account_id": account_id, "request_id": request_id}
    found = objects(connection.execute(statement("inbound/status_of"), parameters), RequestStatus)
    return found[0] if found else None


def finish(
    connection: Connection,
    request: Request,
    *,
    cycle_id: int,
    receipt: Mapping[str, Any] | None = None,
    problem: str | None = None,
) -> None:
    """Notes that a request is done, or, with a problem, that it failed; its data goes.

    Args:
        connection: the caller's.
        request: which.
        cycle_id: the cycle that worked it off.
        receipt: what was done, without personal data.
        problem: why it cannot be done, in one line without personal data.
    """
    connection.execute(
        statement("inbound/finish"),
        {
            "seq": request.seq,
            "cycle_id": cycle_id,
            "state": "done" if problem is None else "failed",
            "receipt": None if receipt is None else orjson.dumps(receipt).decode(),
            "problem": problem,
        },
    )


def put_off(connection: Connection, request: Request, problem: str) -> None:
    """Notes why a request could not be worked off now; it is tried again, at growing distances."""
    connection.execute(statement("inbound/put_off"), {"seq": request.seq, "problem": problem[:500]})
