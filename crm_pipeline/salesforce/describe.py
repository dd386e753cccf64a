"""The shape of an org's objects as our user sees them, and making values fit it.

A describe lists only what the user may see: a field that is absent and one that is hidden by
field-level security look the same. The schema keeps of it what writing needs, small enough to
be cached.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import orjson

from crm_pipeline.salesforce.fields import FieldSchema, Operation, PicklistValue
from crm_pipeline.salesforce.postal_addresses import (
    PostalAddress,
    fit_postal_address,
    postal_addresses_of,
)
from crm_pipeline.salesforce.values import NO_FIT, PLAIN_TEXT, Why, convert, reader_of
from crm_pipeline.text import seen

_OPERATIONS: tuple[Operation, ...] = ("create", "update", "upsert")


class FieldChange(NamedTuple):
    """A value that the org would not take: as it was, and as it goes out (None: left out)."""

    field: str
    why: str
    old: Any
    new: Any


class Fitted(NamedTuple):
    """Fields that the org takes, and what had to be changed for that."""

    fields: dict[str, Any]
    changes: list[FieldChange]


RIGHTS: Mapping[str, str] = {
    "queryable": "Read",
    "createable": "Create",
    "updateable": "Edit",
    "deletable": "Delete",
}
"""The flags of a describe that say what the user may do, each with what people call it."""


@dataclass(frozen=True)
class SObjectSchema:
    """One object, as our user sees it.

    Attributes:
        name: API name.
        fields: by API name.
        rights: what the user may do with its records, as people call it.
        key_prefix: the first characters of its records' Ids; None: unknown.
    """

    name: str
    fields: Mapping[str, FieldSchema] = field(repr=False)
    rights: frozenset[str] = frozenset(RIGHTS.values())
    key_prefix: str | None = None

    @classmethod
    def from_describe(cls, describe: Mapping[str, Any]) -> "SObjectSchema":
        """Reads the answer of `sobjects/<name>/describe`."""
        fields = (_field_schema(described) for described in describe["fields"])
        rights = frozenset(words for flag, words in RIGHTS.items() if describe.get(flag, True))
        by_name = {schema.name: schema for schema in fields}
        return cls(describe["name"], by_name, rights, describe.get("keyPrefix"))

    def to_json(self) -> str:
        """The schema as compact JSON, for a cache."""
        return orjson.dumps(
            {
                "name": self.name,
                "fields": [_compact(schema) for schema in self.fields.values()],
                "rights": sorted(self.rights),
                "key_prefix": self.key_prefix,
            }
        ).decode()

    @classmethod
    def from_json(cls, cached: str | bytes | Mapping[str, Any]) -> "SObjectSchema":
        """Reads what `to_json` wrote, as text or parsed."""
        read = cached if isinstance(cached, Mapping) else orjson.loads(cached)
        fields = map(_from_compact, read["fields"])
        rights = frozenset(read.get("rights", RIGHTS.values()))
        by_name = {schema.name: schema for schema in fields}
        return cls(read["name"], by_name, rights, read.get("key_prefix"))

    def field(self, name: str) -> FieldSchema | None:
        """The field of this name, in whatever case, or None where the user sees none."""
        return self.fields.get(name) or self._by_lower_case_name.get(name.lower())

    def readable(self, names: Iterable[str]) -> list[str]:
        """Returns those of some fields that can be queried, spelled as the org does, each once.

        Where the org keeps states and countries as picklists, their codes come along, since
        `fit` writes these.
        """
        found = [schema.name for name in names if (schema := self.field(name))]
        for address in self._postal_addresses:
            if address.country in found:
                found.append(address.country_code)
            if address.state_code and address.state in found:
                found.append(address.state_code)
        return list(dict.fromkeys(found))

    def fit(self, fields: Mapping[str, Any], operation: Operation) -> Fitted:
        """Changes values until the org takes them; what cannot be changed is left out.

        Text is cut to the field's length, spelled as a restricted picklist does, or left out;
        so are fields that are absent, hidden or not to be written, and invalid emails. Where
        the org keeps states and countries as picklists, their codes are written. Blank text is
        left out without a word: it says nothing. None clears a field on an update.

        Args:
            fields: values by field name, in whatever case.
            operation: what is to be done with them.

        Returns:
            The fields to write, spelled as the org does, and each change of a value.
        """
        fitted: dict[str, Any] = {}
        changes: list[FieldChange] = []
        lengths, readers = self._short_texts[operation], self._readers[operation]
        for name, value in fields.items():
            if (
                type(value) is str
                and 0 < len(value) <= lengths.get(name, 0)
                and value.strip() == value
            ):
                fitted[name] = value
            elif name in readers and (read := readers[name](value)) is not None:
                fitted[name] = read
            else:
                self._fit_one(name, value, operation, fitted, changes)
        for address in self._postal_addresses:
            for name, why, old in fit_postal_address(
                address, fitted, state_alone=operation == "update"
            ):
                changes.append(FieldChange(name, why, old, None))
        return Fitted(fitted, changes)

    def _fit_one(
        self,
        name: str,
        value: Any,
        operation: Operation,
        fitted: dict[str, Any],
        changes: list[FieldChange],
    ) -> None:
        schema = self.field(name)
        if schema is None:
            changes.append(FieldChange(name, Why.ABSENT, value, None))
        elif not schema.writable(operation):
            changes.append(FieldChange(name, Why.READ_ONLY, value, None))
        elif value is None or (isinstance(value, str) and not seen(value)):
            if value is None and operation == "update" and schema.nillable:
                fitted[schema.name] = None
        else:
            new, why = convert(schema, value)
            if new is not NO_FIT:
                fitted[schema.name] = new
            if why is not None:
                shown = None if new is NO_FIT else new
                changes.append(FieldChange(schema.name, why, value, shown))

    def misfit(self, name: str, constant: str | None = None) -> Why | None:
        """Returns why the user can never write a field (or this constant, whole), or None."""
        found = self.field(name)
        if found is None:
            return Why.ABSENT
        if not (found.createable or found.updateable):
            return Why.READ_ONLY
        why = convert(found, constant)[1] if constant is not None else None
        return None if why is Why.SPELLING else why

    @cached_property
    def required(self) -> list[FieldSchema]:
        """The fields without which no record can be created."""
        return [schema for schema in self.fields.values() if schema.required]

    @cached_property
    def _by_lower_case_name(self) -> dict[str, FieldSchema]:
        return {name.lower(): schema for name, schema in self.fields.items()}

    @cached_property
    def _short_texts(self) -> dict[Operation, dict[str, int]]:
        """The length of a text that fits a field of any text without a doubt, by operation.

        That is half of the field's length: in UTF-16 it may be twice as long as in Python.
        """
        return {
            operation: {
                schema.name: schema.length // 2
                for schema in self.fields.values()
                if schema.type in PLAIN_TEXT
                and not schema.restricted
                and schema.writable(operation)
            }
            for operation in _OPERATIONS
        }

    @cached_property
    def _readers(self) -> dict[Operation, dict[str, Callable[[Any], Any]]]:
        """The readers of values for each field of another type that it may write, by operation."""
        return {
            operation: {
                schema.name: reader
                for schema in self.fields.values()
                if (reader := reader_of(schema)) and schema.writable(operation)
            }
            for operation in _OPERATIONS
        }

    @cached_property
    def _postal_addresses(self) -> list[PostalAddress]:
        return postal_addresses_of(self.fields)


def _field_schema(described: Mapping[str, Any]) -> FieldSchema:
    name = described["name"]
    restricted = bool(described.get("restrictedPicklist"))
    values: Iterable[Mapping[str, Any]] = ()
    if restricted or name.endswith(("CountryCode", "StateCode")):
        values = described.get("picklistValues") or ()
    return FieldSchema(
        name=name,
        type=described["type"],
        length=described.get("length") or 0,
        whole_digits=described.get("digits")
        or (described.get("precision") or 0) - (described.get("scale") or 0),
        createable=bool(described.get("createable")),
        updateable=bool(described.get("updateable")),
        nillable=bool(described.get("nillable")),
        defaulted=bool(described.get("defaultedOnCreate")),
        restricted=restricted,
        values=tuple(
            PicklistValue(
                value["value"],
                value.get("label") or value["value"],
                bool(value.get("active", True)),
                value.get("validFor"),
            )
            for value in values
        ),
        reference_to=tuple(described.get("referenceTo") or ()),
        relationship=described.get("relationshipName"),
        cascades=bool(described.get("cascadeDelete")),
        external_id=bool(described.get("externalId")),
        unique=bool(described.get("unique")),
        case_sensitive=bool(described.get("caseSensitive")),
    )


def _compact(schema: FieldSchema) -> dict[str, Any]:
    """The field without what is as usual."""
    usual = FieldSchema("", "")
    kept = {
        name: value
        for name in FieldSchema.__dataclass_fields__
        if (value := getattr(schema, name)) != getattr(usual, name)
    }
    return kept | {"values": [list(value) for value in schema.values]} if schema.values else kept


def _from_compact(kept: Mapping[str, Any]) -> FieldSchema:
    """The field again; what another version of the pipeline kept of it is passed over."""
    known = {name: kept[name] for name in FieldSchema.__dataclass_fields__ if name in kept}
    values = tuple(PicklistValue(*value) for value in kept.get("values", ()))
    reference_to = tuple(kept.get("reference_to", ()))
    return FieldSchema(**(known | {"values": values, "reference_to": reference_to}))
