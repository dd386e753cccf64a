"""The job: so many registrations of people of whom an org knows some already.

Of every ten people, four are Leads of the org and two are Contacts; the others are new. What the
org knows of them is out of date, so each of them needs an update. Emails are unique, so the right
answer is known: see `examination.py`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from typing import Any, Literal

CLIENT = "benchmark"
EVENT_ID = SESSION_ID = 1
OLD_TITLE = "Not asked"

_STARTS_AT = datetime(2026, 10, 1, 9, 0, tzinfo=UTC)
_SHIPMENT_ROWS = 2_000
_BETWEEN_SHIPMENTS = timedelta(minutes=15)
_FIRST_NAMES = ("Ada", "Grace", "Edsger", "Barbara", "Alan", "Mary", "John", "Hedy", "Tim", "Radia")
_SURNAMES = ("Lovelace", "Hopper", "Dijkstra", "Liskov", "Turing", "Jackson", "Perlman", "Lamarr")
_TITLES = ("Ms.", "Mr.", "Dr.", "Prof.")
_JOBS = ("Data Engineer", "Head of Sales", "Analyst", "Chief Financial Officer", "Consultant")
_CITIES = (("Hamburg", "HH", "DE"), ("Lyon", "Rhône", "FR"), ("Leeds", "West Yorkshire", "GB"))

Home = Literal["Lead", "Contact"]


def email(person: int) -> str:
    """The address of a person, who is known by a number from 0."""
    return f"person.{person:07d}@bench.example"


def person_of(address: str) -> int:
    """The number of the person with this address."""
    return int(address[7:14])


def home(person: int) -> Home | None:
    """The object in which the org holds the person at first; None: it does not."""
    place = person % 10
    if place < 4:
        return "Lead"
    return "Contact" if place < 6 else None


def job_title(person: int) -> str:
    """The job title that the registration brings, different from what the org has."""
    return _JOBS[person % len(_JOBS)]


def registered_at(person: int) -> datetime:
    """The moment of registration; whole seconds, UTC."""
    return _STARTS_AT + timedelta(seconds=person)


def attended_at(person: int) -> datetime:
    """The moment of attendance; whole seconds, UTC."""
    return registered_at(person) + timedelta(days=20)


def shipped_at(first_shipment: datetime, person: int) -> datetime:
    """The moment of a row's shipment: 2,000 rows to a shipment, every 15 minutes one."""
    return first_shipment + person // _SHIPMENT_ROWS * _BETWEEN_SHIPMENTS


def shipping_time(rows: int) -> timedelta:
    """The time that it takes to ship so many rows, and a shipment's pause."""
    return shipped_at(_STARTS_AT, rows) - _STARTS_AT + _BETWEEN_SHIPMENTS


def people(rows: int, first_shipment: datetime) -> Iterator[tuple[Any, ...]]:
    """Rows of `warehouse.person`, in the order of its columns."""
    for person in range(rows):
        yield person_row(person, CLIENT, shipped_at(first_shipment, person))


def person_row(person: int, client: str, shipped: datetime) -> tuple[Any, ...]:
    """A row of `warehouse.person`."""
    city, county, country = _CITIES[person % len(_CITIES)]
    return (
        person,
        client,
        email(person),
        _FIRST_NAMES[person % len(_FIRST_NAMES)],
        f"{_SURNAMES[person % len(_SURNAMES)]} {person}",
        _TITLES[person % len(_TITLES)],
        job_title(person),
        f"Company {person % 1_000} Ltd",
        f"{person % 300} Main Street",
        f"Floor {person % 12}",
        None,
        city,
        county,
        f"{20_000 + person % 5_000}",
        country,
        f"+49 40 {person:07d}",
        shipped,
    )


def registrations(rows: int, first_shipment: datetime) -> Iterator[tuple[Any, ...]]:
    """Rows of `warehouse.registration`, in the order of its columns."""
    for person in range(rows):
        shipped = shipped_at(first_shipment, person)
        yield registration_row(person, CLIENT, SESSION_ID, shipped)


def registration_row(
    person: int, client: str, session_id: int, shipped: datetime
) -> tuple[Any, ...]:
    """A row of `warehouse.registration`: each person has one, with the same number."""
    when = registered_at(person)
    return (person, client, session_id, person, "registered", "invitation", when, shipped)


def attendances(rows: int, first_shipment: datetime) -> Iterator[tuple[Any, ...]]:
    """Rows of `warehouse.attendance`, in the order of its columns: everybody came."""
    for person in range(rows):
        shipped = shipped_at(first_shipment, person)
        yield (person, CLIENT, SESSION_ID, person, attended_at(person), 30 + person % 30, shipped)


def records_of_the_org(rows: int, batch: int) -> Iterator[dict[str, list[dict[str, str]]]]:
    """Yields the org's first records by object, so many at a time."""
    everybody = ((home(person), _old_record(person)) for person in range(rows))
    for _ in count():
        records: dict[str, list[dict[str, str]]] = {"Lead": [], "Contact": []}
        some = list(islice(everybody, batch))
        if not some:
            return
        for sobject, record in some:
            if sobject is not None:
                records[sobject].append(record)
        yield records


def _old_record(person: int) -> dict[str, str]:
    record = {
        "LastName": f"{_SURNAMES[person % len(_SURNAMES)]} {person}",
        "Email": email(person),
        "Title": OLD_TITLE,
        "LeadSource": "Web",
    }
    if home(person) == "Lead":
        record["Company"] = "Not asked Ltd"
    return record
