"""Salespeople at work in an org meanwhile, and what the examiner has to know of it."""

from collections.abc import Callable, Collection
from typing import Any

from crm_pipeline.local_org import dml
from crm_pipeline.local_org.lifecycle import convert, merge
from crm_pipeline.local_org.recycle_bin import erase, in_bin, undelete
from crm_pipeline.local_org.schema import Row
from crm_pipeline.local_org.seeding import seed
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Table
from crm_pipeline.local_org.transaction import WriteContext, committed

_UNDELETED = ("Lead", "Contact", "Event")


def colleague(org: Org) -> str:
    """The user whom salespeople write as: not the pipeline's, whose last word is the pipeline's."""
    return [*org.users.values()][-1].id


class Salespeople:
    """People who work in one org. As in `Traffic`, the caller chooses by `pick`.

    A record that the pipeline has made, and of which it was never told, it finds by its address
    only. So they neither change the address of one that is not `known`, nor merge it into another,
    nor erase it for good.

    Attributes:
        given: records that are theirs: made by them, or by a conversion.
        addresses: of records whose email they changed, those that they had before.
        touched: records whose values are no longer only the pipeline's.
        removed: activities that they deleted.
        restored: what they took out of the bin, and the people who were in the org just then.
        erased: what they deleted for good, as it was in the bin.
        renamed: the names that they gave to campaigns, by Id.
        hidden: fields to which the pipeline's user has had no right for a while.
    """

    def __init__(self, org: Org, known: Callable[[], Collection[str]]) -> None:
        """Begins to work.

        Args:
            org: theirs.
            known: the records that the pipeline knows at a moment.
        """
        self._org = org
        self._known = known
        self._number = 0
        self.given: set[str] = set()
        self.addresses: dict[str, list[str]] = {}
        self.touched: set[str] = set()
        self.removed: set[str] = set()
        self.restored: dict[str, frozenset[str]] = {}
        self.erased: dict[str, Row] = {}
        self.renamed: dict[str, str] = {}
        self.hidden: set[str] = set()

    def meets(self, email: str, pick: int) -> None:
        """Somebody makes a Lead or a Contact by hand, of a person who has no record yet."""
        known = [row.get("Email") or "" for row in (*self._all("Lead"), *self._all("Contact"))]
        for earlier in self.addresses.values():
            known += earlier
        if email.lower() in map(str.lower, known):
            return
        sobject = ("Lead", "Contact")[pick % 2]
        by = dict.fromkeys(("CreatedById", "LastModifiedById"), colleague(self._org))
        record = {"LastName": "By hand", "Email": email, **by}
        if sobject == "Lead":
            record["Company"] = "By hand"
        ids = seed(self._org, {sobject: [record]})[sobject]
        self.given.update(ids)
        self.touched.update(ids)

    def edits(self, pick: int) -> None:
        """A person's job title is written anew."""
        if people := self._people():
            self._number += 1
            self._change(people[pick % len(people)], Title=f"Edited {self._number}")

    def changes_address(self, pick: int) -> None:
        """A person's email is written anew."""
        known = self.given.union(self._known())
        if people := [row for row in self._people() if row["Id"] in known]:
            row = people[pick % len(people)]
            self._number += 1
            self.addresses.setdefault(row["Id"], []).append(row.get("Email") or "")
            self._change(row, Email=f"new{self._number}@example.com")

    def changes_owner(self, pick: int) -> None:
        """A person is somebody else's to look after."""
        if people := self._people():
            users = [user.id for user in self._org.users.values()]
            self._write(people[pick % len(people)], OwnerId=users[pick % len(users)])

    def changes_rights(self, pick: int) -> None:
        """The pipeline's user loses the right to a field, or has it again."""
        fields = ("Lead.Title", "Contact.Title")[: pick % 3]
        self.hidden.update(fields)
        self._org.hide_fields(fields)

    def converts(self, pick: int) -> None:
        """A Lead becomes a Contact: a new one, or one that is there."""
        leads, contacts = self._living("Lead"), self._living("Contact")
        if not leads:
            return
        lead = leads[pick % len(leads)]
        into = contacts[pick % len(contacts)]["Id"] if contacts and pick % 3 == 0 else None
        converted = convert(self._org, lead["Id"], contact_id=into, user_id=colleague(self._org))
        self.given.add(converted.contact_id)
        self.touched.update((lead["Id"], converted.contact_id))

    def merges(self, pick: int) -> None:
        """Two Leads, or two Contacts, turn out to be one person."""
        records = self._living(("Lead", "Contact")[pick % 2])
        if len(records) < 2:
            return
        first = pick % len(records)
        master, loser = records[first]["Id"], records[first - 1]["Id"]
        if loser not in self.given.union(self._known()):
            return
        sobject = "Lead" if master.startswith("00Q") else "Contact"
        merge(self._org, sobject, master, [loser], user_id=colleague(self._org))
        self.touched.add(master)

    def deletes_person(self, pick: int) -> None:
        """A person is deleted, and their activities with them."""
        if people := self._people():
            self._delete(people[pick % len(people)]["Id"])

    def deletes_activity(self, pick: int) -> None:
        """An activity is deleted."""
        events = [row for row in self._all("Event") if not row["IsDeleted"]]
        if events:
            self._delete(events[pick % len(events)]["Id"])

    def undeletes(self, pick: int) -> None:
        """A person or an activity is taken out of the bin, with what was deleted with it."""
        if not (bin_ := self._in_bin()):
            return
        table, record_id = bin_[pick % len(bin_)]
        before, there = self._lying(), frozenset(row["Id"] for row in self._people())
        master = table.rows[record_id].get("MasterRecordId")
        with committed(self._context()) as context:
            undelete(context, table, record_id)
        back = before.keys() - self._lying().keys()
        self.restored.update(dict.fromkeys(back, there))
        self.touched.update(back)
        self.removed.difference_update(back)
        if master:
            # What went to the winner stays there.
            rows = {row["Id"]: row for row in self._all(table.type.name)} | self.erased
            stands = rows[master].get("Email") or ""
            gone = before[record_id].get("Email") or ""
            self.addresses.setdefault(master, [stands]).append(gone)

    def erases(self, pick: int) -> None:
        """A person or an activity in the bin is deleted for good, with what was deleted with it."""
        if not (bin_ := self._in_bin()):
            return
        before = self._lying()
        table, record_id = bin_[pick % len(bin_)]
        below = {row["Id"] for row in before.values() if row.get("WhoId") == record_id}
        if {record_id, *below}.issubset({*self.given, *self._known()}):
            with committed(self._context()) as context:
                erase(context, table, record_id)
            self.erased |= {gone: before[gone] for gone in before.keys() - self._lying().keys()}

    def _in_bin(self) -> list[tuple[Table, str]]:
        return [each for each in in_bin(self._org) if each[0].type.name in _UNDELETED]

    def _lying(self) -> dict[str, Row]:
        """What lies in the bin, by Id."""
        return {
            row["Id"]: row
            for sobject in (*_UNDELETED, "CampaignMember")
            for row in self._all(sobject)
            if row["IsDeleted"]
        }

    def renames_campaign(self, pick: int) -> None:
        """A campaign gets another name."""
        campaigns = [row for row in self._all("Campaign") if not row["IsDeleted"]]
        if campaigns:
            self._number += 1
            row = campaigns[pick % len(campaigns)]
            self.renamed[row["Id"]] = f"Renamed {self._number}"
            self._write(row, Name=self.renamed[row["Id"]])

    def _change(self, row: Row, **fields: Any) -> None:
        self.touched.add(row["Id"])
        self._write(row, **fields)

    def _write(self, row: Row, **fields: Any) -> None:
        with committed(self._context()) as context:
            context.change(self._table_of(row["Id"]), {**row, **fields})

    def _delete(self, record_id: str) -> None:
        there = {row["Id"] for row in self._all("Event") if not row["IsDeleted"]}
        with committed(self._context()) as context:
            dml.delete(self._org, context, self._table_of(record_id).type.name, record_id)
        gone = {row["Id"] for row in self._all("Event") if row["IsDeleted"]}
        self.removed.update(there & gone)

    def _context(self) -> WriteContext:
        return WriteContext(self._org, colleague(self._org))

    def _table_of(self, record_id: str) -> Table:
        table = self._org.table_of_id(record_id)
        assert table is not None
        return table

    def _all(self, sobject: str) -> list[Row]:
        return list(self._org.table(sobject).rows.values())

    def _people(self) -> list[Row]:
        return [*self._living("Lead"), *self._living("Contact")]

    def _living(self, sobject: str) -> list[Row]:
        return [
            row for row in self._all(sobject) if not row["IsDeleted"] and not row.get("IsConverted")
        ]
