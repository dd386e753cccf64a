"""Comparison of a value of an org with ours, after what Salesforce does to it.

A field has changed when it differs from what the source knows of it: what it was told last, or
what we wrote there since, as the source wanted. The last modifier does not matter: what a trigger
makes of our value is a change, and an edit a second after ours is one as well.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

_IDS = frozenset(("id", "reference"))
_TIMES = frozenset(("datetime",))
_NUMBERS = frozenset(("double", "currency", "percent", "int"))


def changed(
    read: Mapping[str, Any],
    written: Mapping[str, Any],
    told: Mapping[str, Any],
    watched: Collection[str],
    types: Mapping[str, str],
    *,
    asked: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The watched fields that differ from what the source knows.

    Args:
        read: the record as the org has it.
        written: by any account of ours.
        told: to the source; of a field that was written since, nothing.
        watched: names of fields.
        types: of these fields, as describes name them.
        asked: values that may have been written, since an answer is missing: no change either.

    Returns:
        These fields with their values in the org.
    """
    differing = {}
    for field in watched:
        value, field_type = read.get(field), types.get(field, "string")
        if alike(value, known(field, written, told), field_type):
            continue
        if not any(alike(value, each[field], field_type) for each in asked if field in each):
            differing[field] = value
    return differing


def known(field: str, written: Mapping[str, Any], told: Mapping[str, Any]) -> Any:
    """Returns the value of a field that the source knows; None of one that was never spoken of."""
    return told[field] if field in told else written.get(field)


def alike(one: Any, other: Any, field_type: str) -> bool:
    """Returns whether Salesforce takes two values of a field for the same.

    Text is compared without outer blanks and empty text is null; an email in any case; Ids by
    their 15 characters; times to the second; numbers by value.
    """
    return bool(_normal(one, field_type) == _normal(other, field_type))


def digest(value: Any, field_type: str) -> int:
    """Returns a number that stands for a value: the same for values that are `alike`."""
    normal = _normal(value, field_type)
    if isinstance(normal, int) and not isinstance(normal, bool):
        normal = float(normal)
    hashed = blake2b(repr(normal).encode(), digest_size=8)
    return int.from_bytes(hashed.digest(), "big", signed=True)


def _normal(value: Any, field_type: str) -> Any:
    if value is None or value is True or value is False:
        return False if value is None and field_type == "boolean" else value
    if isinstance(value, str):
        value = value.strip()
        if field_type in _IDS:
            value = value[:15]
        elif field_type == "email":
            value = value.lower()
        elif field_type in _TIMES and value:
            value = datetime.fromisoformat(value)
        elif field_type in _NUMBERS and value:
            value = float(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(microsecond=0)
    if value == "":
        return False if field_type == "boolean" else None
    return value
