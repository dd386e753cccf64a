"""The small case: everything that can be different about a person, twice over."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, text

from crm_pipeline.accounts.store import add_filter, update_settings
from crm_pipeline.ledger.campaigns import add_campaign_link
from crm_pipeline.local_org.lifecycle import convert, merge
from crm_pipeline.local_org.seeding import seed
from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.chaos.installation import Installation
from crm_pipeline_tests.flows.webinars.warehouse import (
    LONG_AGO,
    add_person,
    add_sessions,
    attend,
    insert,
    register,
)

# As the warehouse has him: what the org has of him does not depend on when he is first met.
_TENTH = {
    "Email": "p10@example.com",
    "FirstName": "First 10",
    "LastName": "Last 10",
    "Company": "Company 10",
    "Country": "GB",
    "LeadSource": "Webinar",
}

FAIR = 3
"""The event whose campaign somebody has named."""

DAY = 24 * 60.0

LATER = 120.0
"""Minutes after the first rows when the second ones come: beyond what an extract reads twice."""


@dataclass(frozen=True, slots=True)
class Told:
    """A story's beginning, as the harness has to know it: the records that were in the org."""

    given: frozenset[str]
    ids: Mapping[str, str] = field(default_factory=dict)


Chapter = Callable[[Installation, Told], None]


def begin(installation: Installation, settings: Mapping[str, Any]) -> Told:
    """The account, the org and the warehouse before the first cycle."""
    name = installation.names[0]
    ids = _seed(installation.org())
    with installation.rows() as rows:
        update_settings(rows, name, settings)
        add_filter(rows, name, "rival")
        add_sessions(rows, 1, 2, client=name)
        _first_rows(rows, name)
        if "campaigns" in settings:
            ids |= _a_fair(rows, installation.org(), name, member=ids["third"])
    return Told(frozenset(ids.values()), ids)


def _seed(org: Org) -> dict[str, str]:
    """A lead, a contact, a converted lead and its contact, two leads with one address."""
    accounts = seed(org, {"Account": [{"Name": "Fourth Inc"}]})["Account"]
    contacts = seed(
        org,
        {
            "Contact": [
                {"LastName": "Third", "Email": "p3@example.com", "MobilePhone": "333"},
                {"LastName": "Fourth", "Email": "elsewhere@example.com", "AccountId": accounts[0]},
            ]
        },
    )["Contact"]
    leads = seed(
        org,
        {
            "Lead": [
                {"LastName": "Second", "Company": "Two", "Email": "P2@Example.com"},
                {
                    "LastName": "Fourth",
                    "Company": "Four",
                    "Email": "p4@example.com",
                    "IsConverted": True,
                    "ConvertedContactId": contacts[1],
                    "ConvertedAccountId": accounts[0],
                },
                {**_TENTH, "CreatedDate": "2019-01-01T00:00:00.000+0000"},
                {**_TENTH, "CreatedDate": "2020-01-01T00:00:00.000+0000"},
            ]
        },
    )["Lead"]
    names = ("second", "fourth lead", "tenth", "tenth again")
    return {
        "fourth account": accounts[0],
        "third": contacts[0],
        "fourth": contacts[1],
        **dict(zip(names, leads, strict=True)),
    }


def _first_rows(rows: Connection, client: str) -> None:
    for person in (1, 2, 3, 4, 10, 11):
        add_person(rows, person, client=client)
    add_person(rows, 5, "p5@rival.example.com", client=client)
    add_person(rows, 6, "same@example.com", client=client)
    add_person(rows, 7, " SAME@example.com", client=client)
    add_person(rows, 8, "", client=client)
    add_person(rows, 9, "no address", client=client)
    for number in (1, 2, 3, 4, 5, 8, 9, 10):
        register(rows, number, number, client=client, minute=number)
    # Alike in all that the org shows: one person, one kind, one minute.
    register(rows, 6, 6, 1, client=client, minute=6)
    register(rows, 7, 7, 2, client=client, minute=6)
    attend(rows, 11, 11, 1, client=client, minute=11)
    attend(rows, 12, 11, 2, client=client, minute=11)
    attend(rows, 1, 1, client=client, minute=12)
    poll(rows, 1, attendance=1, client=client, minute=13)
    # Left, and came back.
    attend(rows, 13, 1, client=client, minute=13)
    register(rows, 16, 4, 2, client=client, minute=15)
    _change(rows, "registration", 16, minute=15, status="waitlisted")
    # Of a session that is shipped later.
    register(rows, 15, 11, 4, client=client, minute=15)
    # A composite would take this for a reference: it has to travel by itself.
    say(rows, 1, "see @{this}", attendance=1, client=client, minute=14)


