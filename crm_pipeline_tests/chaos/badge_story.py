"""The small flow's case: badges that change, vanish and come back, and people who edit them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text

from crm_pipeline.accounts.store import update_settings
from crm_pipeline.ledger.read_back import hint
from crm_pipeline.local_org import dml
from crm_pipeline.local_org.lifecycle import convert, merge
from crm_pipeline.local_org.recycle_bin import erase, undelete
from crm_pipeline.local_org.schema import Row
from crm_pipeline.local_org.seeding import seed
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.transaction import WriteContext, committed
from crm_pipeline_tests.chaos.badge_examiner import Evidence, examine, living
from crm_pipeline_tests.chaos.badge_rows import GONE, badges, deeds, make_tables, note_deed, put
from crm_pipeline_tests.chaos.cycle_process import BADGES
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.installation import Installation
from crm_pipeline_tests.chaos.salespeople import colleague
from crm_pipeline_tests.flows.webinars.warehouse import add_person, add_sessions, register
from crm_pipeline_tests.small_flow.badges import Badge

PERSON, ADDRESS = 1, "holder@example.com"
"""Of the warehouse, to whom some badges belong."""

BEFORE = (
    Badge(1, lines={1: "first", 2: "second"}, told=True),
    Badge(2, lines={1: "first", 2: "second"}),
    Badge(3, lines={1: "first"}),
    Badge(4, lines={1: "first"}),
    Badge(5, lines={1: "first", 2: "second"}),
    Badge(6, lines={1: "first"}),
    Badge(7),
    Badge(8, told=True),
    Badge(9, gone=True),
    Badge(10),
    Badge(11, person=PERSON),
    Badge(12, lines={1: "first"}),
    Badge(15, lines={1: "first"}),
    Badge(16, lines={1: "first"}),
    Badge(17),
)
"""Badges that were brought to the org in good weather, before anything is broken."""

FIRST = (
    Badge(1, 2, lines={2: "second anew", 3: "third"}, told=True, at=1),
    Badge(2, gone=True, at=1),
    Badge(4, gone=True, at=1),
    Badge(13, lines={1: "first", 2: "second"}, told=True, calls=True, at=1),
    Badge(14, lines={1: "first"}, at=1),
    Badge(15, 2, lines={1: "first"}, at=1),
    Badge(18, person=PERSON, at=1),
)
"""Badges that the source says anew before the first cycle."""

SECOND = (
    Badge(1, 3, lines={1: "first again", 3: "third"}, told=True, at=2),
    Badge(2, lines={2: "second again"}, at=2),
    Badge(5, 2, lines={1: "first", 2: "second anew"}, at=2),
    Badge(7, 2, at=2),
    Badge(8, 2, told=True, at=2),
    Badge(9, 4, lines={1: "first"}, at=2),
    Badge(12, gone=True, at=2),
    Badge(14, gone=True, at=2),
    Badge(16, 2, lines={1: "first"}, at=2),
)
"""And before the second one."""


class BadgePeople:
    """People who change badges in an org, and what they did in the tables of the source."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation

    def edits(self, number: int) -> None:
        """The holder of a badge is written anew."""
        if (badge := self._find(number)) is not None:
            holder = f"By hand {self._number_of_deeds()}"
            with committed(_context(self._org)) as context:
                context.change(self._org.table("Badge__c"), {**badge, "Holder__c": holder})
            self._note(number, "edited", holder)

    def deletes(self, number: int) -> None:
        """A badge is deleted; its lines stay, and belong to none."""
        if (badge := self._find(number)) is not None:
            with committed(_context(self._org)) as context:
                dml.delete(self._org, context, "Badge__c", badge["Id"])
            self._note(number, "deleted")

    def undeletes(self, number: int) -> None:
        """A badge that people deleted is taken out of the bin, unless one was made in its stead."""
        with self._installation.rows() as rows:
            gone = {badge.number for badge in badges(rows) if badge.gone}
            done = [each.deed for each in deeds(rows).get(number, ()) if each.deed != "edited"]
        if self._find(number) is not None or number in gone or done[-1:] != ["deleted"]:
            return
        bin_ = [each for each in self._rows() if each["Badge_Key__c"] == str(number)]
        if bin_:
            with committed(_context(self._org)) as context:
                undelete(context, self._org.table("Badge__c"), bin_[-1]["Id"])
            self._note(number, "undeleted")

    def erases(self, number: int) -> None:
        """A badge is deleted for good, past the bin: the org tells nothing of that."""
        if (badge := self._find(number)) is not None:
            with committed(_context(self._org)) as context:
                dml.delete(self._org, context, "Badge__c", badge["Id"])
                erase(context, self._org.table("Badge__c"), badge["Id"])
            self._note(number, "erased")

    def converts(self) -> None:
        """The person of the badges, a Lead, becomes a Contact."""
        for lead in self._leads():
            convert(self._org, lead["Id"], user_id=colleague(self._org))
            self._hint()

    def merges(self) -> None:
        """The person turns out to be a Lead that somebody makes by hand."""
        for lead in self._leads():
            made = {"LastName": "By hand", "Company": "By hand", "Email": lead["Email"]}
            [master] = seed(self._org, {"Lead": [made]})["Lead"]
            merge(self._org, "Lead", master, [lead["Id"]], user_id=colleague(self._org))
            self._hint()

    def _leads(self) -> list[Row]:
        """The Lead of the person, once the pipeline knows it."""
        with self._installation.rows() as rows:
            known = set(rows.scalars(text("SELECT salesforce_id FROM crm.identity")))
        return [
            each
            for each in living(self._org.table("Lead").rows.values())
            if each["Id"] in known and not each["IsConverted"]
        ]

    @property
    def _org(self) -> Org:
        return self._installation.org()

    def _rows(self) -> list[Row]:
        return list(self._org.table("Badge__c").rows.values())

    def _find(self, number: int) -> Row | None:
        found = living(self._rows())
        return next((each for each in found if each["Badge_Key__c"] == str(number)), None)

    def _number_of_deeds(self) -> int:
        with self._installation.rows() as rows:
            return sum(map(len, deeds(rows).values()))

    def _note(self, number: int, deed: str, holder: str | None = None) -> None:
        with self._installation.rows() as rows:
            note_deed(rows, number, deed, holder)
        self._hint()

    def _hint(self) -> None:
        with self._installation.rows() as rows:
            hint(rows, self._installation.names[0])


