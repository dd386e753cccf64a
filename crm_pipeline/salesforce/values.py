"""Single values: what a field of some type makes of them."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Any

from crm_pipeline.salesforce.emails import bare_address, email_key
from crm_pipeline.salesforce.fields import FieldSchema
from crm_pipeline.salesforce.limits import INT_RANGE, SALESFORCE_YEARS
from crm_pipeline.salesforce.soql import datetime_literal
from crm_pipeline.text import parts, salesforce_time, trimmed, utf16_length, written

_AS_RETURNED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", re.ASCII)
_SOME_DAY = re.compile(r"(?P<year>-?\d{4,})-\d\d-\d\d", re.ASCII)
_BEFORE_CHRIST = " BC"
"""At the end of a day or a time, as PostgreSQL writes it."""

_RECORD_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_SHORT_ID = 15
_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
"""A sign for each way in which five signs are capitals."""

_INT_64 = 2**63

PLAIN_TEXT = frozenset(
    ("string", "textarea", "phone", "url", "picklist", "combobox", "encryptedstring")
)
"""Types that take any text up to their length (a picklist: where it is not restricted)."""

NO_FIT = object()
"""In place of a value that the field cannot take in any form."""


class Why(StrEnum):
    """The reason why a value was changed or left out, as it is shown to people."""

    ABSENT = "not in the org, or hidden"
    READ_ONLY = "the field cannot be written"
    TOO_LONG = "too long for the field"
    TOO_LARGE = "a number too large for the field"
    SPELLING = "spelled as the picklist has it"
    NOT_IN_PICKLIST = "not in the restricted picklist"
    INVALID_EMAIL = "no valid email address"
    WRONG_TYPE = "not of the field's type"
    WRONG_YEAR = "Salesforce takes the years 1700 to 4000"
    UNKNOWN_COUNTRY = "not in the org's list of countries"
    UNKNOWN_STATE = "not in the org's list of states of that country"
    STATE_WITHOUT_COUNTRY = "a state needs a country"


Converted = tuple[Any, Why | None]


def convert(field: FieldSchema, value: Any) -> Converted:
    """A value as the field takes it.

    Args:
        field: where it goes.
        value: neither None nor blank.

    Returns:
        The value to write (or `NO_FIT`), and why it says something else than before (or None).
    """
    if field.type == "multipicklist":
        value = ";".join(parts(value if isinstance(value, list | tuple) else [value]))
        return _choices(field, value) if field.restricted else _text(field, value)
    reader = reader_of(field)
    if reader is None:
        return _text(field, written(value).strip())
    read = reader(value.strip() if isinstance(value, str) else value)
    if read is not None:
        return read, None
    if _is_too_large(field, value):
        return NO_FIT, Why.TOO_LARGE
    return NO_FIT, Why.WRONG_YEAR if _is_of_another_age(field, value) else Why.WRONG_TYPE


def reader_of(field: FieldSchema) -> Callable[[Any], Any] | None:
    """Returns what makes a value fit a field, and None of one that does not.

    Of a field that takes text there is none.
    """
    reader = READERS.get(field.type)
    if not field.whole_digits or reader not in (number, _whole_number):
        return reader
    most = _largest(field)

    def read(value: Any) -> Any:
        found = reader(value)
        return None if found is None or abs(found) > most else found

    return read


def _is_too_large(field: FieldSchema, value: Any) -> bool:
    if READERS.get(field.type) not in (number, _whole_number):
        return False
    read = number(value)
    return read is not None and abs(read) > _largest(field)


def _largest(field: FieldSchema) -> int:
    return 10**field.whole_digits - 1 if field.whole_digits else INT_RANGE[1]


def _text(field: FieldSchema, text: str) -> Converted:
    if field.restricted:
        return _choice(field, text)
    if field.type == "email":
        address = bare_address(text)
        usable = email_key(address) is not None and len(address) <= (field.length or len(address))
        return (address, None) if usable else (NO_FIT, Why.INVALID_EMAIL)
    if field.length and utf16_length(text) > field.length:
        return trimmed(text, field.length), Why.TOO_LONG
    return text, None


def _choice(field: FieldSchema, text: str) -> Converted:
    folded = text.casefold()
    near: str | None = None
    for choice in field.values:
        if not choice.active:
            continue
        if choice.value == text:
            return text, None
        if near is None and folded in (choice.value.casefold(), choice.label.casefold()):
            near = choice.value
    return (near, Why.SPELLING) if near is not None else (NO_FIT, Why.NOT_IN_PICKLIST)


def _choices(field: FieldSchema, text: str) -> Converted:
    """Several values of a picklist, between semicolons; those that are not in it go."""
    results = [_choice(field, part.strip()) for part in text.split(";") if part.strip()]
    kept = ";".join(new for new, _ in results if new is not NO_FIT)
    reasons = {why for _, why in results}
    if not kept:
        return NO_FIT, Why.NOT_IN_PICKLIST
    if Why.NOT_IN_PICKLIST in reasons:
        return kept, Why.NOT_IN_PICKLIST
    return kept, Why.SPELLING if Why.SPELLING in reasons else None


def _whole_number(value: Any) -> int | None:
    read = number(value)
    if read is None or not float(read).is_integer() or not INT_RANGE[0] <= read <= INT_RANGE[1]:
        return None
    return int(read)


def number(value: Any) -> float | int | None:
    """A number that JSON holds: whole ones exactly as long as 64 bits do; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    if isinstance(value, str) and "_" in value:
        return None  # a number for Python alone
    try:
        if isinstance(value, int) or (isinstance(value, str) and value.lstrip("+-").isdecimal()):
            whole = int(value)
            return whole if abs(whole) < _INT_64 else float(whole)
        read = float(value)
    except (ValueError, OverflowError):
        return None
    return read if math.isfinite(read) else None


