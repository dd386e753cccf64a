"""What a field takes: a reader per field turns a value of JSON or CSV into what is stored.

Readers are closures that know their field, so that nothing is looked up per record. They raise
`RowFailure` for a value that Salesforce refuses for this record, and `NotDeserialized` for one
that it cannot even read (JSON: the whole request fails; CSV: the row).
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from crm_pipeline.local_org.errors import refuse
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.schema import Field
from crm_pipeline.local_org.store import Table

Reader = Callable[[Any], Any]

_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}"
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?")
_YEARS = range(1700, 4001)
_ELSEWHERE = {"Calendar": "023", "Group": "00G", "Profile": "00e"}
"""Objects that lookups lead to although the org does not hold them: any id of theirs will do."""
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


class NotDeserialized(Exception):  # noqa: N818 - the request is at fault, not the program
    """A value that is not of the field's type at all."""

    def __init__(self, field: Field, value: object) -> None:
        super().__init__(field.name)
        self.field = field
        self.value = value

    @property
    def json_message(self) -> str:
        """The words of JSON_PARSER_ERROR."""
        if isinstance(self.value, dict):
            token, shown = "START_OBJECT", "{"
        elif isinstance(self.value, list):
            token, shown = "START_ARRAY", "["
        elif isinstance(self.value, bool):
            token = "VALUE_TRUE" if self.value else "VALUE_FALSE"
            shown = str(self.value).lower()
        elif isinstance(self.value, int | float):
            token = "VALUE_NUMBER_INT" if isinstance(self.value, int) else "VALUE_NUMBER_FLOAT"
            shown = str(self.value)
        else:
            token, shown = "VALUE_STRING", str(self.value)
        return (
            f"Cannot deserialize instance of {self.field.type} from {token} value {shown} "
            "or request may be missing a required field at [line:1, column:1]"
        )


def stored_datetime(text: str) -> str | None:
    """Turns any datetime that Salesforce takes into the stored form, or None if it is none."""
    if not _DATETIME.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    if moment.year not in _YEARS:
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"


def stored_date(text: str) -> str | None:
    """Returns a date `YYYY-MM-DD` as it is, or None if it is none."""
    if not _DATE.fullmatch(text):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return text if day.year in _YEARS else None


def reader(field: Field, tables: Mapping[str, Table]) -> Reader:
    """Builds the reader of a field; `tables` (by lower-case name) are where lookups lead."""
    if field.is_reference:
        return _reference(field, tables)
    by_type: dict[str, Callable[[Field], Reader]] = {
        "boolean": _boolean,
        "date": partial(_moment, stored=stored_date),
        "datetime": partial(_moment, stored=stored_datetime),
        "multipicklist": _multipicklist,
        "id": _id,
        "address": _unreadable,
    }
    build = by_type.get(field.type, _number if field.is_number else _text)
    return build(field)


def _id(field: Field) -> Reader:
    """Only seeding writes ids."""

    def read(value: Any) -> str:
        found = long_id(value)
        if found is None:
            raise refuse("MALFORMED_ID", f"malformed id {value}", field.name)
        return found

    return read


def _unreadable(field: Field) -> Reader:
    def read(value: Any) -> Any:
        if value is not None:
            raise NotDeserialized(field, value)

    return read


def _text(field: Field) -> Reader:
    limit, label = field.length, field.label
    allowed = frozenset(field.picklist) if field.restricted else None
    is_email = field.type == "email"

    def read(value: Any) -> str | None:
        if value is None:
            return None
        if type(value) is not str:
            raise NotDeserialized(field, value)
        text = value.strip()
        if not text:
            return None
        if len(text) > limit:
            raise refuse(
                "STRING_TOO_LONG",
                f"{label}: data value too large: {text} (max length={limit})",
                field.name,
            )
        if is_email and not _EMAIL.fullmatch(text):
            raise refuse(
                "INVALID_EMAIL_ADDRESS", f"{label}: invalid email address: {text}", field.name
            )
        if allowed is not None and text not in allowed:
            raise _not_in_picklist(field, text)
        return text

    return read


def _not_in_picklist(field: Field, text: str) -> Exception:
    return refuse(
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        f"{field.label}: bad value for restricted picklist field: {text}",
        field.name,
    )


def _multipicklist(field: Field) -> Reader:
    allowed = frozenset(field.picklist) if field.restricted else None

    def read(value: Any) -> str | None:
        if value is None:
            return None
        if type(value) is not str:
            raise NotDeserialized(field, value)
        parts = [part.strip() for part in value.split(";") if part.strip()]
        for part in parts:
            if allowed is not None and part not in allowed:
                raise _not_in_picklist(field, part)
        return ";".join(dict.fromkeys(parts)) or None

    return read


def _boolean(field: Field) -> Reader:
    words = {"true": True, "1": True, "false": False, "0": False}

    def read(value: Any) -> bool:
        if type(value) is bool:
            return value
        if value is None or value == "":
            return False
        known = words.get(value.strip().lower()) if isinstance(value, str) else None
        if known is None:
            raise NotDeserialized(field, value)
        return known

    return read


def _number(field: Field) -> Reader:
    whole = field.type == "int"
    digits = field.digits if whole else field.describe["precision"] - field.scale
    bound = 10.0**digits if digits else 1e18

    def read(value: Any) -> float | int | None:
        if value is None or value == "":
            return None
        if type(value) is bool or not isinstance(value, int | float | str):
            raise NotDeserialized(field, value)
        if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
            raise NotDeserialized(field, value)
        number = float(value)
        if whole and not number.is_integer():
            raise NotDeserialized(field, value)
        if not abs(number) < bound:
            raise refuse(
                "NUMBER_OUTSIDE_VALID_RANGE",
                f"{field.label}: value outside of valid range on numeric field: {value}",
                field.name,
            )
        return int(number) if whole else number

    return read


def _moment(field: Field, stored: Callable[[str], str | None]) -> Reader:
    def read(value: Any) -> str | None:
        if value is None or value == "":
            return None
        moment = stored(value.strip()) if isinstance(value, str) else None
        if moment is None:
            raise NotDeserialized(field, value)
        return moment

    return read


def _reference(field: Field, tables: Mapping[str, Table]) -> Reader:
    targets = [tables[name.lower()] for name in field.reference_to if name.lower() in tables]
    by_prefix = {table.type.key_prefix: table for table in targets}
    elsewhere = {_ELSEWHERE.get(name) for name in field.reference_to}

    def read(value: Any) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise NotDeserialized(field, value)
        text = value.strip()
        if not text:
            return None
        found = long_id(text)
        table = by_prefix.get(text[:3])
        if found is None or (table is None and text[:3] not in elsewhere):
            raise refuse(
                "MALFORMED_ID", f"{field.label}: id value of incorrect type: {text}", field.name
            )
        if table is not None:
            row = table.rows.get(found)
            if row is None:
                raise refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
            if row["IsDeleted"]:
                raise refuse("ENTITY_IS_DELETED", "entity is deleted")
        return found

    return read
