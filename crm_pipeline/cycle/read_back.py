"""Reading back: what changed in the org, for all flows that watch it, in one stream."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from crm_pipeline.cycle.confirming import confirm_events
from crm_pipeline.cycle.sweep import sweep
from crm_pipeline.cycle.swings import Swings, in_words
from crm_pipeline.declaration import Ask, Flow, Noticed, Watched
from crm_pipeline.delivery.allowance import stop_if
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.inbound.tombstones import Tombstones, bury_signs, sign_of, tombstones_of
from crm_pipeline.ledger.read_back import (
    OrgValue,
    UnansweredCreation,
    advance_org_positions,
    asked_values,
    follow_converted,
    follow_merged,
    held_keys,
    note_values,
    org_positions,
    org_values,
    reopen_undeleted,
    unanswered_creations,
)
from crm_pipeline.ledger.swings import FieldOf, Swing, note_swings, swinging, swings_of
from crm_pipeline.salesforce.changes import (
    OrgPosition,
    Watch,
    asked_for,
    plain_children,
    read_changes,
    read_newest,
)
from crm_pipeline.salesforce.comparison import alike, changed
from crm_pipeline.salesforce.composite import Record, query_all
from crm_pipeline.salesforce.describe import SObjectSchema
from crm_pipeline.salesforce.errors import AccountStopped
from crm_pipeline.salesforce.limits import COMPOSITE_QUERIES_OR_COLLECTIONS
from crm_pipeline.salesforce.values import is_record_id
from crm_pipeline.sources.org_changes import Watching, not_read_lately
from crm_pipeline.text import storable_json

CALLS_AT_MOST = 20
"""A cycle's share for catching up with a mass update; then one call still reads the newest."""

FlowsOn = Sequence[tuple[Flow[Any], Any]]
"""Flows that an account has on, each with its settings."""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """The flows' answers to some changes, to be kept in one transaction with the positions.

    Attributes:
        noticed: by the place of the flow among those that are on.
        records: all that was read, by object.
        asked: the place of the flow, and the questions of it that the records answer.
        begins: the objects that were never read before.
        positions: how far each object is read with them.
        values: by Salesforce Id, those that are told by this, and those of records that turn out
            to be ours.
        swings: of fields that the org and the source may be setting in turn.
        merged: by the Ids of merged records, those of the winners.
        converted: by the Ids of converted leads, those of their contacts.
        there: the Ids of records that may be written: not deleted, and no converted leads.
        notes: what people are to know, a line each.
    """

    noticed: Mapping[int, Sequence[Noticed]]
    records: Mapping[str, Sequence[Record]] = field(default_factory=dict)
    asked: tuple[int, Sequence[Ask]] | None = None
    begins: frozenset[str] = frozenset()
    positions: Mapping[str, OrgPosition] = field(default_factory=dict)
    values: Mapping[str, OrgValue] = field(default_factory=dict)
    swings: Mapping[FieldOf, Swing] = field(default_factory=dict)
    merged: Mapping[str, str] = field(default_factory=dict)
    converted: Mapping[str, str] = field(default_factory=dict)
    there: Sequence[str] = ()
    notes: Sequence[str] = ()


def watched_fields(flows: FlowsOn) -> dict[str, frozenset[str]]:
    """The fields that any flow watches, by object."""
    fields: dict[str, frozenset[str]] = {}
    for _, watch in _watches(flows):
        fields[watch.sobject] = fields.get(watch.sobject, frozenset()).union(watch.fields)
    return fields


def calls_a_day(objects: int, minutes: int) -> int:
    """API calls a day for reading so many objects back at this pace, if little changes."""
    return math.ceil(objects / COMPOSITE_QUERIES_OR_COLLECTIONS) * math.ceil(1440 / minutes)


def is_due(desk: Desk, flows: FlowsOn) -> bool:
    """Returns whether the org is to be asked for changes, by the account's pace or a hint."""
    watching = Watching(watched_fields(flows), desk.chosen.read_back_minutes)
    watched = {desk.ledger.account_id: watching}
    return desk.ledger.account_id in not_read_lately(desk.ledger.connection, watched).by_pace


def read_back(desk: Desk, flows: FlowsOn) -> Iterator[ReadBack]:
    """Reads what changed in the org since the last time, for all flows together.

    The caller keeps each (`keep`) and commits before it asks for the next.

    Raises:
        SalesforceProblem: as `read_changes`; what was kept before is good.
    """
    try:
        yield from _read_back(desk, flows)
    except AccountStopped as refused:
        if refused.code in _NOT_SHOWN:
            # Described anew in the next cycle, it is left out, or its flow does nothing there.
            with desk.ledger.step():
                desk.schemas.forget(tuple(desk.schemas.known()))
        raise