_TRUTH = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
}
"""Texts that PostgreSQL takes for a truth value."""


def _boolean(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return _TRUTH.get(written(value).casefold())


def _date(value: Any) -> str | None:
    if isinstance(value, datetime):
        value = salesforce_time(value) if value.tzinfo else None
    text = str(value)
    if text.endswith(_BEFORE_CHRIST):
        return None
    try:
        day = value if isinstance(value, date) else date.fromisoformat(text[:10])
    except ValueError:
        return None
    return day.isoformat() if _in_range(day) else None


def _datetime(value: Any) -> str | None:
    """Returns a time as Salesforce does, so that what is there already is seen to be the same."""
    if not isinstance(value, datetime):
        text = str(value)
        try:
            value = datetime.fromisoformat(text)
        except ValueError:
            return None
        if _AS_RETURNED.fullmatch(text) and _in_range(value):
            return text
    if not value.tzinfo or not _in_range(value):
        return None
    return f"{datetime_literal(value).removesuffix('Z')}+0000"


def _is_of_another_age(field: FieldSchema, value: Any) -> bool:
    """Returns whether a value is a day, or a time, of a year that Salesforce does not take."""
    if field.type not in {"date", "datetime"}:
        return False
    if isinstance(value, date):
        return not _in_range(value)
    text = str(value)
    found = _SOME_DAY.match(text)
    if found is None:
        return text.lstrip("-").casefold() == "infinity"
    first, last = SALESFORCE_YEARS
    return text.endswith(_BEFORE_CHRIST) or not first <= int(found["year"]) <= last


def _in_range(day: date) -> bool:
    return SALESFORCE_YEARS[0] <= day.year <= SALESFORCE_YEARS[1]


def _time(value: Any) -> str | None:
    """A time of day, of no zone, as Salesforce returns it."""
    try:
        read = value if isinstance(value, time) else time.fromisoformat(str(value))
    except ValueError:
        return None
    return None if read.tzinfo else f"{read.isoformat('milliseconds')}Z"


def is_record_id(value: Any) -> bool:
    """Returns whether a value looks like the Id of a record, in one of its two lengths."""
    return isinstance(value, str) and _RECORD_ID.fullmatch(value) is not None


def long_id(record_id: str) -> str:
    """Returns an Id in its form of 18 characters, which tells capitals without regard to case."""
    if len(record_id) != _SHORT_ID:
        return record_id
    signs = "".join(
        _CAPITALS[sum(each.isupper() << place for place, each in enumerate(record_id[at : at + 5]))]
        for at in range(0, _SHORT_ID, 5)
    )
    return record_id + signs


def _record_id(value: Any) -> str | None:
    return value if is_record_id(value) else None


READERS: Mapping[str, Callable[[Any], Any]] = {
    "int": _whole_number,
    "double": number,
    "currency": number,
    "percent": number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "time": _time,
    "reference": _record_id,
}
"""By type of field, what makes a value fit it; it gives None for one that does not."""
