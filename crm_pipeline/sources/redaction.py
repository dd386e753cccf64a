"""Redaction of what people write, before it becomes CRM data or is told to the platform."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

import orjson

from crm_pipeline.sources.redaction_kinds import KINDS, Finder
from crm_pipeline.text import JsonText, written

REMOVED = "[removed]"

PATTERNS = "patterns"
"""What is taken out by the account's own regular expressions is counted under this name."""

NO_FREE_TEXT = frozenset(
    (
        *("person_id", "email", "first_name", "surname", "title", "job_title", "company_name"),
        *("address_1", "address_2", "address_3", "street", "city", "county", "postal_code"),
        *("country_code", "phone_1", "registration_id", "attendance_id", "event_session_id"),
        *("session_title", "session_starts_at", "session_ends_at", "event_id", "event_name"),
        *("status", "role", "kind", "source", "cancelled_at", "registered_at", "attended_at"),
        *("left_at", "changed_at", "replaced_by", "join_link", "parts", "minutes_attended"),
        *("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"),
        *("consent", "consent_at", "consent_text", "certificate_at"),
    )
)
"""Columns of registrations and attendances that are what they are; all others, those that an
extract was given beside these too, may hold what people wrote."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """Takes out of texts what an account does not want in its org.

    Attributes:
        steps: what is found, by kind.
        taken: how many pieces were taken out, by kind.
    """

    steps: Sequence[tuple[str, Finder]]
    taken: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, chosen: Collection[str]) -> "Redaction":
        """Returns the redaction that an account chose: names of `KINDS`, or regular expressions."""
        named = {each: KINDS[each] for each in KINDS if each in chosen}
        patterns = [(PATTERNS, _found(each)) for each in chosen if each not in KINDS]
        return cls([*named.items(), *patterns])

    def text(self, text: str) -> str:
        """Returns a text with `REMOVED` in the place of all that is found in it."""
        for kind, found in self.steps:
            pieces = _apart(found(text))
            for start, end in reversed(pieces):
                text = text[:start] + REMOVED + text[end:]
            if pieces:
                self.taken[kind] += len(pieces)
        return text

    def in_words(self) -> str:
        """Returns how much was taken out, by kind, for people; nothing of what it was."""
        told = ", ".join(f"{number} of {kind}" for kind, number in sorted(self.taken.items()))
        return f"Taken out of what people wrote: {told} (redaction)"

    def columns(
        self, columns: Mapping[str, Any], kept: frozenset[str] = NO_FREE_TEXT
    ) -> Mapping[str, Any]:
        """Returns a row's columns, those that may be free text redacted; the same if none is.

        Args:
            columns: by name.
            kept: those that are none.
        """
        changed: dict[str, Any] = {}
        for name, value in columns.items():
            if name in kept or not value:
                continue
            if isinstance(value, JsonText):
                parsed = value.parsed()
                if (said := self.value(parsed)) != parsed:
                    changed[name] = JsonText(orjson.dumps(said).decode())
            elif isinstance(value, str) and (text := self.text(value)) != value:
                changed[name] = text
        return {**columns, **changed} if changed else columns

    def value(self, value: Any) -> Any:
        """Returns a value of JSON, its texts and numbers redacted; the keys of objects stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.value(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.value(each) for each in value]
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            text = written(value)
            if (said := self.text(text)) != text:
                return said
            return float(value) if isinstance(value, Decimal) else value
        return value


def _found(pattern: str) -> Finder:
    compiled = re.compile(pattern)
    return partial(_spans, compiled)


def _spans(compiled: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    return (each.span() for each in compiled.finditer(text) if each[0])


def _apart(pieces: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The pieces in their order, those that overlap as one."""
    apart: list[tuple[int, int]] = []
    for start, end in sorted(pieces):
        if apart and start < apart[-1][1]:
            apart[-1] = apart[-1][0], max(end, apart[-1][1])
        else:
            apart.append((start, end))
    return apart
