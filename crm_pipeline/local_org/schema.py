"""Objects and fields: what describe says of them, and what follows from it.

The bundled objects lie in `objects/*.json`, condensed from the describes of real orgs: each
field lists only what differs from `describe_defaults.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

_HERE = Path(__file__).parent
_IDS = frozenset({"id", "reference"})
_NUMBERS = frozenset({"double", "currency", "percent", "int"})
_TEXTS = frozenset(
    {"string", "textarea", "email", "phone", "url", "picklist", "multipicklist", "combobox"}
)

Row = dict[str, Any]
"""One record: API name to stored value; a field without a value has no key or None."""


class Field(BaseModel):
    """One field; `describe` is its entry in the object's describe, `given` what it was made of."""

    model_config = ConfigDict(alias_generator=to_camel)

    given: Mapping[str, Any]
    describe: dict[str, Any]
    name: str
    label: str
    type: str
    custom: bool
    length: int
    precision: int
    scale: int
    digits: int
    nillable: bool
    createable: bool
    updateable: bool
    defaulted_on_create: bool
    default_value: Any
    picklist: tuple[str, ...]
    restricted_picklist: bool
    reference_to: tuple[str, ...]
    relationship_name: str | None
    external_id: bool
    id_lookup: bool
    unique: bool
    case_sensitive: bool
    filterable: bool
    sortable: bool
    groupable: bool
    aggregatable: bool
    compound_field_name: str | None
    name_field: bool
    child_relationship_name: str | None
    child_cascade_delete: bool
    restricted_delete: bool
    """True if a parent stays as long as this lookup leads to it."""
    relationship_order: int | None

    @property
    def is_number(self) -> bool:
        """True if values are int or float."""
        return self.type in _NUMBERS

    @property
    def is_text(self) -> bool:
        """True if values are texts that are compared without case."""
        return self.type in _TEXTS

    @property
    def is_reference(self) -> bool:
        """True if values are ids of other records."""
        return self.type == "reference"

    @property
    def is_master_detail(self) -> bool:
        """True if the record is a detail of the one that this field leads to."""
        return self.relationship_order is not None

    @property
    def is_id(self) -> bool:
        """True if values are ids, its own or those of other records."""
        return self.type in _IDS

    @property
    def is_polymorphic(self) -> bool:
        """True if SOQL sees the parent as a `Name` (Who, What, Owner of a lead)."""
        return len(self.reference_to) > 1

    def folded(self, value: Any) -> Any:
        """A value as it is compared: texts without their case, unless the field minds it."""
        return value.lower() if isinstance(value, str) and not self.case_sensitive else value

    @property
    def required(self) -> bool:
        """Salesforce: not nillable, not defaulted on create, and createable."""
        return not self.nillable and not self.defaulted_on_create and self.createable


@dataclass(slots=True, eq=False)
class SObjectType:
    """One object. Field, relationship and child relationship names are looked up in any case."""

    name: str
    label: str
    label_plural: str
    key_prefix: str
    describe: dict[str, Any]
    fields: dict[str, Field]
    relationships: dict[str, Field] = field(default_factory=dict)
    children: list[tuple[SObjectType, Field]] = field(default_factory=list)
    """The objects whose records point at records of this one, with the lookup that does."""
    coded_addresses: tuple[str, ...] = ()
    """Prefixes of the addresses with state and country codes (`Mailing`), if there are any."""
    auto_number: str | None = None
    """The pattern of a name that is a number (`T-{0000}`), unless people give the name."""
    publish: Literal["immediately", "after_commit"] | None = None
    """The moment at which a platform event goes out; None for objects whose records are kept."""
    computed: dict[str, Callable[[Row], Any]] = field(default_factory=dict)
    """Fields that are not stored: API name to a function of the row."""

    def find(self, name: str) -> Field | None:
        """Returns the field of that name, whatever its case, or None."""
        return self.fields.get(name.lower())

    def child(self, relationship_name: str) -> tuple[SObjectType, Field] | None:
        """Returns the object and lookup of a child relationship, whatever its case, or None."""
        for child, lookup in self.children:
            if (lookup.child_relationship_name or "").lower() == relationship_name.lower():
                return child, lookup
        return None

    def reader(self, name: str) -> Callable[[Row], Any]:
        """Returns a reader of a field (API name in its own case), as the API returns it."""
        return self.computed.get(name) or (lambda row: row.get(name))


