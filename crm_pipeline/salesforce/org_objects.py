"""Objects that a flow needs in an org: declared once, and compared with what the org shows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from crm_pipeline.salesforce.describe import RIGHTS, SObjectSchema
from crm_pipeline.salesforce.fields import FieldSchema

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
        only_read: whether nothing is written to it, so that the user needs no right to.
        refers_to: of references: the object.
        children: of references: what the other side calls these records, unique there.
        says: what it tells, for people in the org: its help.
    """

    name: str
    label: str
    kind: FieldKind
    length: int = 0
    scale: int = 0
    is_key: bool = False
    only_read: bool = False
    refers_to: str | None = None
    children: str | None = None
    says: str = ""


@dataclass(frozen=True, slots=True)
class OrgObject:
    """An object in the org with the fields that are needed of it; of a standard one, no others.

    Attributes:
        name: API name.
        label: as people read it.
        plural: the label of many.
        says: what it is for.
        fields: each once; they are written.
        reads: names of further ones that are only read.
    """

    name: str
    label: str
    plural: str
    says: str
    fields: tuple[OrgField, ...]
    reads: tuple[str, ...] = ()

    @property
    def is_custom(self) -> bool:
        """True for one that an admin deploys, False for a standard object that gets fields."""
        return self.name.endswith(("__c", "__e"))

    @property
    def is_event(self) -> bool:
        """True for a platform event: it is published, and nothing else can be done with it."""
        return self.name.endswith("__e")

    @property
    def is_detail(self) -> bool:
        """True if its records belong to a master, who says who may see them."""
        return any(field.kind == "master_detail" for field in self.fields)


def package_of(name: str) -> str:
    """Returns the prefix of the package that brings an object or field: `x__` of `x__Tag__c`.

    Empty for what Salesforce has itself, and for what the client's admin deploys.
    """
    package, separator, _ = name[: -len("__c")].rpartition("__")
    return package + separator


def field_on(custom: str, field: str) -> str:
    """Returns a field's name on a custom object: one of the client's own has none of a package."""
    return field if package_of(custom) else field.removeprefix(package_of(field))


def packages_of(objects: Iterable[OrgObject]) -> list[str]:
    """Returns the prefixes of the packages that bring something of these objects."""
    names = (name for each in objects for name in (each.name, *(f.name for f in each.fields)))
    return sorted({package_of(name) for name in names} - {""})


def lacking(needed: Sequence[OrgObject], there: Mapping[str, SObjectSchema]) -> list[str]:
    """Returns everything that an org lacks, a line each, ordered as the objects are.

    Args:
        needed: the objects.
        there: as our user sees them, by name; one that is absent is not in the org, or hidden.
    """
    return [line for each in needed for line in _lacking(each, there.get(each.name))]


def _lacking(needed: OrgObject, there: SObjectSchema | None) -> Iterator[str]:
    if there is None:
        yield f"{needed.name}: not in the org, or hidden from the user"
        return
    if without := [words for words in _rights_for(needed) if words not in there.rights]:
        yield f"{needed.name}: the user lacks {', '.join(without)}"
    for name in needed.reads:
        if there.field(name) is None:
            yield f"{needed.name}.{name}: not in the org, or hidden from the user"
    for field in needed.fields:
        found = there.field(field.name)
        if found is None:
            yield f"{needed.name}.{field.name}: not in the org, or hidden from the user"
        elif wrong := list(_wrong(field, found, is_event=needed.is_event)):
            yield f"{needed.name}.{field.name}: {', '.join(wrong)}"


def _rights_for(needed: OrgObject) -> Iterable[str]:
    """The rights that the user needs on an object, as people call them."""
    if needed.is_event:
        return (RIGHTS["createable"],)
    if needed.is_custom:
        return RIGHTS.values()
    writes = any(not field.only_read for field in needed.fields)
    return (RIGHTS["queryable"], *((RIGHTS["updateable"],) if writes else ()))


def _wrong(field: OrgField, found: FieldSchema, *, is_event: bool) -> Iterator[str]:
    wanted = TYPES[field.kind]
    serving = (wanted.described,) if field.is_key else (wanted.described, *wanted.also)
    if found.type not in serving:
        yield f"is of type {found.type}, not {wanted.described}"
        return
    if field.refers_to is not None and field.refers_to not in found.reference_to:
        yield f"does not lead to {field.refers_to}"
    if field.kind in ("text", "long_text") and 0 < found.length < field.length:
        yield f"has room for {found.length} characters, not {field.length}"
    if field.is_key:
        if not found.external_id:
            yield "is no external id"
        if not found.unique:
            yield "is not unique"
        if not found.case_sensitive:
            yield "does not tell capitals from small letters"
    is_set_once = field.is_key or found.cascades or is_event
    if field.only_read:
        return
    if not found.createable or not (found.updateable or is_set_once):
        yield "the user may not write it"
