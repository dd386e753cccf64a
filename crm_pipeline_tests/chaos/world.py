"""Several accounts, and everything that can happen around them between two cycles."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import text

from crm_pipeline.accounts.store import add_filter, touch_account, update_settings
from crm_pipeline.ledger.conflicts import decide, open_conflicts
from crm_pipeline.local_org import dml
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.transaction import WriteContext
from crm_pipeline_tests.chaos.evidence import Record, gather
from crm_pipeline_tests.chaos.examiner import examine
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.history import History
from crm_pipeline_tests.chaos.installation import Installation
from crm_pipeline_tests.chaos.member_examiner import STATUSES
from crm_pipeline_tests.chaos.salespeople import Salespeople
from crm_pipeline_tests.chaos.traffic import FILTER, MOST_PEOPLE, Traffic

_KNOWN = text(
    """
    SELECT salesforce_id FROM crm.identity WHERE account_id = :account
    UNION ALL
    SELECT salesforce_id FROM crm.operation WHERE account_id = :account AND kind = 'activity'
    """
)


_KNOWN_IN_ANY_WAY = text(
    """
    SELECT salesforce_id FROM crm.identity WHERE salesforce_id IS NOT NULL
    UNION
    SELECT salesforce_id FROM crm.operation WHERE salesforce_id IS NOT NULL
    UNION
    SELECT member_id FROM crm.campaign_member WHERE member_id IS NOT NULL
    """
)


class World:
    """The clients' platforms, the salespeople of their orgs, and the pipeline between them."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        names = installation.names
        self.traffic = {name: Traffic(name, number) for number, name in enumerate(names, 1)}
        self.salespeople = {
            name: Salespeople(installation.org(name), partial(self._known, name)) for name in names
        }
        self._attended: set[str] = set()
        self._taken_back_at: set[str] = set()
        self._history = History()

    def _known(self, account: str) -> list[str]:
        with self.installation.rows() as rows:
            return list(rows.scalars(_KNOWN, {"account": account}))

    def begin(self, settings: Mapping[str, Mapping[str, Any]]) -> None:
        """Makes the beginning that `restore` puts back; `settings` are the accounts', by name."""
        with self.installation.rows() as rows:
            for name, traffic in self.traffic.items():
                traffic.begin(rows)
                add_filter(rows, name, FILTER)
                update_settings(rows, name, settings.get(name, {}))
        self.installation.save()

    def happens(self, move: str, account: str, pick: int) -> None:
        """One of `MOVES`, at one account."""
        with self.installation.rows() as rows:
            self._history.note(rows, account, self.installation.org(account))
        if move in TAKES_BACK:
            self._taken_back_at.add(account)
        MOVES[move](self, account, pick)

    def comes_to_rest(self) -> None:
        """Lets time pass: only what is older than the overlap is counted, and found to vanish."""
        for account in self.installation.names:
            for move in ("time passes", "registers"):
                self.happens(move, account, LONG)

    def does_what_notes_ask(self) -> list[str]:
        """What is no row's any more is deleted, and fields become as the source says.

        Returns:
            Accounts of which something is to be deleted though the source took nothing back.
        """
        wrong = []
        for account, salespeople in self.salespeople.items():
            org = self.installation.org(account)
            with self.installation.rows() as rows:
                known = set(rows.scalars(_KNOWN_IN_ANY_WAY))
                asked = [each.conflict_id for each in open_conflicts(rows, account)]
                if asked:
                    decide(rows, account, asked, "source")
                    touch_account(rows, account)
            for sobject in ("Event", "CampaignMember", "Lead"):
                for row in list(org.table(sobject).rows.values()):
                    theirs = row["IsDeleted"] or row.get("IsConverted") or row["Id"] in known
                    if theirs or row["Id"] in salespeople.given:
                        continue
                    if account not in self._taken_back_at:
                        wrong.append(f"{account}: {sobject} {row['Id']} is no row's")
                    self.installation.org_acts(account, _deletion(sobject, row["Id"]))
        return wrong

    def examined(self, *, at_rest: bool) -> Findings:
        """Findings of the examiner in all accounts."""
        found = Findings()
        with self.installation.rows() as rows:
            for name, salespeople in self.salespeople.items():
                self._history.note(rows, name, self.installation.org(name))
                evidence = gather(
                    rows,
                    name,
                    self.installation.org(name),
                    given=frozenset(salespeople.given),
                    addresses=salespeople.addresses,
                    said=self._history.said[name],
                    had=self._history.had,
                    touched=frozenset(salespeople.touched),
                    hidden=frozenset(salespeople.hidden),
                    removed=frozenset(salespeople.removed),
                    restored=salespeople.restored,
                    erased=salespeople.erased,
                    renamed=salespeople.renamed,
                )
                found.add(examine(evidence, at_rest=at_rest))
                # An attendance that moves or vanishes takes the status along.
                retracted = any(each.stage == "attended" for each in evidence.former)
                if evidence.campaigns is not None and not retracted:
                    found.wrong += self._taken_back(evidence.campaigns.members)
        return found

    def _taken_back(self, members: Sequence[Record]) -> list[str]:
        """Memberships that were Attended at an examination before, and are so no more."""
        attended = STATUSES["attended"]
        self._attended |= {each["Id"] for each in members if each["Status"] == attended}
        return [
            f"{each['Id']} is {each['Status']}, and was {attended} before"
            for each in members
            if each["Id"] in self._attended and each["Status"] != attended
        ]


