"""Suggestions for a mapping: fields of an org whose names say what a column has. Pure."""

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import NamedTuple

from crm_pipeline.salesforce.describe import SObjectSchema

_ALIKE = 0.86
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_CUSTOM = "__c"

_OTHER_NAMES = {
    "surname": ("last name",),
    "county": ("state", "region"),
    "company name": ("company", "organisation", "organization"),
    "country code": ("country",),
    "phone 1": ("phone",),
    "utm source": ("lead source detail", "source detail"),
    "utm campaign": ("campaign source",),
    "join link": ("webinar link", "attendee link"),
    "minutes attended": ("minutes watched", "watch time"),
    "questions answered": ("polls answered",),
}
"""The names that Salesforce's people give to what a column has."""


class Suggestion(NamedTuple):
    """A field that a column may fill, and why one may think so."""

    field: str
    column: str
    why: str


def suggested(
    schema: SObjectSchema, columns: Collection[str], taken: Collection[str]
) -> Iterator[Suggestion]:
    """Yields fields of an object that columns may fill, by their names, the surest first.

    Fields of the org's own alone: Salesforce's are mapped by default, or mean something else, as
    the status or the rating of a lead do.

    Args:
        schema: the object, as its describe shows it.
        columns: of the extracts.
        taken: fields that are filled already, or are not to be mapped, in any case.
    """
    not_free = {field.lower() for field in taken}
    free = {
        name: _words(name.removesuffix(_CUSTOM))
        for name, field in schema.fields.items()
        if name.endswith(_CUSTOM)
        and name.lower() not in not_free
        and (field.createable or field.updateable)
        and not field.reference_to
    }
    names = {words: column for column in sorted(columns) for words in (_words(column),)}
    others = {
        other: names[own] for own, alike in _OTHER_NAMES.items() if own in names for other in alike
    }
    nearly: list[Suggestion] = []
    for field, words in sorted(free.items()):
        if words in names:
            yield Suggestion(field, names[words], "the same name")
        elif words in others:
            yield Suggestion(field, others[words], "another name for it")
        elif near := get_close_matches(words, names, n=1, cutoff=_ALIKE):
            nearly.append(Suggestion(field, names[near[0]], "nearly the same name"))
    yield from nearly


def _words(name: str) -> str:
    """A name as words in small letters: JobTitle, Job_Title and job_title alike."""
    return " ".join(word.lower() for word in _WORDS.findall(name))
