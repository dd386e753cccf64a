"""Fields of people about which a person is to decide: the source and the org say different things.

Each function works within the caller's transaction.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection

from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement
from crm_pipeline.text import storable_json

Side = Literal["org", "source"]
"""Whose value is to stand."""


@dataclass(frozen=True, slots=True)
class AskedField:
    """A field that was decided on: held back (`is_held`), since people wrote there, or written."""

    person_key: int
    sobject: str
    salesforce_id: str | None
    field: str
    there: Any
    wanted: Any
    is_held: bool


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field about which a person is to decide, for people: whose it is, and both values."""

    conflict_id: int
    account_id: str
    address: str | None
    sobject: str
    salesforce_id: str
    field: str
    there: str | None
    wanted: str | None
    seen_at: datetime


def note_asked(
    connection: Connection, account_id: str, asked: Sequence[AskedField]
) -> Counter[str]:
    """Keeps the fields that were held back; forgets those that were written.

    Returns:
        The fields that a person has to decide about since now, and of how many people.
    """
    if not asked:
        return Counter()
    rows = storable_json([asdict(each) for each in asked])
    parameters = {"account_id": account_id, "rows": rows}
    return Counter(connection.scalars(statement("conflicts/note"), parameters))


@dataclass(frozen=True, slots=True)
class AskedOfPerson:
    """The fields of a person that were asked about; `overwrites` are to be as the source said."""

    fields: set[str]
    overwrites: dict[str, Any]


def asked_of_people(
    connection: Connection, account_id: str, person_keys: Collection[int]
) -> dict[int, AskedOfPerson]:
    """What was asked about people, by person, with what a person has decided."""
    parameters = {"account_id": account_id, "person_keys": list(person_keys)}
    found: dict[int, AskedOfPerson] = {}
    for row in connection.execute(statement("conflicts/of_people"), parameters):
        of_person = found.setdefault(row.person_key, AskedOfPerson(set(), {}))
        of_person.fields.add(row.field)
        if row.overwrites:
            of_person.overwrites[row.field] = row.wanted
    return found


def open_conflicts(
    connection: Connection, account_id: str | None = None, field: str | None = None
) -> list[Conflict]:
    """The fields about which a person is to decide, the oldest first; of one account or of all."""
    parameters = {"account_id": account_id, "field": field}
    return objects(connection.execute(statement("conflicts/open"), parameters), Conflict)


def decide(
    connection: Connection, account_id: str, conflict_ids: Collection[int], side: Side
) -> None:
    """Keeps whose value stands; the source's are written by the next cycle.

    The caller holds the account's lock.
    """
    which = {"account_id": account_id, "conflict_ids": list(conflict_ids)}
    connection.execute(statement("conflicts/decide"), {**which, "decided": side})
    if side == "source":
        connection.execute(statement("conflicts/say_again"), which)