_NOT_SHOWN = ("INVALID_FIELD", "INVALID_TYPE")


def _read_back(desk: Desk, flows: FlowsOn) -> Iterator[ReadBack]:
    if not any(True for _ in _watches(flows)):
        return
    desk.allowance.demand_calls()
    org = desk.org.log_in()
    watches, lacking = _fit_watches(desk, flows)
    now = org.org_time
    back: dict[str, timedelta] = {}
    for _, each in _watches(flows):
        back[each.sobject] = max(each.look_back, back.get(each.sobject, timedelta()))
    read = org_positions(desk.ledger.connection, desk.ledger.account_id)
    begins_at = {watch.sobject: now - back[watch.sobject] for watch in watches}
    positions = {
        sobject: known
        if (known := read.get(sobject)) and known.reaches_back_to(begin)
        else OrgPosition(begin, since=begin)
        for sobject, begin in begins_at.items()
    }
    begins = frozenset(positions).difference(read)
    for page in read_changes(org, watches, positions, now, pages_at_most=CALLS_AT_MOST):
        stop_if(desk.allowance.stop_asked)
        noticed = _notice(desk, flows, page.records, page.positions)
        yield replace(noticed, begins=begins, notes=lacking)
        begins, lacking = frozenset(), []
        positions |= page.positions
    behind = [watch for watch in watches if positions[watch.sobject].cursor is not None]
    if behind:
        newest = _notice(desk, flows, read_newest(org, behind, positions), {})
        yield replace(newest, notes=_lag(behind, positions))
    yield from _answers(desk, flows, watches)
    confirm_events(desk, flows)
    if behind:
        return
    swept = sweep(desk, watches)
    told_no_more = in_words(swinging(desk.ledger.connection, org.organization_id))
    notes = [*swept.notes, *told_no_more]
    yield replace(_notice(desk, flows, swept.records, {}), notes=notes)


def _lag(behind: Sequence[Watch], positions: Mapping[str, OrgPosition]) -> list[str]:
    """Returns a line for people about each object that is caught up with."""
    reached = {watch.sobject: positions[watch.sobject].cursor for watch in behind}
    return [
        f"Changes of {sobject} are read up to {cursor.stamp:%Y-%m-%d %H:%M} UTC, and the newest; "
        "the next cycles catch up with the rest"
        for sobject, cursor in reached.items()
        if cursor is not None
    ]


def _answers(desk: Desk, flows: FlowsOn, watches: Sequence[Watch]) -> Iterator[ReadBack]:
    """Yields the answers to what flows ask for beside changes, until none asks any more."""
    by_object = {watch.sobject: watch for watch in watches}
    for place, (flow, choices) in enumerate(flows):
        while asks := flow.asks(desk.ledger.connection, desk.account, choices):
            desk.allowance.demand_calls()
            queries = [
                (ask.sobject, query)
                for ask in asks
                for query in asked_for(by_object[ask.sobject], ask.field, ask.values)
            ]
            org = desk.org.log_in()
            found = query_all(org, [query for _, query in queries], include_deleted=True)
            records: dict[str, list[Record]] = {}
            for (sobject, _), page in zip(queries, found.records, strict=True):
                whole = plain_children(org, by_object[sobject], page)
                records.setdefault(sobject, []).extend(whole)
            yield ReadBack({}, _blank_of_removed(desk, records), (place, asks))


def keep(desk: Desk, read: ReadBack) -> None:
    """Keeps positions, what is told by this and whom records stand for, without a commit."""
    advance_org_positions(desk.ledger.connection, desk.ledger.account_id, read.positions)
    note_values(desk.ledger, desk.org.log_in().organization_id, read.values)
    note_swings(desk.ledger, desk.org.log_in().organization_id, read.swings)
    follow_merged(desk.ledger.connection, desk.ledger.account_id, read.merged)
    follow_converted(desk.ledger.connection, desk.ledger.account_id, read.converted)
    reopen_undeleted(desk.ledger.connection, desk.ledger.account_id, read.there)


def bury_successors(desk: Desk, read: ReadBack) -> None:
    """Has a record be known as a removed person's that theirs became, without a commit.

    One that stands for somebody whom the account knows is that one's.
    """
    successors = {
        record["Id"]: successor
        for found in read.records.values()
        for record in found
        if (successor := record.get("MasterRecordId") or record.get("ConvertedContactId"))
    }
    connection = desk.ledger.connection
    tombstones = tombstones_of(connection, desk.account) if successors else None
    if tombstones is None:
        return
    became = {
        successor
        for former, successor in successors.items()
        if tombstones.hold_sign(sign_of("record", former))
    }
    known = held_keys(connection, desk.ledger.account_id, became) if became else {}
    signs = [sign_of("record", each) for each in sorted(became.difference(known))]
    bury_signs(connection, tombstones.hasher, signs)


