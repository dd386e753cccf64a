"""Accounts whose platform tells all that it can, and everything that can happen around that.

Roles, waiting lists, cancellations that come back, substitutes, visits that are too short, rejoins,
recordings, surveys, sessions that end or move, consent; and salespeople who put people into
campaigns, think better of it, and convert leads.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import Connection, text

from crm_pipeline.accounts.store import FieldMapping, set_field_mapping, update_settings
from crm_pipeline.ledger.read_back import hint
from crm_pipeline.local_org import dml
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.lifecycle import convert
from crm_pipeline.local_org.seeding import seed
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.transaction import WriteContext
from crm_pipeline_tests.chaos.badge_examiner import living
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.installation import Installation
from crm_pipeline_tests.chaos.salespeople import colleague
from crm_pipeline_tests.chaos.webinar_model import ASKED, LEAST, UNKNOWN, WISH, Choices, examine
from crm_pipeline_tests.flows.webinars.warehouse import LONG_AGO, add_person, insert

_CAMPAIGNS: Mapping[str, Any] = {
    "waitlisted": {"label": "Waitlisted", "priority": 0.5},
    "follow_up_when": [{"in": "surveys", "label": ASKED, "value": "Yes"}],
    "from_salesforce": "register",
    "register_from": [WISH],
    "most_registrations_per_cycle": 2,
}
_CHOSEN: Mapping[str, Any] = {"vanished": "delete", "attended_at_least_minutes": LEAST}

SETTINGS: dict[str, dict[str, Any]] = {
    "juniper": {"route": "composite", **_CHOSEN, "campaigns": _CAMPAIGNS},
    "kapok": {
        "route": "bulk",
        **_CHOSEN,
        "campaigns": {
            **_CAMPAIGNS,
            "grain": "both",
            "substituted": {"label": "Substituted", "priority": 0.7},
        },
    },
}
"""The accounts of the walk, and what they have chosen."""

PEOPLE = 6
_FAR = datetime(2099, 1, 1, tzinfo=UTC)
_WORDS = (
    "registered",
    "Confirmed",
    "registered",
    "Wait-listed",
    "denied",
    "CANCELLED",
    "pending",
    "no_show",
    UNKNOWN,
)
_ROLES = (None, "attendee", "Attendee", None, "Speaker")


class Platform:
    """One client's rows; the caller chooses by `pick`."""

    def __init__(self, client: str, number: int) -> None:
        """Begins with nothing; ids begin with the client's number."""
        self.client = client
        self.base = number * 1_000_000
        self._next = self.base + 100
        self._shipped = 0
        self._minute = 60.0

    def begin(self, rows: Connection) -> None:
        """Two events, three sessions, and the people."""
        whose = {"client_id": self.client, "shipped_at": LONG_AGO}
        insert(rows, "client", client_id=self.client, name=self.client)
        for event in (1, 2):
            days = {"starts_at": LONG_AGO, "ends_at": _FAR}
            insert(
                rows, "event", event_id=self.base + event, name=f"Event {event}", **whose, **days
            )
        for session, event, end in ((1, 1, _at(60)), (2, 1, _FAR), (3, 2, _FAR)):
            hour = {"starts_at": LONG_AGO, "ends_at": end, "title": f"Session {session}"}
            ids = {"event_session_id": self.base + session, "event_id": self.base + event}
            insert(rows, "event_session", **ids, **hour, **whose)
        for person in range(PEOPLE):
            address = address_of(self.client, person)
            add_person(rows, self.base + person, address, client=self.client)

    def registers(self, rows: Connection, pick: int) -> None:
        """Somebody registers, waits, or was asked."""
        by = Random(pick)
        insert(
            rows,
            "registration",
            registration_id=self._new(),
            status=by.choice(_WORDS),
            role=by.choice(_ROLES),
            consent=by.choice((None, None, "no", "yes")),
            registered_at=_at(by.randrange(-600, -500)),
            **self._whose(by),
        )

    def is_decided(self, rows: Connection, pick: int) -> None:
        """A registration has another status: it is approved, cancelled, or comes back."""
        by = Random(pick)
        self._change(rows, "registration", by, status=by.choice(_WORDS))

    def is_replaced(self, rows: Connection, pick: int) -> None:
        """Somebody comes instead, or nobody does after all."""
        by = Random(pick)
        others = self._ids(rows, "registration")
        if others:
            other = by.choice((None, by.choice(others)))
            self._change(rows, "registration", by, replaced_by=other)

    def changes_role(self, rows: Connection, pick: int) -> None:
        """Somebody speaks, or turns out to be an attendee."""
        by = Random(pick)
        table = by.choice(("registration", "attendance"))
        self._change(rows, table, by, role=by.choice(_ROLES))

    def comes(self, rows: Connection, pick: int) -> None:
        """Somebody comes: too early, for too short, once more, or to see the recording."""
        by = Random(pick)
        insert(
            rows,
            "attendance",
            attendance_id=self._new(),
            attended_at=_at(by.choice((-40, -4, 0, 2, 4, 10, 30))),
            minutes_attended=by.choice((0, 2, 3, 4, 10, 20)),
            kind=by.choice((None, "live", "live", "on_demand")),
            role=by.choice(_ROLES),
            **self._whose(by),
        )

    def was_otherwise(self, rows: Connection, pick: int) -> None:
        """An attendance was longer, shorter, none, or of the recording."""
        by = Random(pick)
        changed: Mapping[str, Any] = by.choice(
            (
                {"minutes_attended": by.choice((0, 2, 4, 30))},
                {"kind": by.choice(("live", "replay"))},
                {"attended_at": _at(by.choice((-40, 1, 15)))},
            )
        )
        self._change(rows, "attendance", by, **changed)

    def answers(self, rows: Connection, pick: int) -> None:
        """Somebody who was there wants to be called, or not."""
        by = Random(pick)
        there = self._ids(rows, "attendance")
        if there:
            whose = {"client_id": self.client, "attendance_id": by.choice(there)}
            says = {"kind": "survey", "label": ASKED, "value": by.choice(("yes ", "No"))}
            when = {"at": LONG_AGO, "shipped_at": self._ships()}
            insert(rows, "interaction", interaction_id=self._new(), **whose, **says, **when)

    def ends(self, rows: Connection, pick: int) -> None:
        """A session is over, or was put off."""
        by = Random(pick)
        session, end = by.choice((1, 2, 3)), by.choice((_at(60), _FAR))
        self._update(rows, "event_session", self.base + session, ends_at=end)

    def moves(self, rows: Connection, pick: int) -> None:
        """A session is of the other event."""
        by = Random(pick)
        session, event = by.choice((2, 3)), by.choice((1, 2))
        self._update(rows, "event_session", self.base + session, event_id=self.base + event)

    def vanishes(self, rows: Connection, pick: int) -> None:
        """A row is not there any more, and nobody says so."""
        by = Random(pick)
        table = by.choice(("registration", "attendance"))
        if there := self._ids(rows, table):
            gone = {"gone": by.choice(there)}
            for each in ("interaction", table) if table == "attendance" else (table,):
                rows.execute(text(f"DELETE FROM warehouse.{each} WHERE {table}_id = :gone"), gone)

    def time_passes(self, _rows: Connection, pick: int) -> None:
        """What is shipped from now on is so later: a while, or longer than is read twice."""
        self._minute += (1, 7, 45)[pick % 3]

    def _whose(self, by: Random) -> dict[str, Any]:
        return {
            "client_id": self.client,
            "person_id": self.base + by.randrange(PEOPLE),
            "event_session_id": self.base + by.choice((1, 1, 2, 3)),
            "shipped_at": self._ships(),
        }

    def _ids(self, rows: Connection, table: str) -> list[int]:
        query = f"SELECT {table}_id FROM warehouse.{table} WHERE client_id = :client ORDER BY 1"
        return list(rows.scalars(text(query), {"client": self.client}))

    def _change(self, rows: Connection, table: str, by: Random, **columns: Any) -> None:
        if there := self._ids(rows, table):
            self._update(rows, table, by.choice(there), **columns)

    def _update(self, rows: Connection, table: str, number: int, **columns: Any) -> None:
        changes = ", ".join(f"{name} = :{name}" for name in columns)
        rows.execute(
            text(f"UPDATE warehouse.{table} SET {changes}, shipped_at = :at WHERE {table}_id = :n"),
            {**columns, "n": number, "at": self._ships()},
        )

    def _ships(self) -> datetime:
        self._shipped += 1
        return _at(self._minute) + timedelta(milliseconds=self._shipped)

    def _new(self) -> int:
        self._next += 1
        return self._next


