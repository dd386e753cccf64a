"""Objects and fields: what describe says of them, and what follows from it.

The bundled objects lie in `objects/*.json`, condensed from the describes of real orgs: each
field lists only what differs from `describe_defaults.json`.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
_NUMBERS = frozenset({"double", "currency", "percent", "int"})
_TEXTS = frozenset(
    {"string", "textarea", "email", "phone", "url", "picklist", "multipicklist", "combobox"}
)

Row = dict[str, Any]
"""One record: API name to stored value; a field without a value has no key or None."""


@dataclass(slots=True, eq=False)
class Field:
    """One field; `describe` is its entry in the object's describe, whole."""

    describe: dict[str, Any]
    name: str
    label: str
    type: str
    length: int
    scale: int
    digits: int
    nillable: bool
    createable: bool
    updateable: bool
    defaulted_on_create: bool
    default: Any
    picklist: tuple[str, ...]
    restricted: bool
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
    compound: str | None
    name_field: bool
    child_relationship: str | None
    cascade_delete: bool

    @property
    def is_number(self) -> bool:
        """Whether values are int or float."""
        return self.type in _NUMBERS

    @property
    def is_text(self) -> bool:
        """Whether values are texts that are compared without case."""
        return self.type in _TEXTS

    @property
    def is_reference(self) -> bool:
        """Whether values are ids of other records."""
        return self.type == "reference"

    @property
    def is_polymorphic(self) -> bool:
        """Whether SOQL sees the parent as a `Name` (Who, What, Owner of a lead)."""
        return len(self.reference_to) > 1

    @property
    def required(self) -> bool:
        """Salesforce: not nillable, not defaulted on create, and createable."""
        return not self.nillable and not self.defaulted_on_create and self.createable


@dataclass(frozen=True, slots=True)
class ChildRelationship:
    """Records of another object that point here; `name` is what a SOQL sub-select says."""

    name: str | None
    child_object: str
    field: str
    cascade_delete: bool


Computed = Callable[[Row], Any]


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
    children: dict[str, ChildRelationship] = field(default_factory=dict)
    all_children: list[ChildRelationship] = field(default_factory=list)
    name_field: Field | None = None
    coded_addresses: tuple[str, ...] = ()
    """Prefixes of the addresses with state and country codes (`Mailing`), if there are any."""
    computed: dict[str, Computed] = field(default_factory=dict)
    """Fields that are not stored: API name to a function of the row (see `Org.value`)."""

    def find(self, name: str) -> Field | None:
        """Returns the field of that name, whatever its case, or None."""
        return self.fields.get(name.lower())

    def allows(self, operation: str) -> bool:
        """Whether the object is `createable`, `updateable`, `deletable`, `queryable` ..."""
        return bool(self.describe[operation])

    def read(self, row: Row, name: str) -> Any:
        """The value of a field (API name in its own case) as the API returns it."""
        computed = self.computed.get(name)
        return computed(row) if computed else row.get(name)


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
        "validFor": None,
        "value": given["value"],
    }


def make_field(given: Mapping[str, Any]) -> Field:
    """Builds a field from describe's keys, of which only those that differ need be given.

    Two keys of our own: `picklist` (values, or entries with `value`, `label`, `defaultValue`)
    and `child` (`relationshipName`, `cascadeDelete`: the other end of a lookup).
    """
    child = given.get("child") or {}
    described = {
        **_defaults()["field"],
        **_defaults()["fieldByType"].get(given["type"], {}),
        **{key: value for key, value in given.items() if key not in ("child", "picklist")},
    }
    described["picklistValues"] = [_picklist_entry(each) for each in given.get("picklist", ())]
    bytes_per_char = 1 if given["type"] in ("id", "reference") else 3
    described["byteLength"] = described["length"] * bytes_per_char
    return Field(
        describe=described,
        name=described["name"],
        label=described["label"],
        type=described["type"],
        length=described["length"],
        scale=described["scale"],
        digits=described["digits"],
        nillable=described["nillable"],
        createable=described["createable"],
        updateable=described["updateable"],
        defaulted_on_create=described["defaultedOnCreate"],
        default=described["defaultValue"],
        picklist=tuple(each["value"] for each in described["picklistValues"] if each["active"]),
        restricted=described["restrictedPicklist"],
        reference_to=tuple(described["referenceTo"]),
        relationship_name=described["relationshipName"],
        external_id=described["externalId"],
        id_lookup=described["idLookup"],
        unique=described["unique"],
        case_sensitive=described["caseSensitive"],
        filterable=described["filterable"],
        sortable=described["sortable"],
        groupable=described["groupable"],
        aggregatable=described["aggregatable"],
        compound=described["compoundFieldName"],
        name_field=described["nameField"],
        child_relationship=child.get("relationshipName"),
        cascade_delete=child.get("cascadeDelete", False),
    )