@cache
def _defaults() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((_HERE / "describe_defaults.json").read_text())
    return loaded


def _picklist_entry(entry: str | Mapping[str, Any]) -> dict[str, Any]:
    given = {"value": entry} if isinstance(entry, str) else entry
    return {
        "active": given.get("active", True),
        "defaultValue": given.get("defaultValue", False),
        "label": given.get("label", given["value"]),
        "validFor": given.get("validFor"),
        "value": given["value"],
    }


def make_field(given: Mapping[str, Any]) -> Field:
    """Builds a field from describe's keys, of which only those that differ need be given.

    Two keys of our own: `picklist` (values, or entries with `value`, `label`, `defaultValue`,
    `validFor`) and `child` (`relationshipName`, `cascadeDelete`: the other end of a lookup).
    """
    child = given.get("child") or {}
    described = {
        **_defaults()["field"],
        **_defaults()["fieldByType"].get(given["type"], {}),
        **{key: value for key, value in given.items() if key not in ("child", "picklist")},
    }
    described["picklistValues"] = [_picklist_entry(each) for each in given.get("picklist", ())]
    described["byteLength"] = described["length"] * (1 if given["type"] in _IDS else 3)
    values = tuple(each["value"] for each in described["picklistValues"] if each["active"])
    return Field.model_validate(
        {
            **described,
            "given": given,
            "describe": described,
            "picklist": values,
            "childRelationshipName": child.get("relationshipName"),
            "childCascadeDelete": child.get("cascadeDelete", False),
        }
    )


@cache
def _loaded(path: Path) -> tuple[dict[str, Any], tuple[Field, ...]]:
    """Head and fields of an object's file. Fields never change, so all orgs share them."""
    loaded = json.loads(path.read_text())
    return loaded["describe"], tuple(map(make_field, loaded["fields"]))


def type_of_file(path: Path, **names: str) -> SObjectType:
    """Builds an object from its file anew; `names` (describe's keys) take the place of its own."""
    head, fields = _loaded(path)
    described = {**_defaults()["object"], **head, **names}
    return SObjectType(
        name=described["name"],
        label=described["label"],
        label_plural=described["labelPlural"],
        key_prefix=described["keyPrefix"],
        describe=described,
        fields={each.name.lower(): each for each in fields},
    )


def bundled_types() -> list[SObjectType]:
    """Returns Account, Contact, Lead, Event, Task, Campaign ... anew, free to be extended."""
    return [type_of_file(path) for path in sorted((_HERE / "objects").glob("*.json"))]


def custom_type(name: str, label: str, label_plural: str, key_prefix: str) -> SObjectType:
    """Builds a custom object with its system fields, `Name` and `OwnerId`."""
    path = _HERE / "custom_object.json"
    return type_of_file(
        path, name=name, label=label, labelPlural=label_plural, keyPrefix=key_prefix
    )


def event_type(name: str, label: str, label_plural: str, key_prefix: str) -> SObjectType:
    """Builds a platform event with its system fields."""
    names = {"name": name, "label": label, "labelPlural": label_plural, "keyPrefix": key_prefix}
    return type_of_file(_HERE / "platform_event.json", **names)


def connect(types: Mapping[str, SObjectType]) -> None:
    """Fills in relationships of both directions and computed fields."""
    for child in types.values():
        for one in child.fields.values():
            if one.type == "address":
                child.computed[one.name] = _address_reader(child, one.name)
            elif one.name == "PhotoUrl":
                child.computed[one.name] = lambda row: f"/services/images/photo/{row['Id']}"
            if one.relationship_name:
                child.relationships[one.relationship_name.lower()] = one
            for parent_name in one.reference_to:
                if parent_name.lower() in types:
                    types[parent_name.lower()].children.append((child, one))


def _address_reader(of: SObjectType, address_name: str) -> Callable[[Row], Any]:
    """Salesforce: compound fields; `MailingAddress` holds city, country ... of `Mailing...`."""
    prefix = len(address_name.removesuffix("Address"))
    parts = sorted(
        (each.name[prefix].lower() + each.name[prefix + 1 :], each.name)
        for each in of.fields.values()
        if each.compound_field_name == address_name
    )

    def read(row: Row) -> dict[str, Any] | None:
        address = {key: row.get(name) for key, name in parts}
        return address if any(value is not None for value in address.values()) else None

    return read
