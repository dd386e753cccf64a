"""Looking around in the warehouse: which clients it has, their sessions and their people.

For what people type: a client, a session or a filter is checked against what is there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from crm_pipeline.accounts.filters import matches
from crm_pipeline.database.statements import statement
from crm_pipeline.database.warehouses import as_time
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.settings import settings
from crm_pipeline.sources.errors import explained

_PEOPLE_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Client:
    """A client of the platform: how many rows it has, and when the newest was shipped, UTC."""

    client_id: str
    registrations: int
    attendances: int
    newest: datetime | None

    @property
    def rows(self) -> int:
        """Of all sources: so many activities they come to at most."""
        return self.registrations + self.attendances


@dataclass(frozen=True, slots=True)
class SessionOfClient:
    """An event session; `rows` counts its registrations and attendances."""

    event_session_id: int
    session_title: str
    event_name: str
    rows: int


@dataclass(frozen=True, slots=True)
class Rejections:
    """The numbers of a client's people, and of those that a filter rejects."""

    rejected: int
    people: int


def clients(warehouse: Engine, client_ids: Sequence[str] | None = None) -> list[Client]:
    """The clients that the warehouse has rows of: of these ids, or by default all.

    Raises:
        ExtractError: the warehouse is down, or `sql/extract/clients.sql` does not fit it.
    """
    only = None if client_ids is None else list(client_ids)
    with explained("clients"), warehouse.connect() as connection:
        rows = connection.execute(statement("extract/clients"), {"client_ids": only})
        zone = settings().warehouse_timezone
        return [
            Client(str(r.client_id), r.registrations, r.attendances, as_time(r.newest, zone))
            for r in rows
        ]


def sessions(warehouse: Engine, client_id: str) -> list[SessionOfClient]:
    """The client's event sessions.

    Raises:
        ExtractError: the warehouse is down, or `sql/extract/sessions.sql` does not fit it.
    """
    with explained("sessions"), warehouse.connect() as connection:
        rows = connection.execute(statement("extract/sessions"), {"client_id": client_id})
        return [
            SessionOfClient(r.event_session_id, r.session_title, r.event_name, r.rows) for r in rows
        ]


def rejections(warehouse: Engine, client_id: str, filter_string: str) -> Rejections:
    """Counts the client's people whom a filter string rejects.

    Raises:
        ExtractError: the warehouse is down, or `sql/extract/people.sql` does not fit it.
    """
    rejected = people = 0
    for email in _emails(warehouse, client_id):
        people += 1
        rejected += matches(email, [filter_string]) is not None
    return Rejections(rejected, people)


def spellings(warehouse: Engine, client_id: str, email: str) -> list[str]:
    """An email address as the client's people have it; empty: nobody has it.

    Raises:
        ExtractError: the warehouse is down, or `sql/extract/people.sql` does not fit it.
    """
    known = _known_by(email)
    return [each for each in _emails(warehouse, client_id) if _known_by(each) == known]


def rows_of_people(
    warehouse: Engine, client_id: str, source: str, emails: Sequence[str]
) -> list[int]:
    """The ids of the rows of a source that people with these addresses have, as they are spelt.

    Raises:
        ExtractError: the warehouse is down, or `sql/extract/rows_of_people.sql` does not fit it.
    """
    asked = {"client_id": client_id, "source": source, "emails": list(emails)}
    with explained("rows_of_people"), warehouse.connect() as connection:
        return list(connection.scalars(statement("extract/rows_of_people"), asked))


def _known_by(email: str) -> str:
    """An address as people are known by it; what is none, as it is but for its case."""
    return email_key(email) or email.strip().casefold()


def _emails(warehouse: Engine, client_id: str) -> Iterator[str]:
    with explained("people"), warehouse.connect() as connection:
        rows = connection.execution_options(
            stream_results=True, max_row_buffer=_PEOPLE_AT_ONCE
        ).execute(statement("extract/people"), {"client_id": client_id})
        for row in rows:
            yield row.email or ""
