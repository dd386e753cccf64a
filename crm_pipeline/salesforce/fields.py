"""A field of an object, as far as writing needs to know it."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Operation = Literal["create", "update", "upsert"]


class PicklistValue(NamedTuple):
    """One value of a picklist; `valid_for` is the describe's bitmap of controlling values."""

    value: str
    label: str
    active: bool = True
    valid_for: str | None = None


@dataclass(frozen=True, slots=True)
class FieldSchema:
    """One field, as a describe shows it.

    Attributes:
        length: in units of UTF-16; 0: any.
        whole_digits: that a number may have before its point; 0: any.
        reference_to: the objects that a reference may lead to; none: not a reference.
        relationship: the name under which a parent is given by its external id.
        cascades: whether the record is deleted with the one that it refers to.
        external_id: whether records can be upserted by it.
        unique: whether no two records have the same value.
        case_sensitive: whether capitals make another value.
    """

    name: str
    type: str
    length: int = 0
    whole_digits: int = 0
    createable: bool = False
    updateable: bool = False
    nillable: bool = True
    defaulted: bool = False
    restricted: bool = False
    values: tuple[PicklistValue, ...] = ()
    reference_to: tuple[str, ...] = ()
    relationship: str | None = None
    cascades: bool = False
    external_id: bool = False
    unique: bool = False
    case_sensitive: bool = False

    @property
    def required(self) -> bool:
        """True if a record cannot be created without it (Salesforce has no flag for that)."""
        return self.createable and not self.nillable and not self.defaulted

    @property
    def ignores_case(self) -> bool:
        """True of an external id that is the same whatever its capitals."""
        return self.unique and not self.case_sensitive

    def writable(self, operation: Operation) -> bool:
        """Returns whether an operation may set it."""
        return (self.createable or operation == "update") and (
            self.updateable or operation == "create"
        )
