"""Accounts with the engagement workflow, and everything that can happen around their prospects."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from crm_pipeline.accounts.store import get_account, update_settings
from crm_pipeline.ledger.engagement import request_reading
from crm_pipeline.ledger.read_back import hint
from crm_pipeline.local_org import dml
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.event_bus import BUS, Subscriber
from crm_pipeline.local_org.lifecycle import convert, merge
from crm_pipeline.local_org.recycle_bin import in_bin, undelete
from crm_pipeline.local_org.sharing import HIDDEN
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.transaction import WriteContext
from crm_pipeline_tests.chaos.badge_examiner import living
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.installation import ENGAGEMENT, Installation
from crm_pipeline_tests.chaos.prospect_examiner import (
    HAND,
    KEYS,
    Model,
    Source,
    examine,
    is_of_a_converted_lead,
)
from crm_pipeline_tests.chaos.prospects import ADDRESSES, Product
from crm_pipeline_tests.chaos.salespeople import colleague

SETTINGS: dict[str, dict[str, Any]] = {
    "hazel": {"route": "composite", "engagement": ENGAGEMENT},
    "ivy": {"route": "bulk", "engagement": {"by_event": True, "confirm_minutes": 0}},
}
"""The accounts of the walk, and what they have chosen."""


class EngagedWorld:
    """The clients' tracking products, the salespeople of their orgs, and the pipeline between."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.products = {name: Product(name) for name in installation.names}
        self.deleted: dict[str, set[str]] = {name: set() for name in installation.names}
        self.lacking: set[str] = set()
        self.flows: dict[str, list[Subscriber]] = {}
        self.number = 0

    def begin(self, settings: Mapping[str, Mapping[str, Any]] = SETTINGS) -> None:
        """As `World.begin`."""
        with self.installation.rows() as rows:
            for name, product in self.products.items():
                product.begin(rows)
                update_settings(rows, name, settings.get(name, {}))
        for org in self.installation.orgs.values():
            flow = BUS[org].subscribers
            self.installation.restored.append(partial(flow.__setitem__, slice(None), flow.copy()))
            self.installation.restored.append(HIDDEN[org].clear)
        self.installation.save()

    def happens(self, move: str, account: str, pick: int) -> None:
        """One of `MOVES`, at one account."""
        MOVES[move](self, account, pick)

    def comes_to_rest(self) -> None:
        """Rights are as they were, flows are active, and each org is read once more.

        Who was hidden may have changed unseen, and copies that people deleted come back when they
        are asked for: an operator has all of it read in full.
        """
        for name, org in self.installation.orgs.items():
            org.hide_fields(())
            BUS[org].subscribers += self.flows.pop(name, [])
            with self.installation.rows() as rows:
                hint(rows, name)
                if HIDDEN[org] or name in self.lacking:
                    request_reading(rows, name, anew=True)
            HIDDEN[org].clear()
        self.lacking.clear()

    def examined(self, *, at_rest: bool, read_once_more: bool = True) -> Findings:
        """Findings of the examiner in all accounts.

        How prospects stand is said in the cycle after: where none came, that is not looked at.
        """
        found = Findings()
        with self.installation.rows() as rows:
            for name, product in self.products.items():
                org = self.installation.org(name)
                made = [
                    e["Name"]
                    for e in living(org.table("SW_Tag__c").rows.values())
                    if str(e["Tag_Id__c"]).startswith(HAND)
                ]
                made += [
                    each["LastName"]
                    for sobject in ("Lead", "Contact")
                    for each in living(org.table(sobject).rows.values())
                ]
                found.wrong += [f"a record of people's is {e}" for e in made if e != "By hand"]
                if at_rest:
                    source = Source.read(rows, name, product.order)
                    self._forget_deleted(source, name, org)
                    chosen = get_account(rows, name).settings.engagement
                    has_all = bool(chosen and chosen.accounts)
                    model = Model(source, org, has_all, "Processed" if read_once_more else None)
                    found.add(examine(rows, model))
        return found

    def _forget_deleted(self, source: Source, name: str, org: Org) -> None:
        """Prospects that people deleted are gone, unless they were made anew."""
        there = {e["Prospect_Id__c"] for e in living(org.table("Prospect__c").rows.values())}
        gone = self.deleted[name] - there
        source.prospects = [e for e in source.prospects if e["prospect_id"] not in gone]


