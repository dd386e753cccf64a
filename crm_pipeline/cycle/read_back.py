"""Reading back: what changed in the org, for all flows that watch it, in one stream."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_pipeline.declaration import Flow, Noticed, Watched
from crm_pipeline.delivery.allowance import stop_if
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.ledger.read_back import (
    OrgValue,
    advance_places,
    asked_values,
    held_keys,
    note_values,
    org_places,
    org_values,
)
from crm_pipeline.salesforce.changes import Place, Watch, read_changes, read_newest
from crm_pipeline.salesforce.comparison import changed
from crm_pipeline.salesforce.composite import Record

CALLS_AT_MOST = 20
"""A cycle's share for catching up with a mass update; then one call still reads the newest."""

FlowsOn = Sequence[tuple[Flow[Any], Any]]
"""Flows that an account has on, each with its settings."""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What flows make of some changes, to be kept in one transaction with the positions.

    Attributes:
        noticed: by the place of the flow among those that are on.
        places: how far each object is read with them.
        told: the values that are told by this, by Salesforce Id.
    """

    noticed: Mapping[int, Sequence[Noticed]]
    places: Mapping[str, Place] = field(default_factory=dict)
    told: Mapping[str, OrgValue] = field(default_factory=dict)


def watched_fields(flows: FlowsOn) -> dict[str, frozenset[str]]:
    """The fields that any flow watches, by object."""
    fields: dict[str, frozenset[str]] = {}
    for _, watch in _watches(flows):
        fields[watch.sobject] = fields.get(watch.sobject, frozenset()).union(watch.fields)
    return fields


def read_back(desk: Desk, flows: FlowsOn) -> Iterator[ReadBack]:
    """Reads what changed in the org since the last time, for all flows together.

    The caller keeps each (`keep`) and commits before it asks for the next.

    Raises:
        SalesforceProblem: as `read_changes`; what was kept before is good.
    """
    watches = _joined(flows)
    if not watches:
        return
    desk.allowance.demand_calls()
    org = desk.org.log_in()
    desk.schemas.describe([watch.sobject for watch in watches])
    now = org.org_time
    back = {each.sobject: each.look_back for _, each in _watches(flows)}
    known = org_places(desk.ledger.connection, desk.ledger.account_id)
    places = {w.sobject: known.get(w.sobject, Place(now - back[w.sobject])) for w in watches}
    for number, reading in enumerate(read_changes(org, watches, places, now), start=1):
        stop_if(desk.allowance.stop_asked)
        yield _noticed(desk, flows, reading.records, reading.places)
        places |= reading.places
        if number == CALLS_AT_MOST:
            break
    behind = [watch for watch in watches if places[watch.sobject].cursor is not None]
    if behind:
        yield _noticed(desk, flows, read_newest(org, behind, places), {})


def keep(desk: Desk, read: ReadBack) -> None:
    """Keeps positions and what is told by this, within the caller's transaction."""
    advance_places(desk.ledger.connection, desk.ledger.account_id, read.places)
    note_values(desk.ledger.connection, desk.org.log_in().organization_id, read.told)


def _watches(flows: FlowsOn) -> Iterator[tuple[int, Watched]]:
    for place, (flow, choices) in enumerate(flows):
        for watch in flow.watches(choices):
            yield place, watch


def _joined(flows: FlowsOn) -> list[Watch]:
    """One watch an object, with the fields of all flows."""
    fields: dict[str, dict[str, None]] = {}
    children: dict[str, dict[Any, None]] = {}
    for _, each in _watches(flows):
        fields.setdefault(each.sobject, {}).update(dict.fromkeys((*each.fields, *each.context)))
        children.setdefault(each.sobject, {}).update(dict.fromkeys(each.children))
    return [
        Watch(sobject, tuple(names), tuple(children[sobject])) for sobject, names in fields.items()
    ]


def _noticed(
    desk: Desk,
    flows: FlowsOn,
    records: Mapping[str, Sequence[Record]],
    places: Mapping[str, Place],
) -> ReadBack:
    ids = [record["Id"] for found in records.values() for record in found]
    values = org_values(desk.ledger.connection, desk.org.log_in().organization_id, ids)
    keys = held_keys(desk.ledger.connection, desk.ledger.account_id, ids)
    asked = asked_values(desk.ledger.connection, desk.ledger.account_id, keys.values())
    known = desk.schemas.describe(records)
    noticed: dict[int, list[Noticed]] = {}
    told: dict[str, OrgValue] = {}
    for place, watch in _watches(flows):
        schema = known[watch.sobject]
        types = {name: found.type for name in watch.fields if (found := schema.field(name))}
        for record in records.get(watch.sobject, ()):
            key, value = keys.get(record["Id"]), values.get(record["Id"], OrgValue())
            if watch.held_only and key is None:
                continue
            said = value.written, value.told
            unsure = asked.get(key or "", ())
            differing = changed(record, *said, watch.fields, types, asked=unsure)
            if differing:
                each = Noticed(watch.sobject, record, differing, key)
                noticed.setdefault(place, []).append(each)
                before = told.get(record["Id"], OrgValue()).told
                told[record["Id"]] = OrgValue(told={**before, **differing})
    return ReadBack(noticed, places, told)
