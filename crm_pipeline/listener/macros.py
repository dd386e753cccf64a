"""Listeners trigger macros: a person is removed, suppressed, or the platform starts something.

The tombstone and the request are one transaction of a few milliseconds: nothing goes out about the
person after the answer.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import Connection

from crm_pipeline.accounts.inbound import Macro, UserListener
from crm_pipeline.inbound.asking import ask_for_removal, digest_of
from crm_pipeline.inbound.queue import (
    Door,
    NewRequest,
    Received,
    RequestStatus,
    first_of,
    note_key,
    of_key,
    receive,
    status_of,
)
from crm_pipeline.inbound.tombstones import bury, is_held
from crm_pipeline.listener.access import Caller
from crm_pipeline.listener.answers import FieldProblem, HttpAnswer, Refused, accepted
from crm_pipeline.listener.asked import HttpQuestion
from crm_pipeline.listener.outbound_message import ACK, notifications_of
from crm_pipeline.listener.people import find
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.settings import settings


def trigger(connection: Connection, caller: Caller, asked: HttpQuestion) -> HttpAnswer:
    """`POST /api/v1/userMacroListeners/{name}?find=…`: starts the listener's macro for a person."""
    key = asked.idempotency_key
    received = _started(
        connection,
        caller,
        asked.parts["name"],
        asked.address,
        door="listener",
        key=None if key is None else digest_of("key", key),
    )
    if received is None:
        raise Refused(404, "nobody of this address is known here, or passes the listener's filter")
    return accepted(
        {"id": received.request_id, "status": "accepted"},
        location=f"/requests/{received.request_id}",
    )


def outbound_message(connection: Connection, caller: Caller, asked: HttpQuestion) -> HttpAnswer:
    """`POST /api/v1/outboundMessages/{key}/{name}`: the same, as Salesforce's SOAP says it."""
    organization, notifications = notifications_of(asked, caller.choices.address_field)
    ours = caller.choices.organization_id
    if ours is None:
        raise Refused(409, "the account names no organization_id whose messages it takes")
    if organization[:15] != ours[:15]:
        raise Refused(401, "the message is of another org than the account's")
    for each in notifications:
        address = email_key(each.address)
        if address is not None:
            _started(
                connection,
                caller,
                asked.parts["name"],
                address,
                door="outbound_message",
                key=digest_of("outbound_message", each.notification_id),
            )
    return HttpAnswer(200, ACK, "text/xml")


class _Identity(BaseModel):
    model_config = ConfigDict(extra="ignore")

    identity_type: str
    identity_value: str
    identity_format: str


class _SubjectRequest(BaseModel):
    model_config = ConfigDict(extra="ignore")

    subject_request_id: UUID
    subject_request_type: str
    submitted_time: datetime
    regulation: str
    subject_identities: list[_Identity]
    status_callback_urls: list[str] = []


def open_dsr(connection: Connection, caller: Caller, asked: HttpQuestion) -> HttpAnswer:
    """`POST /requests`: an erasure as OpenDSR 2.0 asks for it."""
    try:
        said = _SubjectRequest.model_validate(asked.json())
    except ValidationError as error:
        raise Refused(422, "", [_field(each) for each in error.errors()]) from None
    address = _address_of(said)
    name = caller.choices.open_dsr
    if name is None:
        raise Refused(409, "the account names no listener for erasures by OpenDSR (open_dsr)")
    key = digest_of("open_dsr", str(said.subject_request_id))
    received = _started(connection, caller, name, address, door="open_dsr", key=key)
    if received is None:
        raise Refused(404, "nobody of this address is known here")
    expected = received.received_at + timedelta(minutes=settings().freshness_minutes)
    return accepted(
        {
            "subject_request_id": str(said.subject_request_id),
            "received_time": received.received_at,
            "expected_completion_time": expected,
        },
        status=201,
        location=f"/requests/{received.request_id}",
    )


def discovery(_: Connection, __: Caller, ___: HttpQuestion) -> HttpAnswer:
    """`GET /discovery`: what of OpenDSR is spoken."""
    return accepted(
        {
            "api_version": "2.0",
            "supported_identities": [{"identity_type": "email", "identity_format": "raw"}],
            "supported_subject_request_types": ["erasure"],
        },
        status=200,
    )


def status(connection: Connection, caller: Caller, asked: HttpQuestion) -> HttpAnswer:
    """`GET /requests/{id}`: how a request stands, by our id of it or by OpenDSR's."""
    try:
        number = str(UUID(asked.parts["id"]))
    except ValueError:
        raise Refused(404, "the account has no request of this id") from None
    account_id = caller.account.account_id
    found = status_of(connection, account_id, number)
    if found is None:
        known = of_key(connection, account_id, digest_of("open_dsr", number))
        if known is not None:
            found = status_of(connection, account_id, known.request_id)
    if found is None:
        raise Refused(404, "the account has no request of this id")
    return accepted(_shown(number, found), status=200)