def _context(org: Org) -> WriteContext:
    return WriteContext(org, colleague(org))


class BadgeSource:
    """The source with its tables, and the platform that is told.

    Where badges are left once they are deleted, the platform is told by HTTP, else in tables.
    """

    def __init__(self, installation: Installation, settings: Mapping[str, Any]) -> None:
        self.installation = installation
        self.people = BadgePeople(installation)
        self._leaves = installation.environment[BADGES] == "leave"
        with installation.rows() as rows:
            update_settings(rows, installation.names[0], settings)
            make_tables(rows)
            client = installation.names[0]
            add_sessions(rows, 1, client=client)
            add_person(rows, PERSON, ADDRESS, client=client)
            register(rows, 1, PERSON, client=client)
        self._inbox = installation.told_by_http() if self._leaves else None

    def put(self, *these: Badge) -> None:
        """The source says this of badges from now on."""
        with self.installation.rows() as rows:
            for badge in these:
                put(rows, badge)
                if badge.gone:
                    note_deed(rows, badge.number, GONE)

    def evidence(self) -> Evidence:
        """All that there is to be examined."""
        org = self.installation.org()
        with self.installation.rows() as rows:
            return Evidence.gathered(
                rows,
                badges(rows),
                deeds(rows),
                org.table("Badge__c").rows.values(),
                org.table("Line__c").rows.values(),
                [*org.table("Lead").rows.values(), *org.table("Contact").rows.values()],
                None if self._inbox is None else list(self._inbox.messages.values()),
                leaves=self._leaves,
            )


class BadgeCase:
    """The case of the walk: badges that were there, and two cycles."""

    def __init__(self, installation: Installation, settings: Mapping[str, Any]) -> None:
        self._source = BadgeSource(installation, settings)
        self._people = self._source.people
        self._source.put(*BEFORE)
        # The first reading of an object begins with what it finds: what was there is no news.
        for _ in range(2):
            ended = installation.cycle()
            if ended.state != "Complete":
                raise AssertionError(f"in good weather: {ended}")
        self._people.edits(11)
        self._people.deletes(10)
        self._people.deletes(15)
        self._people.merges()
        self._source.put(*FIRST)

    def goes_on(self) -> None:
        """Lets people and the source go on between the two cycles."""
        self._people.edits(3)
        self._people.edits(7)
        self._people.deletes(5)
        self._people.deletes(6)
        self._people.deletes(12)
        self._people.edits(11)
        self._people.undeletes(15)
        self._people.erases(16)
        self._people.erases(17)
        self._people.converts()
        self._source.put(*SECOND)

    def examined(self) -> Findings:
        """Findings of the examiner now."""
        return examine(self._source.evidence())

    def picture(self) -> list[Any]:
        """The org's records, without ids and times."""
        evidence = self._source.evidence()
        keys = {each["Id"]: each["Badge_Key__c"] for each in evidence.org_badges}
        return sorted(
            [
                *(
                    ("badge", each["Badge_Key__c"], each["Level__c"], each["Holder__c"])
                    for each in living(evidence.org_badges)
                ),
                *(
                    ("line", each["Line_Key__c"], each["Text__c"], keys.get(each["Badge__c"]))
                    for each in living(evidence.org_lines)
                ),
            ],
            key=repr,
        )
