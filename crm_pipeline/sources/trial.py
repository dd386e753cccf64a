"""A mapping and filters, tried on some rows without a warehouse. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.accounts.filters import matches
from crm_pipeline.accounts.store import FieldMapping
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.sources.computed import needed_for
from crm_pipeline.sources.mapping import field_maps
from crm_pipeline.sources.participations import tidy_person

_OF_PEOPLE = ("Lead", "Contact", "Event")


@dataclass(slots=True)
class Trial:
    """The outcome of rows that were tried.

    Attributes:
        rows: how many they were.
        rejected: those that would not be sent, by reason.
        filled: by field, as `Lead.City`, in how many of the others it says something.
    """

    rows: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    filled: Counter[str] = field(default_factory=Counter)


def tried(
    settings: AccountSettings,
    overrides: Sequence[FieldMapping],
    filters: Sequence[str],
    rows: Iterable[Mapping[str, Any]],
) -> Trial:
    """Maps and filters rows as a cycle would.

    Args:
        settings: the account's.
        overrides: its mapping.
        filters: its filter strings.
        rows: each by the columns of the extracts; what is empty is not said.
    """
    maps = field_maps(settings, overrides)
    trial = Trial()
    for row in rows:
        columns = {name: value or None for name, value in row.items()}
        tidy_person(columns)
        trial.rows += 1
        email = columns.get("email")
        if email is None or email_key(email) is None:
            trial.rejected["no email" if email is None else "invalid email"] += 1
        elif (hit := matches(email, filters)) is not None:
            trial.rejected[f"filtered by {hit!r}"] += 1
        else:
            for sobject in _OF_PEOPLE:
                trial.filled.update(
                    f"{sobject}.{name}" for name in maps[sobject].of_the_only_row(columns)
                )
    return trial


def lacking(
    overrides: Sequence[FieldMapping], columns: Iterable[str]
) -> list[tuple[FieldMapping, str]]:
    """The overrides that name a column which rows do not have, with it.

    Those of campaigns are of events, and not among them.
    """
    known = {*columns, "street"}
    return [
        (each, column)
        for each in overrides
        if each.sobject in _OF_PEOPLE
        for column in each.columns
        if needed_for(column) not in known
    ]