class EngagedCase:
    """The case of the walk: prospects, people who are in the org, and two cycles."""

    def __init__(self, installation: Installation, settings: Mapping[str, Any]) -> None:
        self._world = EngagedWorld(installation)
        self._name = installation.names[0]
        self._world.begin({self._name: settings})
        for move, pick in FIRST:
            self._world.happens(move, self._name, pick)
        self._order = list(self._world.products[self._name].order)

    def goes_on(self) -> None:
        """As `Case`."""
        product = self._world.products[self._name]
        product.order[:] = self._order
        for move, pick in SECOND:
            self._world.happens(move, self._name, pick)

    def examined(self) -> Findings:
        """As `Case`."""
        return self._world.examined(at_rest=True, read_once_more=False)

    def picture(self) -> list[Any]:
        """As `Case`. A converted Lead is as it was when it was converted, its copies as well."""
        org = self._world.installation.org(self._name)
        shown = ("Name", "Email", "Prospect_Id__c", "Times__c", "Value__c")
        return sorted(
            (
                (sobject, *(record.get(field) for field in shown))
                for sobject in (*KEYS, "Lead", "Contact", "Account")
                for record in living(org.table(sobject).rows.values())
                if not record.get("IsConverted") and not is_of_a_converted_lead(org, record)
            ),
            key=repr,
        )


FIRST = (
    *(("meets", pick) for pick in (0, 1, 2, 6, 9)),
    *(("is_tagged", pick) for pick in range(4)),
    *(("is_scored", pick) for pick in range(1, 5)),
    ("visits", 2),
    ("sells", 0),
    ("makes by hand", 0),
)
SECOND = (
    ("comes", 8),
    ("is_tagged", 5),
    ("is_scored", 8),
    ("loses", 0),
    ("withdraws", 2),
    ("ends", 3),
    ("edits", 0),
    ("converts", 1),
    ("deletes", 0),
    ("meets", 12),
)
"""Moves before the first cycle, and between the two."""

_Move = Callable[[EngagedWorld, str, int], None]


def _at_the_source(name: str) -> _Move:
    def move(world: EngagedWorld, account: str, pick: int) -> None:
        with world.installation.rows() as rows:
            getattr(world.products[account], name)(rows, pick)

    return move


def _vanishes(world: EngagedWorld, account: str, pick: int) -> None:
    """A prospect vanishes, and an operator has it read in full."""
    with world.installation.rows() as rows:
        if len(world.products[account].order) > 1 and (
            name := world.products[account].vanishes(rows, pick)
        ):
            request_reading(rows, account, name, anew=True)


def _in_the_org(act: Callable[[EngagedWorld, str, int], None]) -> _Move:
    def move(world: EngagedWorld, account: str, pick: int) -> None:
        act(world, account, pick)
        if pick % 2:
            with world.installation.rows() as rows:
                hint(rows, account)

    return move


def _people(org: Org, sobject: str) -> list[dict[str, Any]]:
    rows = living(org.table(sobject).rows.values())
    return [dict(each) for each in rows if not each.get("IsConverted")]


def _meets(world: EngagedWorld, account: str, pick: int) -> None:
    """Somebody makes a Lead, a Contact or an Account."""
    accounts = living(world.installation.org(account).table("Account").rows.values())

    def act(org: Org, context: WriteContext) -> None:
        known = {"LastName": "By hand", "Email": ADDRESSES[pick % 6].upper()}
        if pick % 3 == 0:
            dml.saved_id(dml.create(org, context, "Lead", {**known, "Company": "C"}))
        elif pick % 3 == 1 or not accounts:
            dml.saved_id(dml.create(org, context, "Account", {"Name": "Firm"}))
        else:
            firm = accounts[pick % len(accounts)]["Id"] if pick % 5 else None
            dml.saved_id(dml.create(org, context, "Contact", {**known, "AccountId": firm}))

    world.installation.org_acts(account, act)


