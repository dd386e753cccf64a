"""The case of all that webinars tell beside registrations and attendances, twice over.

Roles, answers and UTM, consent, visits that are too short, rejoins, replays, surveys that come
late, waiting lists, cancellations that come back, substitutes, words that are explained later,
no-shows that came after all, figures of people, fields of campaigns, registrants from Salesforce,
a session that moves to another event; and, where the account chose that, campaigns of sessions and
of a series.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from crm_pipeline.accounts.store import FieldMapping, set_field_mapping, update_settings
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.campaigns import add_campaign_link
from crm_pipeline.ledger.read_back import hint
from crm_pipeline.local_org.seeding import seed
from crm_pipeline_tests.chaos.badge_examiner import OPEN
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.installation import Installation
from crm_pipeline_tests.chaos.story import LATER
from crm_pipeline_tests.chaos.webinar_examiner import Fact, examine_facts
from crm_pipeline_tests.flows.webinars.warehouse import LONG_AGO, add_person, insert

FROM_SALESFORCE = "Please register"

WEBINARS: Mapping[str, Any] = {
    "attended_at_least_minutes": 5,
    "early_visits_count": True,
    "redaction": ["cards"],
    "activity_text": ["minutes", "polls", "surveys", "links"],
    "campaigns": {
        "waitlisted": {"label": "Waitlisted", "priority": 0.5},
        "substituted": {"label": "Substituted", "priority": 0.7},
        "follow_up_when": [{"in": "surveys", "label": "May we call you?", "value": "Yes"}],
        "campaign_status": True,
        "census": "daily",
        "join_link_field": "Join_Link__c",
        "from_salesforce": "register",
        # A label of our own ladder among them: who has it from us wants nothing.
        "register_from": [FROM_SALESFORCE, "Registered"],
        "most_registrations_per_cycle": 1,
    },
}
"""The account's choices."""

WITH_SESSIONS: Mapping[str, Any] = {
    **WEBINARS,
    "campaigns": {**WEBINARS["campaigns"], "grain": "both", "series_parent": "series"},
}
"""Likewise, with campaigns of sessions below those of events, and these below one of the series."""

FIELDS: Mapping[str, Mapping[str, str]] = {
    "Lead": {
        "Budget__c": "answers.budget",
        "HasOptedOutOfEmail": "opted_out",
        "Webinars_Registered__c": "webinars_registered",
        "Webinars_Attended__c": "webinars_attended",
        "Minutes_Total__c": "minutes_total",
    },
    "CampaignMember": {
        "Minutes__c": "minutes_attended",
        "Webinar_Percent__c": "percent_attended",
        "Webinar_Utm_Source__c": "utm_source",
        "Webinar_Registered_At__c": "registered_at",
    },
    "Campaign": {"BudgetedCost": "budget", "Webinar_Series__c": "series"},
}
"""The account's mapping."""

SUMMIT, MEETUP = 1, 2
IS_OVER, GOES_ON, MEETS, MOVES = 1, 2, 3, 4
"""Sessions: two of the summit, one of the meetup, one that moves from that to this."""

CARD = "4111 1111 1111 1111"

_ADDRESS = re.compile(r"^([a-z]+)@example\.com$")

_R, _A, _V = "Webinar Registration", "Webinar Attendance", "Webinar On-Demand View"


_FAR = datetime(2099, 1, 1, tzinfo=UTC)


def _at(minute: float) -> datetime:
    return LONG_AGO + timedelta(minutes=minute)


def _time(minute: float) -> str:
    return _at(minute).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _person(
    name: str, *, registered: int, attended: int = 0, minutes: int = 0, **more: Any
) -> Fact:
    says = (more.get("budget"), more.get("opted_out", False), registered, attended, minutes)
    return Fact("person", name, says)


def _member(name: str, status: str, *, first: float | None = None, **more: Any) -> Fact:
    says = (more.get("campaign", "Summit"), status, more.get("minutes"), more.get("percent"))
    at = None if first is None else _time(first)
    return Fact("member", name, (*says, more.get("utm"), at, more.get("link")))


def _campaign(name: str, status: str, *, members: int | None = None, **more: Any) -> Fact:
    says = (status, more.get("budget"), more.get("series"), members, members is not None)
    return Fact("campaign", name, (*says, more.get("above")))


def _activity(name: str, subject: str, minute: float, *lines: str) -> Fact:
    return Fact("activity", name, (subject, _time(minute), "\n".join(lines)))


