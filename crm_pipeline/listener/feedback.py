"""Feedback and data that come from Salesforce, checked against what the account configured."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from crm_pipeline.accounts.inbound import ExternalSource, FieldType, FormField
from crm_pipeline.inbound.asking import digest_of
from crm_pipeline.inbound.queue import NewRequest, RequestKind, receive
from crm_pipeline.inbound.tombstones import is_held
from crm_pipeline.listener.access import Caller
from crm_pipeline.listener.answers import FieldProblem, HttpAnswer, Refused, accepted
from crm_pipeline.listener.asked import HttpQuestion
from crm_pipeline.listener.people import find
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.text import storable_json

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def feedback(connection: Connection, caller: Caller, asked: HttpQuestion) -> HttpAnswer:
    """`POST /api/v1/externalSources/{name}`: feedback becomes a ticket."""
    source = caller.choices.external_sources.get(asked.parts["name"])
    if source is None:
        raise Refused(404, "the account has no external source of this name")
    said = asked.json()
    values = filled(source, said)
    submitter, digest = _submitter(connection, caller, source, said)
    body = {
        "project": source.project,
        "feedback_type": source.feedback_type,
        "team": source.team,
        "status": source.status,
        "submitter": submitter,
        "fields": values,
    }
    return _taken(connection, caller, asked, "feedback", said=said, body=body, digest=digest)


def user_data(connection: Connection, caller: Caller, asked: HttpQuestion) -> HttpAnswer:
    """`POST /api/v1/userData/{name}?find=…`: data is stored with a user."""
    chosen = caller.choices.user_data.get(asked.parts["name"])
    if chosen is None:
        raise Refused(404, "the account has no userData of this name")
    address = asked.address
    said = asked.json()
    problems = [FieldProblem(name, "unknown") for name in said if name not in chosen.mapping]
    problems += [
        FieldProblem(name, "a text, a number or true and false are expected")
        for name, value in said.items()
        if name in chosen.mapping and isinstance(value, dict | list)
    ]
    if not said:
        problems.append(FieldProblem("", "nothing is said"))
    if problems:
        raise Refused(422, "", problems)
    person = find(connection, caller, address)
    if person is None or not person.user_ids or is_held(connection, caller.hasher, address):
        raise Refused(404, "the platform has no user of this address")
    digest = caller.hasher.digest(caller.hasher.without_plus_part(address))
    body = {
        "user_ids": list(person.user_ids),
        "data": {chosen.mapping[name]: value for name, value in said.items()},
    }
    whose = {"who": digest.hex(), **said}
    return _taken(connection, caller, asked, "user_data", said=whose, body=body, digest=digest)


def filled(source: ExternalSource, said: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the fields of the form that the incoming ones fill. Pure.

    Raises:
        Refused: one is missing, unknown, or of another type; each is named as it came.
    """
    problems = [
        FieldProblem(name, "unknown")
        for name in said
        if name not in source.mapping and name != source.submitter
    ]
    values = {}
    for name, field in source.mapping.items():
        form, value = source.form[field], said.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            if form.required:
                problems.append(FieldProblem(name, "missing"))
        elif (wrong := _misfit(form, value)) is not None:
            problems.append(FieldProblem(name, wrong))
        else:
            values[field] = value
    if source.submitter is not None and not isinstance(said.get(source.submitter), str | None):
        problems.append(FieldProblem(source.submitter, "not of the type email"))
    if problems:
        raise Refused(422, "", problems)
    return values


def _misfit(form: FormField, value: Any) -> str | None:
    """Returns what is wrong with a value; None: nothing is."""
    if form.type == "choice":
        return None if value in form.choices else "none of the choices"
    return None if _is_of(form.type, value) else f"not of the type {form.type}"


def _is_of(kind: FieldType, value: Any) -> bool:
    match kind:
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "email":
            return isinstance(value, str) and email_key(value) is not None
        case "date" | "datetime":
            return isinstance(value, str) and _is_moment(value, whole=kind == "datetime")
        case _:
            return isinstance(value, str)


def _is_moment(text: str, *, whole: bool) -> bool:
    try:
        if whole:
            return datetime.fromisoformat(text).tzinfo is not None
        return _DAY.fullmatch(text) is not None and date.fromisoformat(text) is not None
    except ValueError:
        return False


def _submitter(
    connection: Connection, caller: Caller, source: ExternalSource, said: Mapping[str, Any]
) -> tuple[str, bytes | None]:
    """Returns the platform's id of who submits, and the hash of the address where there is one."""
    address = said.get(source.submitter) if source.submitter is not None else None
    key = email_key(address) if isinstance(address, str) else None
    if key is not None and not is_held(connection, caller.hasher, key):
        person = find(connection, caller, key)
        if person is not None and person.user_ids:
            return person.user_ids[0], caller.hasher.digest(caller.hasher.without_plus_part(key))
    if source.default_submitter is None:
        raise Refused(422, "", [FieldProblem(source.submitter or "", "no known submitter")])
    return source.default_submitter, None


def _taken(
    connection: Connection,
    caller: Caller,
    asked: HttpQuestion,
    kind: RequestKind,
    *,
    said: Mapping[str, Any],
    body: Mapping[str, Any],
    digest: bytes | None,
) -> HttpAnswer:
    name, key = asked.parts["name"], asked.idempotency_key
    content = digest_of(kind, name, storable_json(said, ordered=True))
    wanted = NewRequest(
        kind,
        "listener",
        name,
        sameness=content if key is None else digest_of("key", kind, key),
        content=content,
        digest=digest,
        body=body,
        within_hours=caller.choices.repeat_hours if key is None else None,
    )
    received = receive(connection, caller.account.account_id, wanted)
    if not received.asks_the_same:
        raise Refused(422, "the Idempotency-Key came before with something else")
    return accepted(
        {"id": received.request_id, "status": "accepted"},
        location=f"/requests/{received.request_id}",
    )