def make_type(head: Mapping[str, Any], fields: Iterable[Field]) -> SObjectType:
    """Builds an object from the keys of its describe (name, label, labelPlural, keyPrefix ...)."""
    described = {**_defaults()["object"], **head}
    return SObjectType(
        name=described["name"],
        label=described["label"],
        label_plural=described["labelPlural"],
        key_prefix=described["keyPrefix"],
        describe=described,
        fields={each.name.lower(): each for each in fields},
    )


@cache
def _bundled() -> tuple[tuple[dict[str, Any], tuple[Field, ...]], ...]:
    """Heads and fields of the bundled objects. Fields never change, so all orgs share them."""
    loaded = (json.loads(path.read_text()) for path in sorted((_HERE / "objects").glob("*.json")))
    return tuple((each["describe"], tuple(map(make_field, each["fields"]))) for each in loaded)


def bundled_types() -> list[SObjectType]:
    """Returns Account, Contact, Lead, Event, Task, Campaign ... anew, free to be extended."""
    return [make_type(head, fields) for head, fields in _bundled()]


@cache
def _custom() -> tuple[dict[str, Any], tuple[Field, ...]]:
    loaded = json.loads((_HERE / "custom_object.json").read_text())
    return loaded["describe"], tuple(map(make_field, loaded["fields"]))


def custom_type(name: str, label: str, label_plural: str, key_prefix: str) -> SObjectType:
    """Builds a custom object with its system fields, `Name` and `OwnerId`."""
    head, fields = _custom()
    names = {"name": name, "label": label, "labelPlural": label_plural, "keyPrefix": key_prefix}
    return make_type({**head, **names}, fields)


def connect(types: Mapping[str, SObjectType]) -> None:
    """Fills in relationships of both directions, name fields and computed fields."""
    for each in types.values():
        each.relationships = {}
        each.children = {}
        each.all_children = []
        each.name_field = next((one for one in each.fields.values() if one.name_field), None)
        each.computed = _computed_fields(each)
    for child in types.values():
        for one in child.fields.values():
            if not one.is_reference:
                continue
            if one.relationship_name:
                child.relationships[one.relationship_name.lower()] = one
            for parent_name in one.reference_to:
                parent = types.get(parent_name.lower())
                if parent:
                    _add_child(parent, child, one)


def _add_child(parent: SObjectType, child: SObjectType, one: Field) -> None:
    relationship = ChildRelationship(
        one.child_relationship, child.name, one.name, one.cascade_delete
    )
    parent.all_children.append(relationship)
    if relationship.name:
        parent.children[relationship.name.lower()] = relationship


_ADDRESS_PARTS = (
    "City", "Country", "CountryCode", "GeocodeAccuracy", "Latitude", "Longitude", "PostalCode",
    "State", "StateCode", "Street",
)  # fmt: skip


def _computed_fields(of: SObjectType) -> dict[str, Computed]:
    computed: dict[str, Computed] = {}
    for each in of.fields.values():
        if each.type == "address":
            computed[each.name] = _address_reader(of, each.name.removesuffix("Address"))
        elif each.name == "PhotoUrl":
            computed[each.name] = lambda row: f"/services/images/photo/{row['Id']}"
    return computed


def _address_reader(of: SObjectType, prefix: str) -> Computed:
    parts = [
        (part[0].lower() + part[1:], prefix + part)
        for part in _ADDRESS_PARTS
        if of.find(prefix + part)
    ]

    def read(row: Row) -> dict[str, Any] | None:
        address = {key: row.get(name) for key, name in parts}
        return address if any(value is not None for value in address.values()) else None

    return read
