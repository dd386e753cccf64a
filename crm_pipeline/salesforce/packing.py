"""Packing writes into as few sObject collections as they fit. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import orjson

from crm_pipeline.salesforce.limits import (
    COLLECTION_RECORDS,
    COLLECTION_RUNS,
    COMPOSITE_QUERIES_OR_COLLECTIONS,
)
from crm_pipeline.salesforce.outcomes import Action, Write

REFERENCE = b"@{"
"""In a composite's body this refers to another subrequest; there is no way to escape it."""

_METHODS: dict[Action, str] = {
    "create": "POST",
    "upsert": "PATCH",
    "update": "PATCH",
    "delete": "DELETE",
}
_ORDER = tuple(_METHODS)


class Collection(NamedTuple):
    """Up to 200 writes of one kind as one request; `body` is None for deletes."""

    action: Action
    method: str
    path: str
    body: bytes | None
    writes: Sequence[Write]


def waves_of(writes: Iterable[Write]) -> list[list[Write]]:
    """Writes in waves, none of which has a record twice: one wave, as a rule.

    Salesforce refuses a record that comes twice in one collection. The second write to a
    record waits for the next wave, so that it is also the later one.
    """
    waves: list[list[Write]] = [[]]
    seen: dict[tuple[str, str], int] = {}
    for write in writes:
        record = _record_of(write)
        wave = seen.get(record, 0) if record else 0
        if record:
            seen[record] = wave + 1
        if wave == len(waves):
            waves.append([])
        waves[wave].append(write)
    return waves


def by_parents(wave: Sequence[Write]) -> Iterator[Sequence[Write]]:
    """Writes in parts that fit a call each, where parents have rows of several sorts.

    All rows of one parent travel in one call then: two calls at once would lock each other out.
    Other writes are one part, whatever their number.
    """
    sort_of: dict[str, tuple[Action, str]] = {}
    for each in wave:
        sort = each.action, each.sobject
        if each.group_key and sort_of.setdefault(each.group_key, sort) != sort:
            break
    else:
        yield wave
        return
    part: list[Write] = []
    numbers: Counter[tuple[Action, str]] = Counter()
    ordered = sorted(wave, key=_parent)
    for _, of_parent in groupby(ordered, key=_parent):
        more = list(of_parent)
        further = Counter(map(_target, more))
        if part and _number_of_collections(numbers + further) > COMPOSITE_QUERIES_OR_COLLECTIONS:
            yield part
            part, numbers = [], Counter()
        part += more
        numbers += further
    yield part


def _parent(write: Write) -> str:
    return write.group_key or ""


def _number_of_collections(records: Mapping[tuple[Action, str], int]) -> int:
    return sum(-(-number // COLLECTION_RECORDS) for number in records.values())


def collections_of(wave: Iterable[Write]) -> Iterator[Collection]:
    """The collections of a wave, each built when it is asked for.

    Creates, updates and deletes may mix sObjects in a collection, in up to ten runs; an upsert
    has one. Writes with the same parent come one after another, in their order, so that no two
    requests lock it at once.
    """
    ordered = sorted(wave, key=_place)
    for (action, target), alike in groupby(ordered, key=_target):
        for writes in _chunks(alike):
            yield _collection(action, target, writes)


def _record_of(write: Write) -> tuple[str, str] | None:
    """Returns what identifies the record, for a write to one that is there."""
    if write.action == "create":
        return None
    if write.action == "upsert":
        value = write.fields.get(write.external_id_field or "")
        return write.sobject, str(value).casefold()
    return "", (write.salesforce_id or "")[:15]


def _target(write: Write) -> tuple[Action, str]:
    """Writes with the same target may share a collection."""
    if write.action == "upsert":
        return write.action, f"/{write.sobject}/{write.external_id_field}"
    return write.action, ""


def _place(write: Write) -> tuple[int, int, str, str, str]:
    action, target = _target(write)
    rank = write.rank if action == "upsert" else 0
    return _ORDER.index(action), rank, target, write.sobject, write.group_key or ""


def _chunks(writes: Iterable[Write]) -> Iterator[list[Write]]:
    chunk: list[Write] = []
    runs = 0
    for write in writes:
        new_run = not chunk or chunk[-1].sobject != write.sobject
        if len(chunk) == COLLECTION_RECORDS or (new_run and runs == COLLECTION_RUNS):
            yield chunk
            chunk, runs, new_run = [], 0, True
        chunk.append(write)
        runs += new_run
    if chunk:
        yield chunk


def _collection(action: Action, target: str, writes: Sequence[Write]) -> Collection:
    method = _METHODS[action]
    if action == "delete":
        ids = ",".join(str(write.salesforce_id) for write in writes)
        return Collection(
            action, method, f"composite/sobjects?ids={ids}&allOrNone=false", None, writes
        )
    attributes = {write.sobject: {"type": write.sobject} for write in writes}
    records: list[dict[str, Any]]
    if action == "update":
        records = [
            {"attributes": attributes[write.sobject], "id": write.salesforce_id, **write.fields}
            for write in writes
        ]
    else:
        records = [{"attributes": attributes[write.sobject], **write.fields} for write in writes]
    body = orjson.dumps({"allOrNone": False, "records": records})
    return Collection(action, method, f"composite/sobjects{target}", body, writes)