WANTED: tuple[Fact, ...] = (
    # Came twice, overlapping.
    _person("ann", registered=1, attended=1, minutes=15),
    _activity("ann", _R, 1),
    _activity("ann", _A, 5, "Attended: 15 of 60 minutes, live"),
    _member("ann", "Attended", first=1, minutes=15, percent=25),
    # Cancelled, and registered again.
    _person("bob", registered=1),
    _activity("bob", _R, 2, "Cancelled on 2026-03-01 12:03 UTC"),
    _activity("bob", _R, LATER + 2),
    _member("bob", "Registered", first=2),
    # Got off the waiting list.
    _person("cid", registered=1),
    _activity("cid", _R, 3),
    _member("cid", "Registered", first=3),
    # A no-show who came after all.
    _person("dan", registered=1, attended=1, minutes=45),
    _activity("dan", _R, 4),
    _activity("dan", _A, 2, "Attended: 45 of 60 minutes, live"),
    _member("dan", "Attended", first=4, minutes=45, percent=75),
    # Saw the recording, in two parts.
    _person("eve", registered=1),
    _activity("eve", _R, 5),
    _activity("eve", _V, 30, "Watched on demand: 30 minutes"),
    _member("eve", "Attended On-demand", first=5, minutes=30),
    # Sent somebody else.
    _person("gus", registered=0),
    _activity("gus", _R, 7, "Somebody else comes instead"),
    _member("gus", "Substituted", first=7),
    _person("liz", registered=1),
    _activity("liz", _R, LATER + 7),
    _member("liz", "No Show", first=LATER + 7),
    # Answered the survey later, and gave the number of a card.
    _person("hal", registered=1, attended=1, minutes=30),
    _activity("hal", _R, 8),
    _activity(
        *("hal", _A, 6, "Attended: 30 of 60 minutes, live"),
        *("Survey: May we call you?: Yes", "Survey: Anything else?: Take [removed]"),
    ),
    _member("hal", "Follow Up Requested", first=8, minutes=30, percent=50),
    # Said no to emails, then yes; came another way the second time.
    _person("ida", registered=1, budget="20k, [removed]", opted_out=True),
    _activity("ida", _R, 9),
    _activity("ida", _R, LATER + 9),
    _member("ida", "Registered", first=9, utm="mail"),
    # Two visits that are long enough together.
    _person("jon", registered=1, attended=1, minutes=6),
    _activity("jon", _R, 10),
    _activity("jon", _A, 20, "Attended: 6 of 60 minutes, live"),
    _member("jon", "Attended", first=10, minutes=6, percent=10),
    # One that is not.
    _person("kai", registered=1),
    _activity("kai", _R, 16),
    _member("kai", "No Show", first=16, minutes=3, percent=5),
    # A word that was explained later.
    _person("kim", registered=1),
    _activity("kim", _R, 11),
    _member("kim", "Registered", first=11),
    # Put into the meetup by salespeople: answered; opted out; invited otherwise; not answered yet.
    _person("lea", registered=1),
    _activity("lea", _R, LATER + 13),
    _member("lea", "Registered", campaign="Meetup", first=LATER + 13, link="https://join/33"),
    _person("max", registered=0, opted_out=True),
    _member("max", FROM_SALESFORCE, campaign="Meetup"),
    _person("ned", registered=0),
    _member("ned", "Sent", campaign="Meetup"),
    _person("oli", registered=0),
    _member("oli", FROM_SALESFORCE, campaign="Meetup"),
    _person("pia", registered=0),
    _member("pia", FROM_SALESFORCE, campaign="Meetup"),
    Fact("told", "oli", ("register", MEETUP, (MEETS, MOVES))),
    Fact("told", "pia", ("register", MEETUP, (MEETS, MOVES))),
    # Is to come to a session that moved, and missed the other.
    _person("uma", registered=2),
    _activity("uma", _R, 17),
    _activity("uma", _R, 18),
    _member("uma", "No Show", first=17),
    _member("uma", "Registered", campaign="Meetup", first=18),
)
"""What is so in the org, and was told to the platform, in the end."""

OF_EVENTS = (
    _campaign("Summit", "In Progress", budget=500, series="Tuesdays", members=13),
    _campaign("Meetup", "Planned", members=2),
)
"""The campaigns where there are no others."""

_PAST, _COMING, _MET, _MOVED = (
    "Summit: Talk, 2026-03-01",
    "Summit: Talk, 2098-12-31",
    "Meetup: Talk, 2098-12-31",
    "Meetup: Extra, 2098-12-31",
)

