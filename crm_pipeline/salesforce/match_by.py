"""What people are found by in an org, as an account chooses. Plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as default
from typing import Literal

MatchFirst = Literal["lead", "contact"]
"""The records that are preferred where somebody is both."""


@dataclass(frozen=True, slots=True)
class MatchBy:
    """What people are found by in an org.

    Attributes:
        first: the records that are preferred.
        fields: by sObject, the fields beside Email that have an address.
        id_field: the field of Lead and Contact that has the platform's id of the person.
    """

    first: MatchFirst = "lead"
    fields: Mapping[str, Sequence[str]] = default(default_factory=dict)
    id_field: str | None = None

    def email_fields(self, sobject: str) -> tuple[str, ...]:
        """The fields of an object in which addresses are sought."""
        return ("Email", *(each for each in self.fields.get(sobject, ()) if each != "Email"))

    @property
    def is_usual(self) -> bool:
        """True if people are sought by Email alone."""
        return not self.fields and self.id_field is None


BY_EMAIL = MatchBy()