def address_of(client: str, person: int) -> str:
    """Returns the address of one of a client's people."""
    return f"w{person}@{client}.example.com"


def _at(minute: float) -> datetime:
    return LONG_AGO + timedelta(minutes=minute)


class WebinarWorld:
    """The clients' platforms, the salespeople of their orgs, and the pipeline between them."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        names = installation.names
        self.platforms = {name: Platform(name, number) for number, name in enumerate(names, 1)}
        self.by_hand: dict[str, set[str]] = {name: set() for name in names}
        """Members whom salespeople put into campaigns."""

    def begin(self, settings: Mapping[str, Mapping[str, Any]] = SETTINGS) -> None:
        """As `World.begin`."""
        with self.installation.rows() as rows:
            for name, platform in self.platforms.items():
                platform.begin(rows)
                update_settings(rows, name, settings.get(name, {}))
                for sobject in ("Lead", "Contact"):
                    mapping = FieldMapping(sobject, "HasOptedOutOfEmail", "opted_out")
                    set_field_mapping(rows, name, mapping)
        self.installation.save()

    def happens(self, move: str, account: str, pick: int) -> None:
        """One of `MOVES`, at one account."""
        MOVES[move](self, account, pick)

    def comes_to_rest(self) -> None:
        """Each org is read once more, and the words are explained.

        Only what is older than what is read twice is counted, and found to vanish.
        """
        with self.installation.rows() as rows:
            for name, platform in self.platforms.items():
                platform.time_passes(rows, 2)
                platform.registers(rows, 0)
                update_settings(rows, name, {"stage_of": {UNKNOWN: "registered"}})
                hint(rows, name)

    def examined(self, *, at_rest: bool) -> Findings:
        """Findings of the examiner in all accounts."""
        found = Findings()
        with self.installation.rows() as rows:
            for name in self.installation.names:
                org = self.installation.org(name)
                chosen = Choices.of(rows, name)
                found.add(examine(rows, name, org, chosen, self.by_hand[name], at_rest=at_rest))
        return found


_Move = Callable[[WebinarWorld, str, int], None]


def _at_the_source(row: Callable[[Platform, Connection, int], None]) -> _Move:
    def move(world: WebinarWorld, account: str, pick: int) -> None:
        with world.installation.rows() as rows:
            row(world.platforms[account], rows, pick)

    return move


def _in_the_org(act: _Move) -> _Move:
    def move(world: WebinarWorld, account: str, pick: int) -> None:
        act(world, account, pick)
        if pick % 2:
            with world.installation.rows() as rows:
                hint(rows, account)

    return move


def _puts(world: WebinarWorld, account: str, pick: int) -> None:
    """Somebody puts a person of theirs into one of our campaigns, to be registered."""
    by, org = Random(pick), world.installation.org(account)
    campaigns = living(org.table("Campaign").rows.values())
    if not campaigns:
        return
    campaign = by.choice([each["Id"] for each in campaigns])
    address = address_of(account, by.randrange(PEOPLE + 2))
    people = [
        each["Id"]
        for sobject in ("Lead", "Contact")
        for each in living(org.table(sobject).rows.values())
        if (each.get("Email") or "").lower() == address and not each.get("IsConverted")
    ]
    if not people:
        out = by.random() < 0.3
        lead = {"LastName": "By hand", "Company": "C", "Email": address, "HasOptedOutOfEmail": out}
        people = seed(org, {"Lead": [lead]})["Lead"]
    person = people[0]
    members = living(org.table("CampaignMember").rows.values())
    theirs = {
        each.get("ContactId") or each["LeadId"]
        for each in members
        if each["CampaignId"] == campaign
    }
    if theirs.intersection(people):
        return
    labels = {
        each["Label"]
        for each in org.table("CampaignMemberStatus").rows.values()
        if each["CampaignId"] == campaign
    }
    if WISH not in labels:
        label = {"CampaignId": campaign, "Label": WISH, "SortOrder": 99}
        seed(org, {"CampaignMemberStatus": [label]})
    whose = {"LeadId" if person.startswith("00Q") else "ContactId": person}
    known = {"CampaignId": campaign, "Status": WISH, **whose}

    def act(org: Org, context: WriteContext) -> None:
        made = dml.saved_id(dml.create(org, context, "CampaignMember", known))
        world.by_hand[account].add(made)

    world.installation.org_acts(account, act)


def _thinks_better(world: WebinarWorld, account: str, pick: int) -> None:
    """Somebody takes a wish back, or the member away."""
    by, org = Random(pick), world.installation.org(account)
    wishes = [
        each["Id"]
        for each in living(org.table("CampaignMember").rows.values())
        if each["Status"] == WISH
    ]
    if not wishes:
        return
    member = by.choice(wishes)
    if by.random() < 0.5:
        world.installation.org_acts(
            account, lambda org, ctx: dml.delete(org, ctx, "CampaignMember", member)
        )
    else:
        sent = {"Status": "Sent"}
        world.installation.org_acts(
            account, lambda org, ctx: dml.update(org, ctx, "CampaignMember", member, sent)
        )


def _converts(world: WebinarWorld, account: str, pick: int) -> None:
    """A Lead becomes a Contact of its own."""
    org = world.installation.org(account)
    leads = [e for e in living(org.table("Lead").rows.values()) if not e.get("IsConverted")]
    if leads:
        try:
            convert(org, leads[pick % len(leads)]["Id"], user_id=colleague(org))
        except SalesforceError as error:
            if error.error_code != "UNABLE_TO_LOCK_ROW":
                raise


ROWS: Mapping[str, _Move] = {
    "registers": _at_the_source(Platform.registers),
    "registers too": _at_the_source(Platform.registers),
    "is decided": _at_the_source(Platform.is_decided),
    "is replaced": _at_the_source(Platform.is_replaced),
    "changes role": _at_the_source(Platform.changes_role),
    "comes": _at_the_source(Platform.comes),
    "comes too": _at_the_source(Platform.comes),
    "was otherwise": _at_the_source(Platform.was_otherwise),
    "answers": _at_the_source(Platform.answers),
    "ends": _at_the_source(Platform.ends),
    "moves": _at_the_source(Platform.moves),
    "vanishes": _at_the_source(Platform.vanishes),
    "time passes": _at_the_source(Platform.time_passes),
}
"""Everything that can happen at the source, by name."""

SALES: Mapping[str, _Move] = {
    "puts": _in_the_org(_puts),
    "thinks better": _in_the_org(_thinks_better),
    "converts": _in_the_org(_converts),
}
"""Deeds of salespeople."""

MEANWHILE = ("thinks better", "converts")
"""Those that they may do in the middle of a cycle: who makes a Lead then makes another one."""

MOVES: Mapping[str, _Move] = {**ROWS, **SALES}
