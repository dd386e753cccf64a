"""Salespeople at work on opportunities in an org: they convert, give roles, win, merge, delete."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from crm_pipeline.local_org import dml
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.lifecycle import Converted, convert, merge
from crm_pipeline.local_org.open_transactions import end_all
from crm_pipeline.local_org.recycle_bin import in_bin, undelete
from crm_pipeline.local_org.schema import Row
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.transaction import WriteContext, committed
from crm_pipeline_tests.chaos.badge_examiner import living
from crm_pipeline_tests.chaos.installation import ATTRIBUTION_FIELDS, LEAD_ON_OPPORTUNITY
from crm_pipeline_tests.chaos.salespeople import colleague

STAGES = ("Prospecting", "Qualification", "Negotiation/Review", "Closed Won", "Closed Lost")
CURRENCIES = ("USD", "EUR")
_UNTIL_IT_IS_ENDED = 100_000.0


class Dealings:
    """People who work on opportunities in one org. The caller chooses by `pick`, as in `Traffic`.

    A record that somebody else's long transaction holds is left alone. One that the pipeline has
    made, and of which it was never told, is merged into no other (`Salespeople`).

    Attributes:
        given: Leads and Contacts that are theirs: made or changed by a conversion or a merge.
    """

    def __init__(self, org: Org, known: Callable[[], Collection[str]]) -> None:
        """Begins to work; `known` are the people's records that the pipeline knows by now."""
        self._org = org
        self._known = known
        self._number = 0
        self.given: set[str] = set()

    def opens(self, pick: int) -> None:
        """Somebody makes an opportunity, perhaps with a contact."""
        contacts = self.living("Contact")
        contact = contacts[pick % len(contacts)]["Id"] if contacts and pick % 3 else None
        self._number += 1
        with self._unless_locked():
            self.open(
                f"Deal {self._number}",
                contact,
                Amount=pick / 8,
                CurrencyIsoCode=CURRENCIES[pick % 2],
            )

    def converts(self, pick: int) -> None:
        """A Lead becomes a Contact, new or there; with an opportunity, new or there, or without."""
        leads = [each for each in self.living("Lead") if not each["IsConverted"]]
        if not leads:
            return
        lead = leads[pick % len(leads)]["Id"]
        contacts, deals = self.living("Contact"), self.living("Opportunity")
        how: dict[str, Any] = {}
        if contacts and pick % 5 == 0:
            how["contact_id"] = contacts[pick % len(contacts)]["Id"]
        if deals and pick % 4 == 0:
            how["opportunity_id"] = deals[pick % len(deals)]["Id"]
        elif pick % 4 > 1:
            self._number += 1
            how["opportunity_name"] = f"Converted {self._number}"
        with self._unless_locked():
            self.convert(lead, **how)

    def converts_unmapped(self, pick: int) -> None:
        """The same, and the tracker's fields are mapped to none of the Contact's."""
        self._org.config.unmapped_lead_fields = [*ATTRIBUTION_FIELDS]
        try:
            self.converts(pick)
        finally:
            self._org.config.unmapped_lead_fields = []

    def gives_role(self, pick: int) -> None:
        """A contact gets a role in an opportunity, perhaps the primary one."""
        contacts, deals = self.living("Contact"), self.living("Opportunity")
        if contacts and deals:
            with self._unless_locked():
                self.role(deals[pick % len(deals)]["Id"], contacts[pick % len(contacts)]["Id"])

    def takes_role(self, pick: int) -> None:
        """A contact has a role no more."""
        self._deletes("OpportunityContactRole", pick)

    def moves_stage(self, pick: int) -> None:
        """An opportunity goes on to another stage, or several; it may be won, lost or reopened."""
        deals = self.living("Opportunity")
        for step in range(1 + pick % 3 if deals else 0):
            stage = STAGES[(pick + step) % len(STAGES)]
            self._edits(deals[pick % len(deals)]["Id"], StageName=stage)

    def changes_amount(self, pick: int) -> None:
        """An opportunity is worth something else, perhaps in another currency."""
        if deals := self.living("Opportunity"):
            changes: dict[str, Any] = {"Amount": None if pick % 11 == 0 else pick / 4}
            if pick % 5 == 0:
                changes["CurrencyIsoCode"] = CURRENCIES[pick % 2]
            self._edits(deals[pick % len(deals)]["Id"], **changes)

    def names_lead(self, pick: int, lead_ids: Sequence[int]) -> None:
        """An opportunity gets the id of a tracked lead, or has it no more."""
        deals = self.living("Opportunity")
        if deals and lead_ids:
            named = None if pick % 4 == 0 else str(lead_ids[pick % len(lead_ids)])
            self._edits(deals[pick % len(deals)]["Id"], **{LEAD_ON_OPPORTUNITY: named})

    def merges_people(self, pick: int) -> None:
        """Two Leads, or two Contacts, turn out to be one person."""
        sobject = ("Lead", "Contact")[pick % 2]
        records = [each for each in self.living(sobject) if not each.get("IsConverted")]
        if len(records) > 1:
            first = pick % len(records)
            master, loser = records[first]["Id"], records[first - 1]["Id"]
            if loser in self.given.union(self._known()):
                with self._unless_locked():
                    self.merge(sobject, master, loser)

    def merges_opportunities(self, pick: int) -> None:
        """Two opportunities turn out to be one, and an app makes one of them."""
        deals = self.living("Opportunity")
        if len(deals) > 1:
            first = pick % len(deals)
            with self._unless_locked():
                self._merge("Opportunity", deals[first]["Id"], deals[first - 1]["Id"])

    def deletes(self, pick: int) -> None:
        """An opportunity is deleted."""
        self._deletes("Opportunity", pick)

    def undeletes(self, pick: int) -> None:
        """An opportunity is taken out of the bin again."""
        bin_ = [each for _, each in in_bin(self._org) if each.startswith("006")]
        if bin_:
            with self._unless_locked():
                self.undelete(bin_[pick % len(bin_)])

    def begins_long(self, pick: int) -> None:
        """A long transaction changes an opportunity; nobody sees it until it ends."""
        if deals := self.living("Opportunity"):
            changes = {"Amount": 7 + pick, "StageName": STAGES[pick % len(STAGES)]}
            self._edits(deals[pick % len(deals)]["Id"], hold_seconds=_UNTIL_IT_IS_ENDED, **changes)

    def ends_long(self, _pick: int) -> None:
        """All long transactions are committed."""
        end_all(self._org)

    def open(self, name: str, contact: str | None = None, **fields: Any) -> str:
        """Makes an opportunity; the contact has the primary role in it. Returns its Id."""
        known = {
            "Name": name,
            "StageName": STAGES[0],
            "CloseDate": "2026-12-31",
            "CurrencyIsoCode": CURRENCIES[0],
            **fields,
        }
        if contact is not None:
            known["ContactId"] = contact
        return self._create("Opportunity", known)

    def role(self, opportunity: str, contact: str) -> str:
        """Gives a contact a role. Returns its Id."""
        return self._create(
            "OpportunityContactRole", {"OpportunityId": opportunity, "ContactId": contact}
        )

    def convert(self, lead: str, **how: Any) -> Converted:
        """Converts a Lead (`lifecycle.convert`)."""
        made = convert(self._org, lead, user_id=colleague(self._org), **how)
        self.given.update((lead, made.contact_id))
        return made

    def merge(self, sobject: str, master: str, loser: str) -> None:
        """Merges a record into another one."""
        self._merge(sobject, master, loser)
        self.given.update((master, loser))

    def edit(self, record_id: str, *, hold_seconds: float | None = None, **fields: Any) -> None:
        """Changes fields of an opportunity."""
        with committed(self._context(hold_seconds)) as context:
            dml.saved_id(dml.update(self._org, context, "Opportunity", record_id, fields))

    def delete(self, sobject: str, record_id: str) -> None:
        """Deletes a record."""
        with committed(self._context()) as context:
            dml.saved_id(dml.delete(self._org, context, sobject, record_id))

    def undelete(self, opportunity: str) -> None:
        """Takes an opportunity out of the bin."""
        with committed(self._context()) as context:
            undelete(context, self._org.table("Opportunity"), opportunity)

    def living(self, sobject: str) -> list[Row]:
        """The records of an object that are not deleted."""
        return living(self._org.table(sobject).rows.values())

    def _edits(self, record_id: str, **fields: Any) -> None:
        with self._unless_locked():
            self.edit(record_id, **fields)

    def _deletes(self, sobject: str, pick: int) -> None:
        if records := self.living(sobject):
            with self._unless_locked():
                self.delete(sobject, records[pick % len(records)]["Id"])

    def _merge(self, sobject: str, master: str, loser: str) -> None:
        merge(self._org, sobject, master, [loser], user_id=colleague(self._org))

    def _create(self, sobject: str, fields: Row) -> str:
        with committed(self._context()) as context:
            return dml.saved_id(dml.create(self._org, context, sobject, fields))

    def _context(self, hold_seconds: float | None = None) -> WriteContext:
        return WriteContext(self._org, colleague(self._org), hold_seconds=hold_seconds)

    @contextmanager
    def _unless_locked(self) -> Iterator[None]:
        try:
            yield
        except SalesforceError as error:
            if error.error_code != "UNABLE_TO_LOCK_ROW":
                raise
