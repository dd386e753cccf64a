"""Platform events: published when their transaction is committed, or at once, and never kept.

Salesforce only queues an event: the publisher is told `success: true` with OPERATION_ENQUEUED and
the event's UUID among the errors, and nothing says what became of it.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from crm_pipeline.local_org.per_org import PerOrg
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table, Write


@dataclass(slots=True)
class Event:
    """An event on the bus; `outcomes` tell what became of it at each subscriber."""

    object: str
    uuid: str
    replay_id: int
    published_at: str
    published_by: str
    fields: dict[str, Any]
    outcomes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Subscriber:
    """Somebody who takes the events of one object, some seconds later, and says what he did."""

    object: str
    delay_seconds: float
    take: Callable[[Event], str]


@dataclass(slots=True)
class Bus:
    """Published events, in that order, and their subscribers."""

    published: list[Event] = field(default_factory=list)
    subscribers: list[Subscriber] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    """Those of the event objects, where events wait for their transaction's end."""


BUS = PerOrg(Bus)


def uuid_of(org: Org, event_id: str) -> str:
    """The UUID of an event, which its publisher is told."""
    return str(uuid5(NAMESPACE_OID, org.id + event_id))


def commit(org: Org, writes: Iterable[Write]) -> None:
    """Publishes the events that were written, and keeps the records."""
    release(org, BUS[org].tables)
    org.keep(writes)


def release(org: Org, tables: Iterable[Table]) -> None:
    """Publishes the events that wait in these tables."""
    bus = BUS[org]
    for table in tables:
        names = [each.name for each in table.type.fields.values()]
        for event_id, row in list(table.rows.items()):
            table.drop(event_id)
            event = Event(
                object=table.type.name,
                uuid=uuid_of(org, event_id),
                replay_id=len(bus.published) + 1,
                published_at=row["CreatedDate"],
                published_by=row["CreatedById"],
                fields={name: row.get(name) for name in names if name.endswith("__c")},
            )
            bus.published.append(event)
            for subscriber in bus.subscribers:
                if subscriber.object == event.object:
                    _deliver(subscriber, event)


def _deliver(subscriber: Subscriber, event: Event) -> None:
    def take() -> None:
        event.outcomes.append(subscriber.take(event))

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # written in the same process, past the server
        take()
    else:
        loop.call_later(subscriber.delay_seconds, take)
