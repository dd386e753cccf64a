"""Subscribers of the org's file: each applies the events of an object to records that match.

They stand in for a client's triggers and flows, which run as the Automated Process user.
"""

from functools import partial
from random import Random
from typing import Any

from crm_pipeline.local_org import dml
from crm_pipeline.local_org.config import OrgConfigError, SubscriberConfig
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.event_bus import BUS, Event, Subscriber
from crm_pipeline.local_org.schema import Row, SObjectType
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table
from crm_pipeline.local_org.transaction import WriteContext, committed


def subscribe(org: Org) -> None:
    """Sets up the bus with the subscribers of the file. Raises `OrgConfigError`."""
    bus = BUS[org]
    bus.tables = [table for table in org.tables.values() if table.type.publish is not None]
    for place, each in enumerate(org.config.subscribers):
        where = f"subscribers.{place}"
        event, table = (_table(org, name, where) for name in (each.event, each.object))
        if event.type.publish is None:
            raise OrgConfigError(f"{where}: {each.event} is no platform event")
        for fields in (each.match, each.set):
            _check(table.type, fields.keys(), where)
            _check(event.type, fields.values(), where)
        for name in each.match:
            table.index(table.type.fields[name.lower()].name)
        random = Random(each.seed)  # noqa: S311 - reproducible
        take = partial(_take, org, table, each, random)
        bus.subscribers.append(Subscriber(event.type.name, each.delay_seconds, take))


def _table(org: Org, name: str, where: str) -> Table:
    if name.lower() not in org.tables:
        raise OrgConfigError(f"{where}: there is no object {name}")
    return org.table(name)


def _check(of: SObjectType, names: Any, where: str) -> None:
    for name in names:
        if of.find(name) is None:
            raise OrgConfigError(f"{where}: there is no field {of.name}.{name}")


def _take(org: Org, table: Table, config: SubscriberConfig, random: Random, event: Event) -> str:
    """Applies an event, unless it is one of those that get lost. Returns what became of it."""
    if random.random() < config.drops:
        return "dropped"
    values = {name.lower(): value for name, value in event.fields.items()}
    fields = {name: values[source.lower()] for name, source in config.set.items()}
    wanted = {name: values[source.lower()] for name, source in config.match.items()}
    (user_id,) = org.table("User").lookup("Name", "Automated Process")
    context = WriteContext(org, user_id, allow_duplicates=True, assignment=False)
    try:
        with committed(context):
            found = _matching(table, wanted)
            for row in found:
                dml.saved_id(dml.update(org, context, table.type.name, row["Id"], fields))
            if not found and config.create:
                dml.saved_id(dml.create(org, context, table.type.name, {**wanted, **fields}))
                return "created 1"
    except SalesforceError as error:
        return f"failed: {error}"
    return f"updated {len(found)}"


def _matching(table: Table, wanted: Row) -> list[Row]:
    """The records that hold all of these values, converted leads not among them."""
    if not wanted or any(value is None for value in wanted.values()):
        return []
    ids = [
        set(table.lookup(table.type.fields[name.lower()].name, value))
        for name, value in wanted.items()
    ]
    rows = [table.live(each) for each in sorted(set.intersection(*ids))]
    return [row for row in rows if row is not None and not row.get("IsConverted")]
