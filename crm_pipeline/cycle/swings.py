"""The loop breaker: a field that the org and the source set in turn is told no more, but to people.

The org's automation undoes what the source wants, the source is told and takes that over, what it
wants then is undone again, and so on for ever. It is noticed by the values: one that the source
knew before comes back, again and again, each time after the value between was written by us.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crm_pipeline.ledger.read_back import OrgValue
from crm_pipeline.ledger.swings import SWINGS_AT_MOST, FieldOf, Swing
from crm_pipeline.salesforce.comparison import digest, known

_OVER = Swing(0, 0)


@dataclass(frozen=True, slots=True)
class Swings:
    """The swings of some records.

    Attributes:
        before: those that are known, by Salesforce Id and field.
        noted: what is to be kept of them.
    """

    before: Mapping[tuple[str, str], Swing]
    noted: dict[FieldOf, Swing] = field(default_factory=dict)

    def without_swinging(
        self,
        sobject: str,
        record: Mapping[str, Any],
        differing: Mapping[str, Any],
        value: OrgValue,
        types: Mapping[str, str],
    ) -> dict[str, Any]:
        """The fields of a record that are to be told, and notes how they swing.

        Args:
            sobject: the record's object.
            record: as the org has it.
            differing: its fields that differ from what the source knows, with their values.
            value: written to it and told of it before.
            types: of the fields.
        """
        told = {}
        for name in {*types, *differing}:
            of = FieldOf(sobject, record["Id"], name)
            before = self.before.get((of.salesforce_id, name))
            if name not in differing:
                # Muted, and as the source knows it: people have mended it.
                if before is not None and before.times >= SWINGS_AT_MOST:
                    self.noted.setdefault(of, _OVER)
                continue
            if name in value.written:
                known_now = known(name, value.written, value.told)
                swing = _next(before, differing[name], known_now, types.get(name, "string"))
                if self.noted.setdefault(of, swing).times >= SWINGS_AT_MOST:
                    continue
            told[name] = differing[name]
        return told


def _next(before: Swing | None, read: Any, known_now: Any, field_type: str) -> Swing:
    """Returns the swing of a field that is read with another value than the source knows now."""
    if before is None or before.previous != digest(read, field_type):
        return Swing(0, digest(known_now, field_type))
    if before.times + 1 >= SWINGS_AT_MOST:
        return Swing(before.times + 1, before.previous)
    return Swing(before.times + 1, digest(known_now, field_type))


def in_words(swinging: Mapping[str, int]) -> list[str]:
    """Returns the line for people about fields that swing, by name with the number of records."""
    if not swinging:
        return []
    named = ", ".join(f"{name} ({number})" for name, number in swinging.items())
    line = (
        f"The org and the source set fields in turn, so their changes are told no more: {named}; "
        "mend the org's automation or the source's rule, then set the field to the source's value"
    )
    return [line]
