"""Comparison of a value of an org with ours, after what Salesforce does to it.

A field has changed when it differs both from what was written there last and from what was told
of it last. The last modifier does not matter: what a trigger makes of our value is a change, and
an edit a second after ours is one as well.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
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
    """The watched fields that differ from what was written last and from what was told last.

    Args:
        read: the record as the org has it.
        written: by any account of ours.
        told: to the source.
        watched: names of fields.
        types: of these fields, as describes name them.
        asked: values that may have been written, since an answer is missing: no change either.

    Returns:
        These fields with their values in the org.
    """
    return {
        field: read.get(field)
        for field in watched
        if not any(
            alike(read.get(field), value, types.get(field, "string"))
            for value in [
                *_known(field, written, told),
                *(each[field] for each in asked if field in each),
            ]
        )
    }


def _known(field: str, written: Mapping[str, Any], told: Mapping[str, Any]) -> list[Any]:
    """Returns the values written and told of a field; empty is the value of one never spoken of."""
    return [said[field] for said in (written, told) if field in said] or [None]


def alike(one: Any, other: Any, field_type: str) -> bool:
    """Returns whether Salesforce takes two values of a field for the same.

    Text is compared without outer blanks and empty text is null; an email in any case; Ids by
    their 15 characters; times to the second; numbers by value.
    """
    return bool(_normal(one, field_type) == _normal(other, field_type))


def _normal(value: Any, field_type: str) -> Any:
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
    if value in ("", None):
        return False if field_type == "boolean" else None
    return value