def _watches(flows: FlowsOn) -> Iterator[tuple[int, Watched]]:
    for place, (flow, choices) in enumerate(flows):
        for watch in flow.watches(choices):
            yield place, watch


def _fit_watches(desk: Desk, flows: FlowsOn) -> tuple[list[Watch], list[str]]:
    """One watch an object, with the fields of all flows, and those that say what became of it.

    These, and fields that are wanted only if they are there, cost no call.

    Returns:
        The watches, and a line for each field that the account names and the org does not show.
    """
    fields: dict[str, dict[str, None]] = {}
    if_there: dict[str, dict[str, None]] = {}
    named: dict[str, None] = {}
    children: dict[str, dict[Any, None]] = {}
    for _, each in _watches(flows):
        fields.setdefault(each.sobject, {}).update(dict.fromkeys((*each.fields, *each.context)))
        wanted = dict.fromkeys((*each.if_there, *each.named, *_LIVES.get(each.sobject, ())))
        if_there.setdefault(each.sobject, {}).update(wanted)
        named.update(dict.fromkeys(f"{each.sobject}.{name}" for name in each.named))
        children.setdefault(each.sobject, {}).update(dict.fromkeys(each.children))
    known = desk.schemas.describe(fields)
    seen: set[str] = set()
    for sobject, names in if_there.items():
        # The org takes a name in any case, but each field only once.
        asked = {name.lower() for name in fields[sobject]}
        for name in names:
            if name.lower() not in asked and _is_there(known, sobject, name):
                asked.add(name.lower())
                fields[sobject][name] = None
        seen |= {f"{sobject}.{name}".lower() for name in asked}
    watches = [
        Watch(sobject, tuple(names), tuple(children[sobject])) for sobject, names in fields.items()
    ]
    return watches, [
        f"{name} is not in the org, or hidden from the user, and so never read; show it in a "
        "permission set, or mend the account's settings"
        for name in named
        if name.lower() not in seen
    ]


def _is_there(known: Mapping[str, SObjectSchema], sobject: str, name: str) -> bool:
    """Returns whether the org has a field and shows it, be it one that lookups lead to."""
    if sobject not in known:
        return False
    lookup, _, further = name.partition(".")
    if not further:
        return known[sobject].field(name) is not None
    return any(
        _is_there(known, target, further)
        for field in known[sobject].fields.values()
        if field.relationship == lookup
        for target in field.reference_to
    )


_MERGED = ("IsDeleted", "MasterRecordId")
_LIVES = {
    "Lead": (*_MERGED, "IsConverted", "ConvertedContactId", "Email"),
    "Contact": (*_MERGED, "Email"),
    "Account": _MERGED,
}

_NEVER_SPOKEN_OF = OrgValue()


def _notice(
    desk: Desk,
    flows: FlowsOn,
    records: Mapping[str, Sequence[Record]],
    positions: Mapping[str, OrgPosition],
) -> ReadBack:
    records = _without_removed(desk, records)
    every = [record for found in records.values() for record in found]
    ids = [record["Id"] for record in every]
    organization_id = desk.org.log_in().organization_id
    values = org_values(desk.ledger.connection, organization_id, ids)
    merged = {r["Id"]: r["MasterRecordId"] for r in every if r.get("MasterRecordId")}
    converted = {r["Id"]: r["ConvertedContactId"] for r in every if r.get("ConvertedContactId")}
    keys = held_keys(desk.ledger.connection, desk.ledger.account_id, ids)
    _follow(keys, merged, converted)
    held = {key for of_record in keys.values() for key in of_record}
    asked = asked_values(desk.ledger.connection, desk.ledger.account_id, held)
    if every and any(not watch.held_only for _, watch in _watches(flows)):
        lost = unanswered_creations(desk.ledger.connection, organization_id)
    else:
        lost = []
    known = desk.schemas.describe(records)
    swings = Swings(swings_of(desk.ledger.connection, organization_id, ids))
    noticed: dict[int, list[Noticed]] = {}
    news: dict[str, OrgValue] = {}
    for place, watch in _watches(flows):
        if not watch.fields:
            continue  # It is read for `take` alone, and nothing of it is news.
        schema = known.get(watch.sobject)
        types = {n: found.type for n in watch.fields if schema and (found := schema.field(n))}
        for record in records.get(watch.sobject, ()):
            stands_for: Sequence[str | None] = keys.get(record["Id"], ())
            if watch.held_only and not stands_for:
                continue
            value = values.get(record["Id"], _NEVER_SPOKEN_OF)
            said = value.written, value.told
            if value.told.get("IsDeleted") is True and record.get("IsDeleted") is False:
                # It was only hidden: its own stamp is older than what was told last.
                record["SystemModstamp"] = desk.org.log_in().org_time.isoformat()
            ours = () if stands_for or not lost else _ours(watch.sobject, record, lost)
            unsure = [*(each for key in stands_for for each in asked.get(key or "", ())), *ours]
            differing = changed(record, *said, watch.fields, types, asked=unsure)
            if differing or swings.before:
                differing = swings.without_swinging(watch.sobject, record, differing, value, types)
            if differing:
                noticed.setdefault(place, []).extend(
                    Noticed(watch.sobject, record, differing, key) for key in stands_for or (None,)
                )
            if differing or ours:
                before = news.get(record["Id"], OrgValue())
                written = {n: v for own in ours for n, v in own.items() if n in watch.fields}
                news[record["Id"]] = OrgValue(
                    {**before.written, **written}, {**before.told, **differing}
                )
    there = [
        record["Id"]
        for record in every
        if record.get("IsDeleted") is False and not record.get("IsConverted")
    ]
    return ReadBack(
        noticed,
        records,
        positions=positions,
        values=news,
        swings=swings.noted,
        merged=merged,
        converted=converted,
        there=there,
    )