def _a_fair(rows: Connection, org: Org, client: str, *, member: str) -> dict[str, str]:
    """Another event, whose campaign is there and has a member, but not the statuses."""
    [campaign] = seed(org, {"Campaign": [{"Name": "The fair"}]})["Campaign"]
    seed(
        org,
        {"CampaignMember": [{"CampaignId": campaign, "ContactId": member, "Status": "Sent"}]},
    )
    event = {"client_id": client, "starts_at": _at(0), "ends_at": _at(0), "shipped_at": _at(0)}
    insert(rows, "event", event_id=FAIR, name="Fair", **event)
    insert(rows, "event_session", event_session_id=3, event_id=FAIR, title="Fair", **event)
    add_campaign_link(rows, client, str(FAIR), campaign)
    for number, person in ((21, 1), (22, 2), (23, 3)):
        register(rows, number, person, 3, client=client, minute=number)
    attend(rows, 22, 2, 3, client=client, minute=24)
    return {"fair": campaign}


def goes_on(installation: Installation, told: Told) -> None:
    """Lets salespeople and the warehouse go on between the two cycles."""
    org, client = installation.org(), installation.names[0]
    convert(org, told.ids["second"])
    merge(org, "Lead", told.ids["tenth again"], [told.ids["tenth"]])
    with installation.rows() as rows:
        change_person(rows, 2, minute=LATER, job_title="Head of Twos")
        change_person(rows, 10, minute=LATER, phone_1="+44 10")
        change_person(rows, 3, minute=LATER, job_title="Head of Threes")
        say(rows, 2, "and then", attendance=1, client=client, minute=LATER + 1)
        register(rows, 13, 1, 2, client=client, minute=LATER + 2)
        register(rows, 14, 3, 2, client=client, minute=LATER + 2)
        add_person(rows, 12, client=client)
        register(rows, 12, 12, client=client, minute=LATER + 3)
        attend(rows, 6, 6, client=client, minute=LATER + 4)
        attend(rows, 4, 4, client=client, minute=LATER + 4)
        # Came back once more; and one who was on the waiting list is registered.
        attend(rows, 14, 1, client=client, minute=LATER + 4)
        _change(rows, "registration", 16, minute=LATER + 4, status="registered")
        _change(rows, "attendance", 12, minute=LATER + 4, kind="on_demand")
        _the_source_corrects_itself(rows, client)


def _the_source_corrects_itself(rows: Connection, client: str) -> None:
    """Addresses, whose a registration is, an event's name and days; what was missing comes."""
    # Of one who is in the org, and of one who could not be until now.
    change_person(rows, 11, minute=LATER + 5, email="eleventh@example.com")
    change_person(rows, 9, minute=LATER + 5, email="p9@example.com")
    _change(rows, "registration", 1, minute=LATER + 6, person_id=11)
    [event] = rows.scalars(
        text("SELECT event_id FROM warehouse.event_session WHERE event_session_id = 1")
    )
    days = {"starts_at": _at(1 * DAY), "ends_at": _at(2 * DAY)}
    _change(rows, "event", event, minute=LATER + 7, name="Expo, put off", **days)
    session = {"event_id": event, "client_id": client, "title": "Late", **days}
    insert(rows, "event_session", event_session_id=4, shipped_at=_at(LATER + 8), **session)


def change_person(rows: Connection, person: int, *, minute: float, **columns: Any) -> None:
    """Another version of a person's row, shipped then."""
    _change(rows, "person", person, minute=minute, **columns)


def _change(rows: Connection, table: str, number: int, *, minute: float, **columns: Any) -> None:
    changes = ", ".join(f"{name} = :{name}" for name in columns)
    rows.execute(
        text(
            f"UPDATE warehouse.{table} SET {changes}, shipped_at = :at WHERE {table}_id = :number"
        ),
        {**columns, "number": number, "at": _at(minute)},
    )


def poll(rows: Connection, number: int, *, attendance: int, client: str, minute: float) -> None:
    """A question of the first session and the attendee's answer."""
    at = _at(minute)
    insert(
        rows,
        "poll_question",
        poll_question_id=number,
        client_id=client,
        event_session_id=1,
        position=number,
        question=f"Question {number}?",
        shipped_at=at,
    )
    insert(
        rows,
        "poll_answer",
        poll_answer_id=number,
        client_id=client,
        poll_question_id=number,
        attendance_id=attendance,
        answer=f"Answer {number}",
        answered_at=at,
        shipped_at=at,
    )


def say(
    rows: Connection, number: int, message: str, *, attendance: int, client: str, minute: float
) -> None:
    """A chat message of the attendee."""
    at = _at(minute)
    insert(
        rows,
        "chat_message",
        chat_message_id=number,
        client_id=client,
        attendance_id=attendance,
        message=message,
        sent_at=at,
        shipped_at=at,
    )


def _at(minute: float) -> Any:
    return LONG_AGO + timedelta(minutes=minute)