def _deletion(sobject: str, record_id: str) -> Callable[[Org, WriteContext], object]:
    return lambda org, context: dml.delete(org, context, sobject, record_id)


def _in_the_warehouse(
    row: Callable[..., None], **details: float
) -> Callable[[World, str, int], None]:
    def move(world: World, account: str, pick: int) -> None:
        with world.installation.rows() as rows:
            row(world.traffic[account], rows, pick, **details)

    return move


def _in_the_org(act: Callable[[Salespeople, int], None]) -> Callable[[World, str, int], None]:
    def move(world: World, account: str, pick: int) -> None:
        act(world.salespeople[account], pick)

    return move


def _meets(world: World, account: str, pick: int) -> None:
    email = f"p{pick % MOST_PEOPLE}@{account}.example.com"
    world.salespeople[account].meets(email, pick)


LONG = 2
"""With this pick, more time passes than what an extract reads twice."""


def _time_passes(world: World, account: str, pick: int) -> None:
    # Sometimes less than what an extract reads twice, sometimes more.
    world.traffic[account].time_passes((1, 7, 45)[pick % 3])


MOVES: Mapping[str, Callable[[World, str, int], None]] = {
    "person": _in_the_warehouse(Traffic.person),
    "registers": _in_the_warehouse(Traffic.registers),
    "registers late": _in_the_warehouse(Traffic.registers, behind=20),
    "registers long ago": _in_the_warehouse(Traffic.registers, behind=3000),
    "registers again": _in_the_warehouse(Traffic.registers_again),
    "cancels": _in_the_warehouse(Traffic.cancels),
    "waits": _in_the_warehouse(Traffic.waits),
    "is approved": _in_the_warehouse(Traffic.is_approved),
    "attends": _in_the_warehouse(Traffic.attends),
    "attends late": _in_the_warehouse(Traffic.attends, behind=20),
    "attends long ago": _in_the_warehouse(Traffic.attends, behind=3000),
    "comes back": _in_the_warehouse(Traffic.comes_back),
    "was no visit": _in_the_warehouse(Traffic.was_no_visit),
    "comes out of order": _in_the_warehouse(Traffic.comes_out_of_order),
    "catches up": _in_the_warehouse(Traffic.catches_up),
    "says": _in_the_warehouse(Traffic.says),
    "answers": _in_the_warehouse(Traffic.answers),
    "changes job": _in_the_warehouse(Traffic.changes),
    "is corrected": _in_the_warehouse(Traffic.changes_address),
    "swap addresses": _in_the_warehouse(Traffic.swaps_addresses),
    "moves": _in_the_warehouse(Traffic.moves),
    "vanishes": _in_the_warehouse(Traffic.deletes),
    "parent vanishes": _in_the_warehouse(Traffic.parent_vanishes),
    "event changes": _in_the_warehouse(Traffic.event_changes),
    "time passes": _time_passes,
    "meets": _meets,
    "edits": _in_the_org(Salespeople.edits),
    "changes address": _in_the_org(Salespeople.changes_address),
    "changes owner": _in_the_org(Salespeople.changes_owner),
    "changes rights": _in_the_org(Salespeople.changes_rights),
    "converts": _in_the_org(Salespeople.converts),
    "merges": _in_the_org(Salespeople.merges),
    "deletes a person": _in_the_org(Salespeople.deletes_person),
    "deletes an activity": _in_the_org(Salespeople.deletes_activity),
    "undeletes": _in_the_org(Salespeople.undeletes),
    "erases": _in_the_org(Salespeople.erases),
    "renames a campaign": _in_the_org(Salespeople.renames_campaign),
}
"""Everything that can happen, by name: in the warehouse, and at the salespeople's."""

TAKES_BACK = (
    *("vanishes", "parent vanishes", "was no visit", "waits", "comes back"),
    # To an address that is rejected, perhaps.
    *("is corrected", "swap addresses", "moves"),
)
"""Moves at the source after which a restored ledger may not know what it sent before them."""

MEANWHILE = (
    "edits",
    "changes address",
    "changes owner",
    "changes rights",
    "converts",
    "merges",
    "deletes a person",
    "deletes an activity",
    "erases",
)
"""Deeds of salespeople in the middle of a cycle. Whoever makes a record by hand, or takes one out
of the bin, just after the pipeline has looked for it makes the second one, and no pipeline can
know; nor does it see a name that a campaign was given just then."""

SALES = ("meets", "renames a campaign", "undeletes", *MEANWHILE)
"""Deeds of salespeople."""
