"""The case of tracked leads: callers, families, corrections, and people who are in the org."""

from collections.abc import Mapping
from typing import Any

from crm_pipeline.accounts.store import add_filter, update_settings
from crm_pipeline.local_org.seeding import seed
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.installation import ATTRIBUTION_FIELDS, Installation
from crm_pipeline_tests.chaos.lead_examiner import Wanted, examine
from crm_pipeline_tests.chaos.story import LATER
from crm_pipeline_tests.flows.webinars.warehouse import add_person, add_sessions, register, track

ATTRIBUTION: Mapping[str, Any] = {
    "id_field": "Tracker_Id__c",
    "first_touch": {"source": "First_Source__c"},
    "last_touch": {"source": "Last_Source__c"},
    "further_fields": {"Recording__c": "recording_url"},
    "phone_region": "DE",
    "triggers": [],
}

X, Y, Z, V, T = (f"030 9018{number}" for number in (20, 21, 22, 23, 24))

FIRST: tuple[Mapping[str, Any], ...] = (
    {"lead": 1, "email": "ada@example.com", "phone": X, "contact_name": "Ada King", "source": "a1"},
    {"lead": 2, "kind": "call", "phone": "+49 30 901820", "source": "a2"},
    {"lead": 3, "kind": "call", "phone": "(030) 901821", "source": "y3"},
    {"lead": 4, "kind": "call", "phone": Z, "source": "z4"},
    {"lead": 5, "kind": "call", "phone": "030 901829", "is_spam": True},
    {"lead": 6, "email": "P1@example.com ", "source": "p6"},
    {"lead": 7, "kind": "call", "phone": V, "source": "v7"},
    {"lead": 8, "email": "new@rival.example.com", "phone": "nobody's"},
    {"lead": 9, "kind": "call", "phone": T, "source": "t9"},
    {"lead": 10, "kind": "fax", "email": "fax@example.com"},
)
"""Leads that the tracker has before the first cycle."""

SECOND: tuple[Mapping[str, Any], ...] = (
    {"lead": 4, "email": "zoe@example.com", "recording_url": "https://calls.example/4"},
    {"lead": 9, "phone": "030 901825"},
    {"lead": 11, "email": "bob@example.com", "phone": "0049 30 901820", "source": "b11"},
    {"lead": 12, "kind": "call", "phone": X, "source": "x12"},
    {"lead": 13, "kind": "text_message", "phone": "030/901822", "source": "z13"},
    {"lead": 14, "email": "ada@example.com", "is_duplicate": True, "source": "a14"},
    {"lead": 15, "email": "p1@example.com", "source": "p15"},
)
"""And what it says anew before the second one."""

WANTED = (
    Wanted("1", "Lead", "ada@example.com", "+4930901820", first="a1", last="a2"),
    Wanted("3", "Contact", None, "030/901821", first="y3", last="y3"),
    Wanted("4", "Lead", "zoe@example.com", "+4930901822", first="z4", last="z13"),
    Wanted("6", "Lead", "p1@example.com", None, first="p6", last="p15"),
    Wanted("7", "Lead", None, "+4930901823", first="v7", last="v7"),
    Wanted("9", "Lead", None, "+4930901825", first="t9", last="t9"),
    Wanted("11", "Lead", "bob@example.com", "+4930901820", first="b11", last="b11"),
    Wanted("12", "Lead", None, "+4930901820", first="x12", last="x12"),
)
"""Everybody whom the tracker knows in the end, by the id of their first lead."""


class LeadCase:
    """The case of the walk: people who are in the org already, and two cycles of tracked leads."""

    def __init__(self, installation: Installation, settings: Mapping[str, Any]) -> None:
        self._installation = installation
        client = installation.names[0]
        seed(
            installation.org(),
            {
                "Lead": [{"LastName": "Byron", "Company": "Old", "Email": "ADA@example.com"}],
                "Contact": [
                    {"LastName": "Known", "Phone": "030/901821"},
                    {"LastName": "Anna", "Phone": V, "Email": "anna@example.com"},
                    {"LastName": "Otto", "MobilePhone": "+4930901823", "Email": "o@example.com"},
                ],
            },
        )
        with installation.rows() as rows:
            update_settings(rows, client, settings)
            add_filter(rows, client, "rival")
            add_sessions(rows, 1, client=client)
            add_person(rows, 1, client=client, phone_1="")
            register(rows, 1, 1, client=client, minute=3)
        self._track(FIRST, 0)

    def goes_on(self) -> None:
        """As `Case`."""
        self._track(SECOND, LATER)
        with self._installation.rows() as rows:
            register(rows, 2, 1, client=self._installation.names[0], minute=LATER)

    def examined(self) -> Findings:
        """As `Case`."""
        with self._installation.rows() as rows:
            return examine(rows, self._records("Lead"), self._records("Contact"), WANTED)

    def picture(self) -> list[Any]:
        """As `Case`."""
        shown = ("FirstName", "LastName", "Company", "Email", "Phone", "LeadSource")
        people = [
            tuple(record.get(name) for name in (*shown, *ATTRIBUTION_FIELDS))
            for sobject in ("Lead", "Contact")
            for record in self._records(sobject)
        ]
        return [*sorted(people, key=repr), len(self._records("Event"))]

    def _track(self, leads: tuple[Mapping[str, Any], ...], minute: float) -> None:
        with self._installation.rows() as rows:
            for place, said in enumerate(leads):
                columns = {name: value for name, value in said.items() if name != "lead"}
                client = self._installation.names[0]
                track(rows, said["lead"], client=client, minute=minute + place, **columns)

    def _records(self, sobject: str) -> list[Any]:
        rows = self._installation.org().table(sobject).rows.values()
        return [each for each in rows if not each["IsDeleted"]]
