"""External ids and id lookups: which records a value of theirs names."""

from collections.abc import Mapping
from typing import Any

from crm_pipeline.local_org.errors import SalesforceError, refuse
from crm_pipeline.local_org.schema import Field
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table


def value_of(fields: Mapping[str, Any], name: str) -> Any:
    """The value that a record carries for a field, whatever the case of its key, or None."""
    if name in fields:
        return fields[name]
    size, lowered = len(name), name.lower()
    return next(
        (fields[key] for key in fields if len(key) == size and key.lower() == lowered), None
    )


def upsert_field(org: Org, table: Table, name: str) -> Field:
    """The field to upsert by. Raises NOT_FOUND (404) unless it is an external id or id lookup."""
    found = org.visible(table.type, name)
    if found is None or not (found.external_id or found.id_lookup):
        raise no_external_id(name)
    return found


def no_external_id(name: str) -> SalesforceError:
    """The answer to a path that names neither a record nor a field to find one by."""
    message = f"Provided external ID field does not exist or is not accessible: {name}"
    return SalesforceError(404, "NOT_FOUND", message)


def matches(table: Table, external_field: Field, value: Any) -> list[str]:
    """Ids of the records, not deleted, that hold this external id."""
    if value is None or value == "":
        return []
    if isinstance(value, str):
        value = value.strip()
    elif external_field.is_text:
        value = str(value)
    if external_field.is_number and isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return []
    name = external_field.name
    found = [each for each in table.lookup(name, value) if table.live(each)]
    if external_field.is_text and not ignores_case(external_field):
        return [each for each in found if table.rows[each][name] == value]
    return found


def ignores_case(external_field: Field) -> bool:
    """Salesforce: upsert() matches external ids by their case unless they are unique without it.

    Id lookups that are no external ids, such as Email, match whatever their case.
    """
    of = external_field
    return not of.external_id or (of.unique and not of.case_sensitive)


def only_match(table: Table, external_field: Field, value: Any, blamed: str) -> str | None:
    """The id of the one record that holds this external id, or None.

    Raises DUPLICATE_EXTERNAL_ID, as a row's failure that names the field `blamed`.
    """
    found = matches(table, external_field, value)
    if len(found) > 1:
        raise refuse(
            "DUPLICATE_EXTERNAL_ID",
            f"{external_field.name}: more than one record found for external id field: "
            f"[{', '.join(found)}]",
            blamed,
        )
    return found[0] if found else None


def parent_by_external_id(
    org: Org, lookup: Field, given_type: str, name: str, value: Any, *, sees_all: bool
) -> str | None:
    """The id of the parent that a lookup leads to, of a polymorphic one of the given type.

    A field that is hidden from the users of the API names it too if the writer `sees_all`.
    Raises a row's failure: INVALID_FIELD, or what the org's file says, if there is none;
    INVALID_FIELD if `name` is no external id.
    """
    if value is None or value == "":
        return None
    candidates = [given_type] if given_type else list(lookup.reference_to)
    for candidate in candidates:
        table = org.tables.get(candidate.lower())
        if table is None:
            continue
        field_ = table.type.find(name) if sees_all else org.visible(table.type, name)
        if field_ is None:
            continue
        if not (field_.external_id or field_.id_lookup):
            raise refuse(
                "INVALID_FIELD",
                f"{name} is not an External ID or indexed field for {table.type.name}",
            )
        if found := only_match(table, field_, value, lookup.name):
            return found
    raise refuse(
        org.config.missing_parent_error,
        f"Foreign key external ID: {value} not found for field {name} in entity {candidates[0]}",
        lookup.name,
    )
