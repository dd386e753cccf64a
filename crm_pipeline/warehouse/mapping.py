"""What the warehouse's columns become: Salesforce's values, and who must not reach an org."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine

from crm_pipeline.accounts.filters import matches
from crm_pipeline.accounts.store import FieldMapping
from crm_pipeline.salesforce.emails import bare_address, email_key
from crm_pipeline.warehouse.participations import ExtractError, Participation, columns


@dataclass(frozen=True, slots=True)
class FieldMap:
    """What each field of one sObject gets: the value of a column, or a constant."""

    columns: Mapping[str, str]
    constants: Mapping[str, str]

    def apply(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        """The fields that have something to say; what is empty is left out, never blanked."""
        fields = {}
        for field, column in self.columns.items():
            value = columns.get(column)
            if value is not None and (value := salesforce_value(value)) is not None:
                fields[field] = value
        fields.update(self.constants)
        return fields


def check_columns(warehouse: Engine, overrides: Sequence[FieldMapping]) -> None:
    """Refuses a mapping of a column that no extract has: it would send nothing, silently.

    Raises:
        ExtractError: it names the field and the column.
    """
    sources = {each.source: each for each in overrides if each.source is not None}
    unknown = sources.keys() - columns(warehouse) if sources else ()
    for source in sorted(unknown):
        field = f"{sources[source].sobject}.{sources[source].field}"
        raise ExtractError(
            f"The mapping fills {field} from {source!r}, a column that sql/extract/ does not give; "
            f"add it there, or mend {field} with `crm-pipeline account mapping`"
        )


def rejection(participation: Participation, filter_strings: Sequence[str]) -> str | None:
    """Why this is not to reach Salesforce, or None (spec 1, step 8).

    No address that could name a person, or an address that the client filters out.
    """
    email = participation.columns["email"]
    if email_key(email) is None:
        return "invalid email" if bare_address(email or "") else "no email"
    if matches(email, filter_strings) is not None:
        return "filtered"
    return None


def salesforce_value(value: Any) -> Any:
    """A value as Salesforce's JSON takes it: text without outer blanks, times in UTC.

    None stands for what has nothing to say: null, and text that is blank.
    """
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC).isoformat()[:19]}.000+0000"
    if isinstance(value, Decimal):
        return float(value)
    return value