def _edits(world: EngagedWorld, account: str, pick: int) -> None:
    """A person's address, or Account, is another one."""
    org = world.installation.org(account)
    sobject = ("Lead", "Contact")[pick % 2]
    people = _people(org, sobject)
    accounts = living(org.table("Account").rows.values())
    if not people:
        return
    record = people[pick % len(people)]["Id"]
    fields: dict[str, Any] = {"Email": (*ADDRESSES, None, "other@x.example")[(pick // 2) % 8]}
    if sobject == "Contact" and pick % 3 == 0 and accounts:
        fields = {"AccountId": accounts[pick % len(accounts)]["Id"]}
    world.installation.org_acts(
        account,
        lambda org, ctx: dml.saved_id(dml.update(org, ctx, sobject, record, fields)),
    )


def _deletes(world: EngagedWorld, account: str, pick: int) -> None:
    """A person, an Account, an Opportunity or a prospect is deleted."""
    org = world.installation.org(account)
    sobject = ("Lead", "Contact", "Account", "Opportunity", "Prospect__c")[pick % 5]
    records = living(org.table(sobject).rows.values())
    if not records:
        return
    record = records[pick % len(records)]
    if sobject == "Prospect__c":
        world.deleted[account].add(record["Prospect_Id__c"])
    world.installation.org_acts(
        account,
        lambda org, ctx: dml.saved_id(dml.delete(org, ctx, sobject, record["Id"])),
    )


def _deletes_a_copy(world: EngagedWorld, account: str, pick: int) -> None:
    """A tag, score or page, that somebody has or that is defined, is deleted by people."""
    org = world.installation.org(account)
    records = [
        (sobject, row["Id"])
        for sobject, key in KEYS.items()
        if sobject != "Prospect__c" and sobject.lower() in org.tables
        for row in living(org.table(sobject).rows.values())
        if not str(row[key]).startswith(HAND)
    ]
    if records:
        sobject, record = records[pick % len(records)]
        world.lacking.add(account)
        world.installation.org_acts(
            account, lambda org, ctx: dml.saved_id(dml.delete(org, ctx, sobject, record))
        )


def _undeletes(world: EngagedWorld, account: str, pick: int) -> None:
    """A person, or a prospect that was not made anew, comes out of the bin."""
    org = world.installation.org(account)
    prospects = org.table("Prospect__c").rows
    taken = {each["Prospect_Id__c"] for each in living(prospects.values())}
    bin_ = [
        (table, each)
        for table, each in in_bin(org)
        if each[:3] in ("00Q", "003")
        or (each in prospects and prospects[each]["Prospect_Id__c"] not in taken)
    ]
    if bin_:
        table, record = bin_[pick % len(bin_)]
        world.installation.org_acts(account, lambda _, ctx: undelete(ctx, table, record))


def _converts(world: EngagedWorld, account: str, pick: int) -> None:
    """A Lead becomes a Contact: a new one, or one that is there."""
    org = world.installation.org(account)
    leads, contacts = _people(org, "Lead"), _people(org, "Contact")
    if leads:
        into = contacts[pick % len(contacts)]["Id"] if contacts and pick % 3 == 0 else None
        lead, who = leads[pick % len(leads)]["Id"], colleague(org)
        _unless_locked(lambda: convert(org, lead, contact_id=into, user_id=who))


def _merges(world: EngagedWorld, account: str, pick: int) -> None:
    """Two people, or two Accounts, turn out to be one."""
    org = world.installation.org(account)
    sobject = ("Lead", "Contact", "Account")[pick % 3]
    records = _people(org, sobject)
    if len(records) > 1:
        first = pick % len(records)
        ids = records[first]["Id"], [records[first - 1]["Id"]]
        _unless_locked(lambda: merge(org, sobject, *ids, user_id=colleague(org)))


def _sells(world: EngagedWorld, account: str, pick: int) -> None:
    """An Opportunity is made, or is of another Account."""
    org = world.installation.org(account)
    accounts = living(org.table("Account").rows.values())
    deals = living(org.table("Opportunity").rows.values())
    if not accounts:
        return
    firm = {"AccountId": accounts[pick % len(accounts)]["Id"]}
    said = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31", **firm}
    if deals and pick % 2:
        deal = deals[pick % len(deals)]["Id"]
        world.installation.org_acts(
            account,
            lambda org, ctx: dml.saved_id(dml.update(org, ctx, "Opportunity", deal, firm)),
        )
    else:
        world.installation.org_acts(
            account,
            lambda org, ctx: dml.saved_id(dml.create(org, ctx, "Opportunity", said)),
        )


def _makes_by_hand(world: EngagedWorld, account: str, _pick: int) -> None:
    """Somebody makes a record in an object of the workflow, with a key of their own."""
    world.number += 1
    said = {"Name": "By hand", "Tag_Id__c": f"{HAND}-{world.number}"}
    world.installation.org_acts(
        account, lambda org, ctx: dml.saved_id(dml.create(org, ctx, "SW_Tag__c", said))
    )


def _changes_rights(world: EngagedWorld, account: str, pick: int) -> None:
    """The pipeline's user loses the right to a field, or has it again."""
    fields = ("Prospect__c.Company__c", "Lead.Favorite__c", "SW_Prospect_Tag__c.Times__c")
    hidden = [field for place, field in enumerate(fields) if pick >> place & 1]
    world.installation.org(account).hide_fields(hidden)


def _hides(world: EngagedWorld, account: str, pick: int) -> None:
    """The pipeline's user sees some people no more; others again."""
    org = world.installation.org(account)
    people = [each["Id"] for sobject in ("Lead", "Contact") for each in _people(org, sobject)]
    HIDDEN[org].clear()
    HIDDEN[org].update(people[pick % 5 :: 3])


def _switches_the_flow(world: EngagedWorld, account: str, _pick: int) -> None:
    """An admin switches off what applies the events of matches, or switches it on again."""
    active = BUS[world.installation.org(account)].subscribers
    if active:
        world.flows[account] = active.copy()
        active.clear()
    else:
        active += world.flows.pop(account)


def _unless_locked(act: Callable[[], object]) -> None:
    try:
        act()
    except SalesforceError as error:
        if error.error_code != "UNABLE_TO_LOCK_ROW":
            raise


ROWS: Mapping[str, _Move] = {
    **{
        name: _at_the_source(name)
        for name in (
            *("comes", "is_tagged", "is_scored", "visits", "loses", "ends", "renames", "withdraws"),
        )
    },
    "vanishes": _vanishes,
}
"""Everything that can happen at the source, by name."""

SALES: Mapping[str, _Move] = {
    "meets": _in_the_org(_meets),
    "meets another": _in_the_org(_meets),
    "edits": _in_the_org(_edits),
    "deletes": _in_the_org(_deletes),
    "deletes a copy": _in_the_org(_deletes_a_copy),
    "undeletes": _in_the_org(_undeletes),
    "converts": _in_the_org(_converts),
    "merges": _in_the_org(_merges),
    "sells": _in_the_org(_sells),
    "makes by hand": _in_the_org(_makes_by_hand),
    "changes rights": _in_the_org(_changes_rights),
    "hides": _in_the_org(_hides),
    "switches the flow": _in_the_org(_switches_the_flow),
}
"""Deeds of salespeople, also in the middle of a cycle."""

MOVES: Mapping[str, _Move] = {**ROWS, **SALES}