def _without_removed(
    desk: Desk, records: Mapping[str, Sequence[Record]]
) -> Mapping[str, Sequence[Record]]:
    """Leaves out records that name somebody who is not to be processed.

    One of which only a lookup leads to such a person stays, without what that tells of them.
    """
    tombstones = tombstones_of(desk.ledger.connection, desk.account)
    if tombstones is None:
        return records
    return {
        sobject: [
            record
            for each in found
            if not _names(tombstones, record := _with_blank_lookups(tombstones, each))
        ]
        for sobject, found in records.items()
    }


def _blank_of_removed(
    desk: Desk, records: Mapping[str, Sequence[Record]]
) -> Mapping[str, Sequence[Record]]:
    """Leaves of such records only that they are there, with their Ids: somebody asked for them."""
    tombstones = tombstones_of(desk.ledger.connection, desk.account)
    if tombstones is None:
        return records
    return {
        sobject: [
            _blank(record) if _names(tombstones, record) else record
            for each in found
            for record in [_with_blank_lookups(tombstones, each)]
        ]
        for sobject, found in records.items()
    }


def _with_blank_lookups(tombstones: Tombstones, record: Record) -> Record:
    if not _names(tombstones, record):
        return record
    return {
        name: _blank(value) if isinstance(value, dict) and _names(tombstones, value) else value
        for name, value in record.items()
    }


def _names(tombstones: Tombstones, record: Record) -> bool:
    return tombstones.named_in(storable_json(record))


def _blank(record: Record) -> Record:
    return {
        name: _blank(value) if isinstance(value, dict) else value if _tells_nothing(value) else None
        for name, value in record.items()
    }


def _tells_nothing(value: object) -> bool:
    return isinstance(value, bool) or is_record_id(value)


def _follow(
    keys: dict[str, list[str]], merged: dict[str, str], converted: Mapping[str, str]
) -> None:
    """Hands the keys of losers of merges and of converted leads on to their successors.

    A loser stands for nothing any more; a chain of merges leads to its last winner.
    """
    for loser in list(merged):
        while (winner := merged[loser]) in merged and merged[winner] != loser:
            merged[loser] = merged[winner]
    moves = [(keys.pop(loser, []), winner) for loser, winner in merged.items()]
    moves += [(keys.get(lead, []), contact) for lead, contact in converted.items()]
    for of_former, successor in moves:
        if of_former:
            keys[successor] = [*dict.fromkeys([*keys.get(successor, []), *of_former])]


def _ours(
    sobject: str, record: Record, lost: Sequence[UnansweredCreation]
) -> Sequence[Mapping[str, Any]]:
    """The values of a lost creation that has made this record, or none.

    People are told by their address, other records by all that is read of what was asked.
    """
    for each in lost:
        shared = {n: v for n, v in each.values.items() if n in record and v is not None}
        if "Email" in shared and sobject in _LIVES:
            shared = {"Email": shared["Email"]}
        if each.sobject == sobject and shared and all(_same(record[n], shared[n]) for n in shared):
            return [each.values]
    return []


def _same(one: Any, other: Any) -> bool:
    return alike(one, other, "email" if isinstance(one, str) else "double")