_SESSIONS_OF = {
    **dict.fromkeys(("ann", "dan", "eve", "gus", "jon", "kai", "liz"), (_PAST,)),
    **dict.fromkeys(("bob", "cid", "hal", "ida", "kim"), (_COMING,)),
    "lea": (_MET,),
    "uma": (_PAST, _MOVED),
}
"""The campaigns of the sessions that each of the platform's people is to be at."""

OF_SESSIONS = (
    _campaign("Tuesdays", "In Progress"),
    _campaign("Summit", "In Progress", budget=500, series="Tuesdays", members=13, above="Tuesdays"),
    # People's own: it is put below nothing.
    _campaign("Meetup", "Planned", members=2),
    # Its budget is its event's alone.
    _campaign(_PAST, "Completed", series="Tuesdays", above="Summit"),
    _campaign(_COMING, "Planned", series="Tuesdays", members=5, above="Summit"),
    _campaign(_MET, "Planned", series="Tuesdays", members=1, above="Meetup"),
    _campaign(_MOVED, "Planned", series="Tuesdays", members=1, above="Meetup"),
    # Nobody is to be at two sessions of one event: each is in the session's as in the event's.
    *(
        fact._replace(says=(session, *fact.says[1:]))
        for fact in WANTED
        for session in _SESSIONS_OF.get(fact.whose, ())
        if fact.kind == "member" and session.startswith(fact.says[0])
    ),
)
"""The campaigns, and the members of those of sessions, where sessions have some."""

_OF_LEA = tuple(
    Fact("told", "lea", ("register", MEETUP, sessions)) for sessions in ((MEETS,), (MEETS, MOVES))
)
"""The platform is told of her before a session moves to the meetup, after that, or not at all."""


