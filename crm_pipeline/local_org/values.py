"""Values of fields: a reader per field turns a value of JSON or CSV into what is stored.

Readers are closures that know their field, so that nothing is looked up per record. They raise
`RowFailure` for a value that Salesforce refuses for this record, and `NotDeserialized` for one
that it cannot even read (JSON: the whole request fails; CSV: the row).
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, NoReturn

from crm_pipeline.exceptions import PicklableError
from crm_pipeline.local_org.errors import refuse
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.schema import Field, Row
from crm_pipeline.local_org.tables import Table

ValueReader = Callable[[Any], Any]

_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}"
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?")
_YEARS = range(1700, 4001)
_ELSEWHERE = {
    "Calendar": "023", "DandBCompany": "06E", "Individual": "0PK", "OperatingHours": "0OH",
    "Pricebook2": "01s", "Profile": "00e",
}  # fmt: skip
"""Objects that lookups lead to although the org does not hold them: any id of theirs will do."""
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


class NotDeserialized(PicklableError):  # noqa: N818 - the request is at fault, not the program
    """A value that is not of the field's type at all."""

    def __init__(self, field: Field, value: object) -> None:
        super().__init__(field.name)
        self.field = field
        self.value = value

    @property
    def json_message(self) -> str:
        """The words of JSON_PARSER_ERROR."""
        match self.value:
            case dict():
                token, shown = "START_OBJECT", "{"
            case list():
                token, shown = "START_ARRAY", "["
            case bool():
                shown = str(self.value).lower()
                token = f"VALUE_{shown.upper()}"
            case int() | float():
                kind = "INT" if isinstance(self.value, int) else "FLOAT"
                token, shown = f"VALUE_NUMBER_{kind}", str(self.value)
            case _:
                token, shown = "VALUE_STRING", str(self.value)
        return (
            f"Cannot deserialize instance of {self.field.type} from {token} value {shown} "
            "or request may be missing a required field at [line:1, column:1]"
        )


def existing(table: Table, record_id: str) -> Row:
    """The row with this id (of 18 characters). Raises `RowFailure` if it is gone or was never."""
    row = table.rows.get(record_id)
    if row is None:
        raise refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    if row["IsDeleted"]:
        raise refuse("ENTITY_IS_DELETED", "entity is deleted")
    return row


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
    return f"{moment.isoformat()[:19]}.{moment.microsecond // 1000:03d}+0000"


def stored_date(text: str) -> str | None:
    """Returns a date `YYYY-MM-DD` as it is, or None if it is none."""
    if not _DATE.fullmatch(text):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return text if day.year in _YEARS else None


def reader(field: Field, tables: Mapping[str, Table]) -> ValueReader:
    """Builds the reader of a field; `tables` (by lower-case name) are where lookups lead."""
    if field.type == "boolean":
        return _boolean(field)
    if field.type == "address":
        return _or_null(_address(field))
    if field.type == "date":
        return _or_null(_moment(field, stored_date))
    if field.type == "datetime":
        return _or_null(_moment(field, stored_datetime))
    if field.is_id:
        return _or_null(_reference(field, tables))
    return _or_null(_number(field)) if field.is_number else _text(field)


def _or_null(read_value: ValueReader) -> ValueReader:
    """A reader to which an empty text, as everywhere in Salesforce, is null."""

    def read(value: Any) -> Any:
        blank = value is None or (type(value) is str and not value.strip())
        return None if blank else read_value(value)

    return read


def _address(field: Field) -> ValueReader:
    def read(value: Any) -> NoReturn:
        raise NotDeserialized(field, value)

    return read


def _text(field: Field) -> ValueReader:
    limit, label, name = field.length, field.label, field.name
    allowed = frozenset(field.picklist) if field.restricted_picklist else None
    is_email, is_several = field.type == "email", field.type == "multipicklist"

    def read(value: Any) -> str | None:
        if value is None:
            return None
        if type(value) is not str:
            raise NotDeserialized(field, value)
        text = value.strip()
        if not text:
            return None
        if len(text) > limit or (not text.isascii() and _utf16_length(text) > limit):
            message = f"{label}: data value too large: {text} (max length={limit})"
            raise refuse("STRING_TOO_LONG", message, name)
        if is_email and not _EMAIL.fullmatch(text):
            raise refuse("INVALID_EMAIL_ADDRESS", f"{label}: invalid email address: {text}", name)
        if allowed is None and not is_several:
            return text
        parts = [part.strip() for part in text.split(";")] if is_several else [text]
        for part in parts:
            if allowed is not None and part and part not in allowed:
                message = f"{label}: bad value for restricted picklist field: {part}"
                raise refuse("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, name)
        return ";".join(dict.fromkeys(filter(None, parts))) or None

    return read


def _utf16_length(text: str) -> int:
    """Salesforce is a Java program: a character beyond the first 65,536 counts as two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _boolean(field: Field) -> ValueReader:
    words = {"true": True, "1": True, "false": False, "0": False, "": False}

    def read(value: Any) -> bool:
        if type(value) is bool:
            return value
        known = words.get(value.strip().lower()) if isinstance(value, str) else None
        if known is None and value is not None:
            raise NotDeserialized(field, value)
        return bool(known)

    return read


def _number(field: Field) -> ValueReader:
    whole = field.type == "int"
    digits = field.digits if whole else field.precision - field.scale
    bound = 10.0**digits if digits else 1e18

    def read(value: Any) -> float | int:
        if type(value) is bool or not isinstance(value, int | float | str):
            raise NotDeserialized(field, value)
        if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
            raise NotDeserialized(field, value)
        number = float(value)
        if whole and not number.is_integer():
            raise NotDeserialized(field, value)
        if not abs(number) < bound:
            message = f"{field.label}: value outside of valid range on numeric field: {value}"
            raise refuse("NUMBER_OUTSIDE_VALID_RANGE", message, field.name)
        return int(number) if whole else number

    return read


def _moment(field: Field, stored: Callable[[str], str | None]) -> ValueReader:
    def read(value: Any) -> str:
        moment = stored(value.strip()) if isinstance(value, str) else None
        if moment is None:
            raise NotDeserialized(field, value)
        return moment

    return read


def _reference(field: Field, tables: Mapping[str, Table]) -> ValueReader:
    targets = [tables[name.lower()] for name in field.reference_to if name.lower() in tables]
    by_prefix = {table.type.key_prefix: table for table in targets}
    elsewhere = {_ELSEWHERE.get(name) for name in field.reference_to}
    is_own_id = field.type == "id"

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise NotDeserialized(field, value)
        text = value.strip()
        found, prefix = long_id(text), text[:3]
        table = by_prefix.get(prefix)
        if found is None or not (table or is_own_id or prefix in elsewhere):
            message = f"{field.label}: id value of incorrect type: {text}"
            raise refuse("MALFORMED_ID", message, field.name)
        if table is not None:
            existing(table, found)
        return found

    return read
