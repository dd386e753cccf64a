"""The case of opportunities: leads that call, are converted, merged, won, lost, deleted; told back.

Where the account's leads go by bulk jobs, the platform is told by HTTP, else in tables.
"""

from collections.abc import Mapping
from typing import Any

from crm_pipeline.accounts.store import update_settings
from crm_pipeline.ledger.read_back import hint
from crm_pipeline.local_org.seeding import seed
from crm_pipeline_tests.chaos.deal_examiner import Evidence, examine, last_told
from crm_pipeline_tests.chaos.dealings import STAGES, Dealings
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.installation import LEAD_ON_OPPORTUNITY, Installation
from crm_pipeline_tests.chaos.lead_story import ATTRIBUTION
from crm_pipeline_tests.chaos.marks import Marks
from crm_pipeline_tests.chaos.people_examiner import PeopleExamination
from crm_pipeline_tests.chaos.story import LATER
from crm_pipeline_tests.flows.webinars.warehouse import track

DEALS: Mapping[str, Any] = {
    **ATTRIBUTION,
    "opportunity_id_field": LEAD_ON_OPPORTUNITY,
    "triggers": ["new", "updated", "matching_filter"],
    "opportunity_filter": [{"field": "Amount", "operator": ">=", "value": 10}],
    "split": "equal",
    "first_touch_policy": "unless_edited",
}
"""The account's choices: both directions."""

FIRST: tuple[Mapping[str, Any], ...] = (
    {"lead": 1, "email": "ada@example.com", "phone": "030 901820", "source": "a1"},
    {"lead": 2, "kind": "call", "phone": "+49 30 901820", "source": "a2"},
    {"lead": 3, "kind": "call", "phone": "(030) 901821", "source": "k3"},
    {"lead": 4, "kind": "call", "phone": "030 901822", "source": "z4"},
    {"lead": 5, "email": "eve@example.com", "source": "e5"},
    {"lead": 6, "email": "fay@example.com", "source": "f6"},
)
SECOND: tuple[Mapping[str, Any], ...] = (
    {"lead": 4, "recording_url": "https://calls.example/4"},
    {"lead": 7, "kind": "call", "phone": "030/901822", "source": "z7"},
    {"lead": 8, "email": "gil@example.com", "source": "g8"},
)
THIRD: tuple[Mapping[str, Any], ...] = (
    {"lead": 6, "is_spam": True},
    {"lead": 8, "source": "g8 after all"},
    {"lead": 9, "kind": "chat", "email": "EVE@example.com ", "source": "e9"},
)

_SHOWN = ("standing", "amount", "closed_amount", "currency", "stage", "close_date")


class DealCase:
    """The case of the walk: leads and opportunities that were read, and two cycles."""

    def __init__(self, installation: Installation, settings: Mapping[str, Any]) -> None:
        self._installation = installation
        self._inbox = installation.told_by_http() if settings["route"] == "bulk" else None
        with installation.rows() as rows:
            update_settings(rows, installation.names[0], settings)
        self._people = Dealings(installation.org(), list)
        contacts = [{"LastName": "Known", "Phone": "030/901821"}, {"LastName": "Gil"}]
        self._known, self._gil = seed(installation.org(), {"Contact": contacts})["Contact"]
        self._track(FIRST, 0)
        self._deals = {
            "Old": self._people.open("Old", self._known, Amount=100),
            "Alone": self._people.open("Alone", Amount=20.5),
            "Named": self._people.open("Named", Amount=7, **{LEAD_ON_OPPORTUNITY: "5"}),
            "Gone": self._people.open("Gone", self._known, Amount=9),
            "Late": self._people.open("Late", Amount=11, **{LEAD_ON_OPPORTUNITY: "3"}),
            "Lost": self._people.open("Lost", Amount=1000, **{LEAD_ON_OPPORTUNITY: "6"}),
        }
        self._people.delete("Opportunity", self._deals["Gone"])
        for _ in range(2):
            self._happened()
            ended = installation.cycle()
            if ended.state != "Complete":
                raise AssertionError(f"in good weather: {ended}")
        self._begins()

    def _begins(self) -> None:
        """Before the first cycle that is broken: a conversion, five moves of a stage, a role."""
        people, deals = self._people, self._deals
        self._leads = {str(each.get("Email")): each["Id"] for each in people.living("Lead")}
        engines = people.convert(self._leads["ada@example.com"], opportunity_name="Engines")
        assert engines.opportunity_id is not None
        for stage in (STAGES[1], STAGES[2], STAGES[1], STAGES[2], STAGES[3]):
            people.edit(engines.opportunity_id, StageName=stage, Amount=1000.01)
        self._ada = engines.contact_id
        people.role(deals["Old"], self._ada)
        people.edit(deals["Old"], StageName="Closed Lost", CurrencyIsoCode="EUR")
        people.convert(self._leads["None"], opportunity_id=deals["Alone"])
        people.open("None yet", self._gil, Amount=3)
        self._track(SECOND, LATER)
        self._happened()

    def goes_on(self) -> None:
        """As `Case`."""
        self._marks = Marks()
        self._marks.note(self._installation.org())
        people, deals = self._people, self._deals
        people.edit(deals["Late"], hold_seconds=100_000, Amount=12, StageName=STAGES[1])
        eve = people.convert(self._leads["eve@example.com"]).contact_id
        people.edit(deals["Old"], StageName="Closed Won", Amount=100.01)
        people.merge("Contact", eve, self._ada)
        people.merge("Contact", eve, self._known)
        people.delete("Opportunity", deals["Named"])
        people.undelete(deals["Gone"])
        people.role(people.open("Shared", eve, Amount=50), self._gil)
        self._track(THIRD, 2 * LATER)
        self._happened()

    def _happened(self) -> None:
        """Somebody says that the org has changes."""
        with self._installation.rows() as rows:
            hint(rows, self._installation.names[0])

    def examined(self) -> Findings:
        """As `Case`."""
        evidence = self._evidence()
        found = examine(evidence)
        given = frozenset((*self._people.given, self._known, self._gil))
        found.add(PeopleExamination(evidence, given, frozenset("6"), follows=True).findings())
        return found

    def picture(self) -> list[Any]:
        """What the platform knows, and the org's people; without ids and times."""
        evidence = self._evidence()
        names = {each["Id"]: each["Name"] for each in evidence.opportunities}
        told = [
            (
                body["lead"],
                names[body["opportunity"]],
                *(body[name] for name in _SHOWN),
                [each["stage"] for each in body["history"]],
                (body["match"] or {}).get("rule"),
                (body["match"] or {}).get("part"),
                *sorted(body["fired"]),
            )
            for body in last_told(evidence).values()
        ]
        shown = ("LastName", "Email", "Phone", "Tracker_Id__c", "First_Source__c", "Last_Source__c")
        people = [
            tuple(each.get(name) for name in shown)
            for each in evidence.people.values()
            if not (each["IsDeleted"] or each.get("IsConverted"))
        ]
        return sorted([*told, *people], key=repr)

    def _evidence(self) -> Evidence:
        installation = self._installation
        inbox = None if self._inbox is None else self._inbox.messages.values()
        with installation.rows() as rows:
            return Evidence.gathered(
                rows, installation.names[0], installation.org(), self._marks, inbox
            )

    def _track(self, leads: tuple[Mapping[str, Any], ...], minute: float) -> None:
        client = self._installation.names[0]
        with self._installation.rows() as rows:
            for place, said in enumerate(leads):
                columns = {name: value for name, value in said.items() if name != "lead"}
                track(rows, said["lead"], client=client, minute=minute + place, **columns)