class WebinarCase:
    """The case of the walk: two events, one of them with people whom salespeople put there."""

    def __init__(self, installation: Installation, settings: Mapping[str, Any]) -> None:
        self._installation = installation
        self._client = client = installation.names[0]
        with_sessions = settings["campaigns"].get("grain") == "both"
        self._wanted = [*WANTED, *(OF_SESSIONS if with_sessions else OF_EVENTS)]
        [self._meetup] = seed(installation.org(), {"Campaign": [{"Name": "Meetup"}]})["Campaign"]
        label = {"CampaignId": self._meetup, "Label": FROM_SALESFORCE, "SortOrder": 9}
        seed(installation.org(), {"CampaignMemberStatus": [label]})
        self._put_into_the_meetup("lea", FROM_SALESFORCE)
        self._put_into_the_meetup("max", FROM_SALESFORCE, HasOptedOutOfEmail=True)
        self._put_into_the_meetup("ned", "Sent")
        with installation.rows() as rows:
            update_settings(rows, client, settings)
            for sobject, fields in FIELDS.items():
                for field, source in fields.items():
                    set_field_mapping(rows, client, FieldMapping(sobject, field, source))
                    if sobject == "Lead":
                        contact = FieldMapping("Contact", field, source)
                        set_field_mapping(rows, client, contact)
            self._events(rows)
            add_campaign_link(rows, client, str(MEETUP), self._meetup)
            self._first(rows)
            hint(rows, client)

    def goes_on(self) -> None:
        """As `Case`."""
        self._put_into_the_meetup("oli", FROM_SALESFORCE)
        self._put_into_the_meetup("pia", FROM_SALESFORCE)
        with self._installation.rows() as rows:
            update_settings(rows, self._client, {"stage_of": {"quizás": "registered"}})
            self._second(rows)
            hint(rows, self._client)

    def examined(self) -> Findings:
        """As `Case`."""
        with self._installation.rows() as rows:
            told = self._told(rows)
            # Whoever was answered before the platform was told of them is told of no more.
            of_lea = [each for each in _OF_LEA if each in told][:1]
            found = examine_facts([*self._facts(), *told], [*self._wanted, *of_lea])
            verdicts = rows.execute(
                statement("checks/every_row_is_accounted_for"), {"account_ids": [self._client]}
            )
            found.lost += ["rows unaccounted for" for each in verdicts if not each.passed]
            found.queued += rows.scalars(
                text("SELECT natural_key || ' ' || state FROM crm.operation WHERE state = any(:o)"),
                {"o": list(OPEN)},
            )
        return found

    def picture(self) -> list[Any]:
        """As `Case`."""
        return sorted(self._facts(), key=repr)

    def _put_into_the_meetup(self, name: str, status: str, **fields: Any) -> None:
        org = self._installation.org()
        lead = {"LastName": name.title(), "Company": "C", "Email": f"{name}@example.com", **fields}
        figures = {"Webinars_Registered__c": 0, "Webinars_Attended__c": 0, "Minutes_Total__c": 0}
        [lead_id] = seed(org, {"Lead": [{**figures, **lead}]})["Lead"]
        member = {"CampaignId": self._meetup, "LeadId": lead_id, "Status": status}
        seed(org, {"CampaignMember": [member]})

    def _events(self, rows: Connection) -> None:
        of = {"client_id": self._client, "shipped_at": LONG_AGO}
        insert(rows, "client", client_id=self._client, name="Acme")
        for event, name, more in (
            (SUMMIT, "Summit", {"series": "Tuesdays", "budget": 400}),
            (MEETUP, "Meetup", {"series": "Tuesdays"}),
        ):
            days = {"starts_at": LONG_AGO, "ends_at": _FAR}
            insert(rows, "event", event_id=event, name=name, **of, **days, **more)
        for session, event, over, title in (
            (IS_OVER, SUMMIT, _at(60), "Talk"),
            (GOES_ON, SUMMIT, _FAR, "Talk"),
            (MEETS, MEETUP, _FAR, "Talk"),
            (MOVES, SUMMIT, _FAR, "Extra"),
        ):
            hour = {"starts_at": over - timedelta(hours=1), "ends_at": over, "title": title}
            insert(rows, "event_session", event_session_id=session, event_id=event, **of, **hour)

    def _first(self, rows: Connection) -> None:
        names = ("ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal", "ida", "jon", "kim")
        for number, name in enumerate(names, 1):
            add_person(rows, number, f"{name}@example.com", client=self._client)
        add_person(rows, 16, "kai@example.com", client=self._client)
        add_person(rows, 17, "uma@example.com", client=self._client)
        no: dict[str, Any] = {"consent": "no", "consent_at": _at(9), "utm_source": "ads"}
        self._registers(rows, 1, IS_OVER)
        self._registers(rows, 2, GOES_ON, status="cancelled", cancelled_at=_at(3))
        self._registers(rows, 3, GOES_ON, status="Wait-listed")
        self._registers(rows, 4, IS_OVER)
        self._registers(rows, 5, IS_OVER)
        self._registers(rows, 6, IS_OVER, role="Speaker")
        self._registers(rows, 7, IS_OVER)
        self._registers(rows, 8, GOES_ON)
        self._registers(rows, 9, GOES_ON, answers=f'{{"budget": "10k, {CARD}"}}', **no)
        self._registers(rows, 10, IS_OVER)
        self._registers(rows, 11, GOES_ON, status="quizás")
        self._registers(rows, 16, IS_OVER)
        self._registers(rows, 17, IS_OVER)
        self._registers(rows, 18, MOVES, person=17)
        self._comes(rows, 1, 1, IS_OVER, 5, minutes=10)
        self._comes(rows, 5, 5, IS_OVER, 30, minutes=20, kind="on_demand")
        self._comes(rows, 6, 6, IS_OVER, 0, minutes=60, role="speaker")
        self._comes(rows, 8, 8, GOES_ON, 6, minutes=30)
        self._comes(rows, 10, 10, IS_OVER, 20, minutes=3)
        self._comes(rows, 16, 16, IS_OVER, 20, minutes=3)

    def _second(self, rows: Connection) -> None:
        add_person(rows, 12, "liz@example.com", client=self._client)
        add_person(rows, 13, "LEA@example.com", client=self._client, first_name="", surname="Lea")
        yes: dict[str, Any] = {"consent": "yes", "consent_at": _at(LATER), "utm_source": "mail"}
        answers = f'{{"budget": "20k, {CARD}"}}'
        self._comes(rows, 21, 1, IS_OVER, 10, minutes=10, shipped=LATER)
        self._registers(rows, 22, GOES_ON, person=2, minute=LATER + 2)
        self._changes(rows, "registration", 3, LATER + 3, status="registered")
        self._comes(rows, 24, 4, IS_OVER, 2, minutes=45, shipped=LATER + 4)
        self._comes(rows, 25, 5, IS_OVER, 50, minutes=10, kind="on_demand", shipped=LATER + 5)
        self._registers(rows, 27, IS_OVER, person=12, minute=LATER + 7)
        self._changes(rows, "registration", 7, LATER + 7, replaced_by=27)
        self._says(rows, 1, "May we call you?", "Yes", attendance=8, minute=LATER + 8)
        self._says(rows, 2, "Anything else?", f"Take {CARD}", attendance=8, minute=LATER + 9)
        self._registers(rows, 29, GOES_ON, person=9, minute=LATER + 9, answers=answers, **yes)
        self._comes(rows, 28, 10, IS_OVER, 40, minutes=3, shipped=LATER + 10)
        link = {"join_link": "https://join/33"}
        self._registers(rows, 33, MEETS, person=13, minute=LATER + 13, **link)
        self._changes(rows, "event", SUMMIT, LATER + 14, budget=500)
        self._changes(rows, "event_session", MOVES, LATER + 15, event_id=MEETUP)

    def _registers(
        self,
        rows: Connection,
        number: int,
        session: int,
        *,
        person: int | None = None,
        minute: float | None = None,
        **columns: Any,
    ) -> None:
        at = _at(number if minute is None else minute)
        whose = {"client_id": self._client, "person_id": person or number}
        known = {"status": "registered", "registered_at": at, "shipped_at": at, **columns}
        what = {"registration_id": number, "event_session_id": session}
        insert(rows, "registration", **whose, **what, **known)

    def _comes(
        self,
        rows: Connection,
        number: int,
        person: int,
        session: int,
        minute: float,
        *,
        minutes: int,
        shipped: float = 60,
        **columns: Any,
    ) -> None:
        whose = {"client_id": self._client, "person_id": person, "attendance_id": number}
        when = {"attended_at": _at(minute), "minutes_attended": minutes, "shipped_at": _at(shipped)}
        insert(rows, "attendance", event_session_id=session, **whose, **when, **columns)

    def _says(
        self,
        rows: Connection,
        number: int,
        label: str,
        value: str,
        *,
        attendance: int,
        minute: float,
    ) -> None:
        whose = {"client_id": self._client, "attendance_id": attendance, "kind": "survey"}
        when = {"at": _at(minute), "shipped_at": _at(minute)}
        insert(
            rows, "interaction", interaction_id=number, label=label, value=value, **whose, **when
        )

    def _changes(
        self, rows: Connection, table: str, number: int, minute: float, **columns: Any
    ) -> None:
        changes = ", ".join(f"{name} = :{name}" for name in columns)
        rows.execute(
            text(f"UPDATE warehouse.{table} SET {changes}, shipped_at = :at WHERE {table}_id = :n"),
            {**columns, "n": number, "at": _at(minute)},
        )

    def _records(self, sobject: str) -> list[Mapping[str, Any]]:
        rows = self._installation.org().table(sobject).rows.values()
        return [each for each in rows if not each.get("IsDeleted")]

    def _facts(self) -> list[Fact]:
        """What is so in the org."""
        campaigns = {each["Id"]: each for each in self._records("Campaign")}
        names: dict[str, str] = {}
        facts = []
        for sobject in ("Lead", "Contact"):
            for each in self._records(sobject):
                known = _ADDRESS.match((each["Email"] or "").lower())
                names[each["Id"]] = known.group(1) if known else str(each["Email"])
                says = tuple(each.get(field) for field in FIELDS["Lead"])
                facts.append(Fact("person", names[each["Id"]], says))
        facts += [
            Fact(
                "activity",
                names.get(each["WhoId"], "nobody"),
                (each["Subject"], each["ActivityDateTime"], each.get("Description") or ""),
            )
            for each in self._records("Event")
        ]
        shown = (*FIELDS["CampaignMember"], "Join_Link__c")
        facts += [
            Fact(
                "member",
                names[each.get("ContactId") or each["LeadId"]],
                (
                    campaigns[each["CampaignId"]]["Name"],
                    each["Status"],
                    *(each.get(field) for field in shown),
                ),
            )
            for each in self._records("CampaignMember")
        ]
        told = ("Status", "BudgetedCost", "Webinar_Series__c", "Members_Expected__c")
        facts += [
            Fact(
                "campaign",
                each["Name"],
                (
                    *(each.get(field) for field in told),
                    each.get("Complete_As_Of__c") is not None,
                    campaigns[above]["Name"] if (above := each.get("ParentId")) else None,
                ),
            )
            for each in campaigns.values()
        ]
        return facts

    def _told(self, rows: Connection) -> list[Fact]:
        """What the platform was told, each once."""
        found = rows.scalars(text(_TOLD)).all()
        return [
            Fact(
                "told",
                each["email"].partition("@")[0],
                (each["action"], each["event_id"], tuple(each["sessions"])),
            )
            for each in found
        ]


_TOLD = "SELECT body FROM platform_inbox.message WHERE topic = 'registrants_from_campaigns'"