def _shown(number: str, found: RequestStatus) -> dict[str, Any]:
    words = {"pending": "pending", "done": "completed", "failed": "cancelled"}
    return {
        "id": found.request_id,
        "subject_request_id": number,
        "kind": found.kind,
        "name": found.name,
        "status": found.state,
        "request_status": words[found.state],
        "received_time": found.received_at,
        "expected_completion_time": found.received_at
        + timedelta(minutes=settings().freshness_minutes),
        "finished_time": found.finished_at,
        "receipt": found.receipt,
        "problem": found.problem,
    }


def _started(
    connection: Connection,
    caller: Caller,
    name: str,
    address: str,
    *,
    door: Door,
    key: bytes | None,
) -> Received | None:
    """Starts a listener's macro; None: the person is not found, and is not imported for a while."""
    listener = caller.choices.listeners.get(name)
    if listener is None:
        raise Refused(404, "the account has no listener of this name")
    macro = caller.choices.macros[listener.macro]
    if macro.does == "tell":
        return _told(
            connection, caller, name, address, macro=macro, listener=listener, door=door, key=key
        )
    before = _asked_before(connection, caller, macro, address, key)
    if before is not None:
        return before
    person = find(connection, caller, address)
    if person is None:
        lag = caller.choices.shipping_lag_minutes
        if lag and not listener.filter:
            bury(connection, caller.hasher, address, "suppress", for_minutes=lag)
        return None
    if not person.passes(listener.filter):
        return None
    return ask_for_removal(
        connection,
        caller.hasher,
        address,
        does=macro.does,
        door=door,
        name=name,
        in_org=macro.in_org,
        key=key,
    )


def _asked_before(
    connection: Connection, caller: Caller, macro: Macro, address: str, key: bytes | None
) -> Received | None:
    """Returns the same request where it was made before: the person may be known no more."""
    hasher = caller.hasher
    person = hasher.digest(hasher.without_plus_part(address)).hex()
    content = digest_of(macro.does, person)
    if key is not None:
        known = of_key(connection, hasher.account_id, key, content)
        if known is not None:
            return _the_same(known)
    if not is_held(connection, hasher, address):
        return None
    first = first_of(connection, hasher.account_id, digest_of("removal", macro.does, person))
    if first is not None and key is not None:
        note_key(connection, hasher.account_id, key, content, first)
    return first


def _the_same(received: Received) -> Received:
    if not received.asks_the_same:
        raise Refused(422, "the Idempotency-Key came before with something else")
    return received


def _told(
    connection: Connection,
    caller: Caller,
    name: str,
    address: str,
    *,
    macro: Macro,
    listener: UserListener,
    door: Door,
    key: bytes | None,
) -> Received | None:
    """Puts it into the queue that the platform is to start a macro of its own."""
    person = find(connection, caller, address)
    removed = is_held(connection, caller.hasher, address)
    if removed or person is None or not person.user_ids or not person.passes(listener.filter):
        return None
    digest = caller.hasher.digest(caller.hasher.without_plus_part(address))
    content = digest_of("macro", name, digest.hex())
    wanted = NewRequest(
        "macro",
        door,
        name,
        sameness=content if key is None else digest_of("keyed", name, key.hex()),
        content=content,
        digest=digest,
        body={"macro": macro.platform_macro, "user_ids": list(person.user_ids)},
        within_hours=caller.choices.repeat_hours if key is None else None,
    )
    return _the_same(receive(connection, caller.account.account_id, wanted))


def _address_of(said: _SubjectRequest) -> str:
    if said.subject_request_type != "erasure":
        raise Refused(422, "", [FieldProblem("subject_request_type", "only erasure is supported")])
    if said.status_callback_urls:
        raise Refused(
            422, "", [FieldProblem("status_callback_urls", "nobody is called: ask for the status")]
        )
    raw = [
        each.identity_value
        for each in said.subject_identities
        if each.identity_type == "email" and each.identity_format == "raw"
    ]
    addresses = {email_key(each) for each in raw}
    [address, *others] = addresses or {None}
    if address is None or others:
        raise Refused(
            422, "", [FieldProblem("subject_identities", "one email address, raw, is expected")]
        )
    return address


def _field(error: Any) -> FieldProblem:
    return FieldProblem(".".join(map(str, error["loc"])), error["type"].replace("_", " "))
