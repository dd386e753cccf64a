"""Single values: what a field of some type makes of them."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from crm_pipeline.salesforce.emails import bare_address, email_key
from crm_pipeline.salesforce.soql import datetime_literal

if TYPE_CHECKING:
    from crm_pipeline.salesforce.describe import FieldSchema

_AS_RETURNED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", re.ASCII)
_RECORD_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")

PLAIN_TEXT = frozenset(
    ("string", "textarea", "phone", "url", "picklist", "combobox", "encryptedstring")
)
"""Types that take any text up to their length (a picklist: where it is not restricted)."""

NO_FIT = object()
"""In place of a value that the field cannot take in any form."""


class Why(StrEnum):
    """Why a value was changed or left out, as it is shown to people."""

    ABSENT = "the org has no such field, or hides it from our user"
    READ_ONLY = "the field cannot be written"
    TOO_LONG = "too long for the field"
    SPELLING = "spelled as the picklist has it"
    NOT_IN_PICKLIST = "not in the restricted picklist"
    INVALID_EMAIL = "no valid email address"
    WRONG_TYPE = "not of the field's type"
    UNKNOWN_COUNTRY = "not in the org's list of countries"
    UNKNOWN_STATE = "not in the org's list of states of that country"
    STATE_WITHOUT_COUNTRY = "a state needs a country"


Converted = tuple[Any, Why | None]


def convert(field: "FieldSchema", value: Any) -> Converted:
    """A value as the field takes it.

    Args:
        field: where it goes.
        value: neither None nor blank.

    Returns:
        The value to write (or `NO_FIT`), and why it says something else than before (or None).
    """
    if field.type in PLAIN_TEXT or field.type in {"email", "multipicklist"}:
        return _text(field, str(value).strip())
    reader = READERS.get(field.type)
    if reader is None:
        return value, None
    read = reader(value.strip() if isinstance(value, str) else value)
    return (NO_FIT, Why.WRONG_TYPE) if read is None else (read, None)


def _text(field: "FieldSchema", text: str) -> Converted:
    if field.type == "multipicklist" and field.restricted:
        return _choices(field, text)
    if field.restricted:
        return _choice(field, text)
    if field.type == "email":
        address = bare_address(text)
        usable = email_key(address) is not None and len(address) <= (field.length or len(address))
        return (address, None) if usable else (NO_FIT, Why.INVALID_EMAIL)
    if field.length and len(text) > field.length:
        return text[: field.length].rstrip(), Why.TOO_LONG
    return text, None


def _choice(field: "FieldSchema", text: str) -> Converted:
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


def _choices(field: "FieldSchema", text: str) -> Converted:
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
    number = _number(value)
    return int(number) if number is not None and float(number).is_integer() else None


def _number(value: Any) -> float | int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if not isinstance(value, str | float | Decimal):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _boolean(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    return known.get(str(value).casefold())


def _date(value: Any) -> str | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC).date().isoformat() if value.tzinfo else None
    if isinstance(value, date):
        return value.isoformat()
    try:
        return date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError:
        return None


def _datetime(value: Any) -> str | None:
    """As Salesforce returns it, so that what is there already is seen to be the same."""
    if not isinstance(value, datetime):
        text = str(value)
        try:
            value = datetime.fromisoformat(text)
        except ValueError:
            return None
        if _AS_RETURNED.fullmatch(text):
            return text
    return f"{datetime_literal(value).removesuffix('Z')}+0000" if value.tzinfo else None


def _record_id(value: Any) -> str | None:
    return value if isinstance(value, str) and _RECORD_ID.fullmatch(value) else None


READERS: Mapping[str, Callable[[Any], Any]] = {
    "int": _whole_number,
    "double": _number,
    "currency": _number,
    "percent": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "reference": _record_id,
}
"""By type of field, what makes a value fit it; it gives None for one that does not."""
