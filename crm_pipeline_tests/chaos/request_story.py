"""The case of requests: people to be removed or left alone, feedback, data, tickets in the org."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import requests
from sqlalchemy import text

from crm_pipeline.accounts.store import update_settings
from crm_pipeline.inbound.keys import make_key
from crm_pipeline.inbound.scanning import places_of
from crm_pipeline.inbound.tombstone_file import tombstone_file
from crm_pipeline.listener.server import Listener
from crm_pipeline_tests.chaos.badge_examiner import OPEN
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.installation import Installation
from crm_pipeline_tests.chaos.story import LATER, change_person
from crm_pipeline_tests.flows.webinars.warehouse import (
    LONG_AGO,
    add_person,
    add_sessions,
    attend,
    insert,
    register,
)

INBOUND: Mapping[str, Any] = {
    "users_in_org": True,
    "feedback_in_org": {},
    "macros": {
        "delete": {"does": "erase", "in_org": "delete"},
        "blank": {"does": "erase", "in_org": "anonymize"},
        "leave": {"does": "erase", "in_org": "leave"},
        "pause": {"does": "suppress"},
        "mail": {"does": "tell", "platform_macro": "Send mail"},
    },
    "listeners": {name: {"macro": name} for name in ("delete", "blank", "leave", "pause", "mail")},
    "external_sources": {
        "bugs": {
            "project": "Beta",
            "feedback_type": "Bug",
            "form": {"title": {"required": True}},
            "mapping": {"Subject": "title"},
            "submitter": "Email",
            "default_submitter": "6",
        }
    },
    "user_data": {"plan": {"mapping": {"Plan__c": "plan"}}},
}

PEOPLE, ERASED = range(1, 9), (1, 2, 6, 8)

Asked = tuple[str, Mapping[str, str] | None]
"""A path with its query, and the body."""


def address_of(person: int) -> str:
    """The address of one of the people; those who are to be erased have a name of their own."""
    return f"{'goner' if person in ERASED else 'p'}{person}@example.com"


def _removal(listener: str, person: int) -> Asked:
    return f"userMacroListeners/{listener}?find={quote(address_of(person))}", None


FIRST: tuple[Asked, ...] = (
    _removal("delete", 1),
    _removal("blank", 2),
    _removal("pause", 3),
    _removal("mail", 4),
    ("externalSources/bugs", {"Subject": "It breaks", "Email": address_of(4)}),
    ("externalSources/bugs", {"Subject": "By the first", "Email": address_of(1)}),
    ("userData/plan?find=p5%40example.com", {"Plan__c": "gold"}),
)
"""Requests before the first cycle; the submitter of one is removed by then."""

SECOND: tuple[Asked, ...] = (*FIRST, _removal("leave", 6), _removal("delete", 8))
"""And before the second one: all of them again, and further ones."""

WANTED = {
    ("removal", "done"): 5,
    ("macro", "done"): 1,
    ("feedback", "done"): 2,
    ("user_data", "done"): 1,
}
"""Requests that there are in the end, by kind and state."""


class RequestCase:
    """The case of the walk: people and tickets that are in the org, and two rounds of requests."""

    def __init__(self, installation: Installation, settings: Mapping[str, Any]) -> None:
        self._installation = installation
        self._client = installation.names[0]
        installation.org().config.bulk_hard_delete = True
        with installation.rows() as rows:
            update_settings(rows, self._client, settings)
            self._key = make_key(rows, self._client)
            add_sessions(rows, 1, client=self._client)
            for person in PEOPLE:
                add_person(rows, person, address_of(person), client=self._client)
                register(rows, person, person, client=self._client, minute=person)
                _add_ticket(rows, person, self._client)
        self._listener = installation.beside.enter_context(Listener(installation.engine))
        ended = installation.cycle()
        if ended.state != "Complete":
            raise AssertionError(f"in good weather: {ended}")
        with installation.rows() as rows:
            # Of one who is not in the org yet, and of one who has changed.
            add_person(rows, 9, client=self._client)
            register(rows, 9, 9, client=self._client, minute=9)
            change_person(rows, 1, minute=10, job_title="Chief")
            change_person(rows, 7, minute=10, job_title="Chief")
        self._first = [self._ask(each) for each in FIRST]
        self._again: list[str] = []
        kept = tombstone_file().read_bytes()
        installation.restored.append(lambda: (tombstone_file().write_bytes(kept), None)[1])

    def goes_on(self) -> None:
        """As `Case`."""
        self._again = [self._ask(each) for each in SECOND]
        with self._installation.rows() as rows:
            for person in (1, 2, 3, 4):
                attend(rows, person, person, client=self._client, minute=LATER)
            rows.execute(
                text("UPDATE warehouse.feedback_ticket SET status = 'Closed', shipped_at = :at"),
                {"at": LONG_AGO + timedelta(minutes=LATER)},
            )

    def examined(self) -> Findings:
        """As `Case`."""
        found = Findings()
        for asked, first, again in zip(FIRST, self._first, self._again, strict=False):
            if first != again:
                found.wrong.append(f"{asked} is {first} first, and then {again}")
        with self._installation.rows() as rows:
            states = rows.execute(
                text("SELECT kind, state, count(*) AS number FROM crm.request GROUP BY 1, 2")
            )
            numbers = {(row.kind, row.state): row.number for row in states}
            if numbers != WANTED:
                found.wrong.append(f"the requests are {numbers}, and not {WANTED}")
            told = text(
                "SELECT topic || ' ' || about || ' is told again' FROM platform_inbox.message"
                " GROUP BY topic, about HAVING count(*) > 1"
            )
            found.doubled += rows.scalars(told)
            queued = text(
                "SELECT natural_key || ' is ' || state FROM crm.operation WHERE state = any(:open)"
            )
            found.queued += rows.scalars(queued, {"open": list(OPEN)})
        found.wrong += [
            f"somebody who was erased is in {place}"
            for place, _ in places_of(self._installation.engine, "goner")
            if not place.startswith("saved.")
        ]
        return found

    def picture(self) -> list[Any]:
        """As `Case`."""
        people = {each["Id"]: each for s in ("Lead", "Contact") for each in self._records(s)}
        leads = [(each["Email"], each["LastName"], each.get("Title")) for each in people.values()]
        tickets = [
            (each["Name"], each.get("Status__c"), people.get(each.get("Lead__c"), {}).get("Email"))
            for each in self._records("Feedback__c")
        ]
        events = [
            (each["Subject"], people.get(each["WhoId"], {}).get("Email"))
            for each in self._records("Event")
        ]
        with self._installation.rows() as rows:
            told = rows.execute(text("SELECT topic, body::text FROM platform_inbox.message"))
            messages = [(row.topic, row.body) for row in told if row.topic != "feedback"]
        return [
            *(sorted(each, key=repr) for each in (leads, tickets, events, messages)),
            [
                each
                for each in self._installation.org().table("Lead").rows.values()
                if each["IsDeleted"]
            ],
        ]

    def _ask(self, asked: Asked) -> str:
        """Asks as Salesforce does; returns the request's id."""
        path, body = asked
        answer = requests.post(
            f"{self._listener.url}/api/v1/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self._key}"},
            timeout=30,
        )
        if answer.status_code != 202:
            raise AssertionError(f"{path}: {answer.status_code} {answer.text}")
        return str(answer.json()["id"])

    def _records(self, sobject: str) -> list[Any]:
        rows = self._installation.org().table(sobject).rows.values()
        return [each for each in rows if not each["IsDeleted"]]


def _add_ticket(rows: Any, person: int, client: str) -> None:
    insert(
        rows,
        "feedback_ticket",
        ticket_id=f"{client}:{person}",
        client_id=client,
        project="Beta",
        feedback_type="Bug",
        team="Participants",
        status="New",
        submitter_id=person,
        title=f"Ticket {person}",
        submitted_at=LONG_AGO,
        shipped_at=LONG_AGO,
    )
