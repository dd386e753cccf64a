"""Objects that a flow needs in an org: declared once, and compared with what the org shows."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

FieldKind = Literal[
    "text",
    "long_text",
    "email",
    "phone",
    "url",
    "checkbox",
    "number",
    "datetime",
    "lookup",
    "master_detail",
]

NUMBER_DIGITS = 18
"""Digits of a number in all, behind the point among them; Salesforce has no more."""


class TypeOfField(NamedTuple):
    """A type of fields: as metadata calls it, as a describe does, and what else serves for it."""

    metadata: str
    described: str
    also: tuple[str, ...] = ()


TYPES: Mapping[FieldKind, TypeOfField] = {
    "text": TypeOfField("Text", "string", ("textarea", "picklist")),
    "long_text": TypeOfField("LongTextArea", "textarea", ("string",)),
    "email": TypeOfField("Email", "email", ("string",)),
    "phone": TypeOfField("Phone", "phone", ("string",)),
    "url": TypeOfField("Url", "url", ("string", "textarea")),
    "checkbox": TypeOfField("Checkbox", "boolean"),
    "number": TypeOfField("Number", "double", ("int", "currency", "percent")),
    "datetime": TypeOfField("DateTime", "datetime"),
    "lookup": TypeOfField("Lookup", "reference"),
    "master_detail": TypeOfField("MasterDetail", "reference"),
}


@dataclass(frozen=True, slots=True)
class OrgField:
    """A field of an object in the org.

    Attributes:
        name: API name.
        label: as people read it.
        kind: its type.
        length: of texts; 0 for other types.
        scale: of numbers, digits behind the point.
        is_key: whether records are upserted by it: external id, unique, case-sensitive.
        refers_to: of references: the object.
        children: of references: what the other side calls these records, unique there.
    """

    name: str
    label: str
    kind: FieldKind
    length: int = 0
    scale: int = 0
    is_key: bool = False
    refers_to: str | None = None
    children: str | None = None


@dataclass(frozen=True, slots=True)
class OrgObject:
    """An object in the org with the fields that are needed of it; of a standard one, no others.

    Attributes:
        name: API name.
        label: as people read it.
        plural: the label of many.
        says: what it is for.
        fields: each once.
    """

    name: str
    label: str
    plural: str
    says: str
    fields: tuple[OrgField, ...]

    @property
    def is_custom(self) -> bool:
        """True for one that an admin deploys, False for a standard object that gets fields."""
        return self.name.endswith("__c")

    @property
    def is_detail(self) -> bool:
        """True if its records belong to a master, who says who may see them."""
        return any(field.kind == "master_detail" for field in self.fields)


def lacking(needed: Sequence[OrgObject], described: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Returns everything that an org lacks, a line each, ordered as the objects are.

    Args:
        needed: the objects.
        described: describes as Salesforce gives them, by object, as our user sees them; one that is
            absent is not in the org, or hidden.
    """
    return [line for each in needed for line in _lacking(each, described.get(each.name))]


def _lacking(needed: OrgObject, described: Mapping[str, Any] | None) -> Iterator[str]:
    if described is None:
        yield f"{needed.name}: not in the org, or hidden from the user"
        return
    rights = {"queryable": "Read", "createable": "Create", "updateable": "Edit"}
    if needed.is_custom:
        rights["deletable"] = "Delete"
        if without := [words for flag, words in rights.items() if not described.get(flag)]:
            yield f"{needed.name}: the user lacks {', '.join(without)}"
    there = {each["name"].lower(): each for each in described["fields"]}
    for field in needed.fields:
        found = there.get(field.name.lower())
        if found is None:
            yield f"{needed.name}.{field.name}: not in the org, or hidden from the user"
        elif wrong := list(_wrong(field, found)):
            yield f"{needed.name}.{field.name}: {', '.join(wrong)}"


def _wrong(field: OrgField, found: Mapping[str, Any]) -> Iterator[str]:
    wanted = TYPES[field.kind]
    serving: Collection[str] = [wanted.described] if field.is_key else wanted[1:2] + wanted.also
    if found["type"] not in serving:
        yield f"is of type {found['type']}, not {wanted.described}"
        return
    if field.refers_to is not None and field.refers_to not in (found.get("referenceTo") or ()):
        yield f"does not lead to {field.refers_to}"
    length = found.get("length") or 0
    if field.kind in ("text", "long_text") and 0 < length < field.length:
        yield f"has room for {length} characters, not {field.length}"
    if field.is_key:
        flags = (
            ("externalId", "is no external id"),
            ("unique", "is not unique"),
            ("caseSensitive", "does not tell capitals from small letters"),
        )
        yield from (words for flag, words in flags if not found.get(flag))
    if not found.get("createable") or not (found.get("updateable") or _is_set_once(field, found)):
        yield "the user may not write it"


def _is_set_once(field: OrgField, found: Mapping[str, Any]) -> bool:
    """Returns whether a field need not be changed: a key, and a detail's master."""
    return field.is_key or found.get("relationshipOrder") is not None
