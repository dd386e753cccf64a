"""Messages about requests: feedback, data of users, macros that the platform is to start.

Each request becomes a message in the transaction that ends it, so it is told once, whatever is
killed on the way.
"""

from collections.abc import Callable, Iterator
from typing import Any

from crm_pipeline.accounts.inbound import InboundSettings
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.flows.inbound import NAME
from crm_pipeline.inbound.queue import Request, RequestKind, finish, pending
from crm_pipeline.ledger.intents import record_intents
from crm_pipeline.ledger.messages import MessageWant
from crm_pipeline.sources.redaction import Redaction


def _feedback(
    request: Request, body: dict[str, Any], redaction: Redaction
) -> Iterator[MessageWant]:
    body["fields"] = redaction.value(body.get("fields"))
    said = {**body, "ticket_id": request.request_id, "source": request.name}
    yield MessageWant("feedback", f"ticket:{request.request_id}", request.received_at, said)


def _user_data(
    request: Request, body: dict[str, Any], redaction: Redaction
) -> Iterator[MessageWant]:
    body["data"] = redaction.value(body["data"])
    for user_id in body["user_ids"]:
        said = {"user_id": user_id, "source": request.name, "data": body["data"]}
        about = f"user:{user_id}:{request.name}"
        yield MessageWant("user_data", about, request.received_at, said)


def _macros(request: Request, body: dict[str, Any], _: Redaction) -> Iterator[MessageWant]:
    yield MessageWant("macros", f"request:{request.request_id}", request.received_at, body)


_Wants = Callable[[Request, dict[str, Any], Redaction], Iterator[MessageWant]]

_OF: dict[RequestKind, _Wants] = {"feedback": _feedback, "user_data": _user_data, "macro": _macros}


def tell(kind: RequestKind, topic: str) -> "Callable[[Desk, InboundSettings], None]":
    """Returns what makes messages of the requests of a kind, and counts them under a topic."""

    def told(desk: Desk, _: InboundSettings) -> None:
        redaction = Redaction.of(desk.chosen.redaction)
        while requests := pending(desk.ledger.connection, desk.ledger.account_id, (kind,)):
            with desk.ledger.step() as connection:
                wants = [
                    want
                    for each in requests
                    for want in _OF[kind](each, dict(each.body or {}), redaction)
                ]
                # Of what is said several times of one thing the last word holds.
                newest = {want.intent.natural_key: want for want in wants}
                record_intents(
                    connection,
                    desk.ledger.account_id,
                    flow=NAME,
                    cycle_id=desk.ledger.cycle_id,
                    intents=[want.intent for want in newest.values()],
                )
                for each in requests:
                    done = {"places": [{"place": "platform", "done": "to be told", "number": 1}]}
                    finish(connection, each, cycle_id=desk.ledger.cycle_id, receipt=done)
            desk.tally[topic, "accepted"] += len(requests)
        if redaction.taken:
            desk.tally[topic, "redacted"] += redaction.taken.total()
            desk.notes.lines.append(redaction.in_words())
        desk.ledger.connection.rollback()

    return told
