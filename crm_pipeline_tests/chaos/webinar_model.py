"""What an org should hold of all that webinars tell: made anew of the rows as they are now.

It shares nothing with the pipeline's rules. Accounts have `vanished` set to `delete`, so that what
was and is no more leaves nothing, but for the status of whoever only says what has no label.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from crm_pipeline.accounts.store import get_account
from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.chaos.badge_examiner import living
from crm_pipeline_tests.chaos.findings import Findings

WISH = "Please register"
"""The status of members whom the platform is to register."""

ASKED = "May we call you?"
"""The question of a survey of which a yes is a wish."""

LEAST = 5
"""Minutes that make an attendance."""

UNKNOWN = "quizás"
"""A status word that is explained in the end."""

_SAYS = {
    UNKNOWN: "registered",
    "registered": "registered",
    "Confirmed": "registered",
    "Wait-listed": "waitlisted",
    "denied": "declined",
    "CANCELLED": "cancelled",
    "pending": "pending",
    "no_show": "no_show",
}
_PEOPLE = {"registered", "cancelled", "substituted", "no_show"}
"""Stages of registrations that make somebody a person."""

_ORDER = (
    "follow_up_requested",
    "attended",
    "attended_on_demand",
    "registered",
    "no_show",
    "waitlisted",
    "cancelled",
    "substituted",
)
_LABELS = {
    "follow_up_requested": "Follow Up Requested",
    "attended": "Attended",
    "attended_on_demand": "Attended On-demand",
    "registered": "Registered",
    "no_show": "No Show",
    "waitlisted": "Waitlisted",
    "cancelled": "Cancelled",
    "substituted": "Substituted",
}

_OF_KNOWN_PEOPLE = (_LABELS["waitlisted"], _LABELS["follow_up_requested"])
"""Statuses that make nobody a person of the org."""

_ROWS = {
    "registrations": "SELECT * FROM warehouse.registration WHERE client_id = :client",
    "attendances": "SELECT a.*, EXISTS (SELECT FROM warehouse.interaction AS i WHERE"
    " i.attendance_id = a.attendance_id AND i.label = :asked AND i.value = 'yes ') AS wants"
    " FROM warehouse.attendance AS a WHERE client_id = :client",
    "sessions": "SELECT * FROM warehouse.event_session WHERE client_id = :client",
    "people": "SELECT * FROM warehouse.person WHERE client_id = :client",
}
_TOLD = (
    "SELECT body FROM platform_inbox.message WHERE account_id = :client"
    " AND topic = 'registrants_from_campaigns'"
)

Row = Mapping[str, Any]
Activity = tuple[str, str, str]
"""Whose (an address), the Subject, and when."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The account's, as far as they matter here."""

    by_session: bool
    substituted: bool

    @classmethod
    def of(cls, rows: Connection, account: str) -> "Choices":
        """Returns those of an account."""
        chosen = get_account(rows, account).settings.campaigns
        assert chosen is not None
        return cls(chosen.grain == "both", chosen.substituted is not None)


class Wanted:
    """What is to be there: activities, and by campaign and person a status, or doubt about it.

    Attributes:
        activities: each once.
        statuses: the label of each member; None: whatever label, or none, stood there before.
        opted_out: addresses of whoever said a clear no.
    """

    def __init__(self, rows: Connection, client: str, choices: Choices) -> None:
        """Makes it of a client's rows."""
        said: dict[str, list[Row]] = {}
        for name, query in _ROWS.items():
            asked = {"asked": ASKED} if name == "attendances" else {}
            found = rows.execute(text(query), {"client": client, **asked}).mappings()
            said[name] = [dict(each) for each in found]
        self._choices = choices
        self._address = {each["person_id"]: each["email"].lower() for each in said["people"]}
        self._sessions = {each["event_session_id"]: each for each in said["sessions"]}
        self.activities: Counter[Activity] = Counter()
        self.statuses: dict[tuple[str, str], str | None] = {}
        self.opted_out: set[str] = set()
        registrations = [each for each in said["registrations"] if _comes(each)]
        attendances = [each for each in said["attendances"] if _comes(each)]
        self._stages(registrations, attendances)
        self._activities(registrations, attendances)

    @property
    def people(self) -> set[str]:
        """Whoever has an activity."""
        return {whose for whose, _, _ in self.activities}

    def _minutes_in(self, visit: Row) -> range:
        """The minutes of a visit since the start, which count."""
        if _is_recording(visit):
            return range(visit["minutes_attended"])
        start = self._sessions[visit["event_session_id"]]["starts_at"]
        came = round((visit["attended_at"] - start) / timedelta(minutes=1))
        return range(max(0, came), max(0, came + visit["minutes_attended"]))

    def _stages(self, registrations: list[Row], attendances: list[Row]) -> None:
        there: defaultdict[tuple[int, int], list[Row]] = defaultdict(list)
        for visit in attendances:
            if self._minutes_in(visit):
                there[visit["person_id"], visit["event_session_id"]].append(visit)
        self._visits = there
        self._attended = {place for place, visits in there.items() if self._is_enough(visits)}
        ran = {session for _, session in self._attended}
        stages: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
        newest: dict[tuple[int, int], tuple[datetime, int, str]] = {}
        for each in registrations:
            place = each["person_id"], each["event_session_id"]
            now = each["registered_at"], each["registration_id"], _stage(each)
            newest[place] = max(newest.get(place, now), now)
        for place in {*newest, *there}:
            visits = there.get(place, [])
            if any(each["wants"] for each in visits):
                stages[place].add("follow_up_requested")
            elif place in self._attended:
                stages[place].add("attended")
            elif any(map(_is_recording, visits)):
                stages[place].add("attended_on_demand")
            elif place in newest:
                stage, session = newest[place][2], self._sessions[place[1]]
                over = session["ends_at"] < datetime.now(UTC) - timedelta(hours=6)
                is_missed = stage == "registered" and over and place[1] in ran
                stages[place].add("no_show" if is_missed else stage)
        self._place(stages)

    def _is_enough(self, visits: list[Row]) -> bool:
        live = [self._minutes_in(each) for each in visits if not _is_recording(each)]
        return len({minute for minutes in live for minute in minutes}) >= LEAST

    def _place(self, stages: Mapping[tuple[int, int], set[str]]) -> None:
        by_campaign: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for (person, session), said in stages.items():
            address = self._address[person]
            event = self._sessions[session]["event_id"]
            by_campaign[f"event {event}", address] |= said
            if self._choices.by_session:
                by_campaign[f"session {session}", address] |= said
        for place, said in by_campaign.items():
            has_label = {*_ORDER} if self._choices.substituted else {*_ORDER} - {"substituted"}
            if "substituted" in said - has_label:
                said.add("cancelled")
            stage = next((each for each in _ORDER if each in said & has_label), None)
            self.statuses[place] = None if stage is None else _LABELS[stage]

    def _activities(self, registrations: list[Row], attendances: list[Row]) -> None:
        for each in registrations:
            if _stage(each) in _PEOPLE:
                address = self._address[each["person_id"]]
                self.activities[address, "Webinar Registration", _time(each["registered_at"])] += 1
                if each["consent"] == "no":
                    self.opted_out.add(address)
        for (person, session), visits in self._visits.items():
            live = [each["attended_at"] for each in visits if not _is_recording(each)]
            seen = [each["attended_at"] for each in visits if _is_recording(each)]
            address = self._address[person]
            if (person, session) in self._attended:
                self.activities[address, "Webinar Attendance", _time(min(live))] += 1
            if seen:
                self.activities[address, "Webinar On-Demand View", _time(min(seen))] += 1


def examine(
    rows: Connection,
    client: str,
    org: Org,
    choices: Choices,
    by_hand: Collection[str],
    *,
    at_rest: bool,
) -> Findings:
    """Returns breaches of the promise; unless at rest, only what may never be.

    Args:
        rows: of the databases.
        client: whose, and the account of the same name.
        org: the account's.
        choices: the account's.
        by_hand: members whom salespeople put into campaigns.
        at_rest: whether nothing is due any more.
    """
    found = Findings()
    campaigns: dict[str, str] = {}
    for each in living(org.table("Campaign").rows.values()):
        mark = str(each["Description"]).removeprefix("Webinar platform: ")
        if mark in campaigns.values():
            found.doubled.append(f"{client}: the campaign of {mark}")
        campaigns[each["Id"]] = mark
    told = Counter(
        body["member_id"] for body in rows.scalars(text(_TOLD), {"client": client}).all()
    )
    found.doubled += [f"{client}: told of {e} {n} times" for e, n in told.items() if n > 1]
    found.wrong += [f"{client}: told of {each}, who is ours" for each in told.keys() - by_hand]
    if not at_rest:
        return found
    wanted = Wanted(rows, client, choices)
    people = {
        each["Id"]: each
        for sobject in ("Lead", "Contact")
        for each in living(org.table(sobject).rows.values())
        if not each.get("IsConverted")
    }
    _examine_activities(found, client, org, people, wanted)
    _examine_people(found, client, people, wanted)
    _examine_members(found, client, org, campaigns, people, wanted, told, by_hand)
    return found


def _examine_activities(
    found: Findings, client: str, org: Org, people: Mapping[str, Row], wanted: Wanted
) -> None:
    there: Counter[Activity] = Counter()
    for each in living(org.table("Event").rows.values()):
        whose = _address(people.get(each["WhoId"], {}))
        there[whose, each["Subject"], each["ActivityDateTime"]] += 1
    for name, less, more in (
        ("lost", wanted.activities, there),
        ("doubled", there, wanted.activities),
    ):
        lines = [f"{client}: {' '.join(each)}: {n}" for each, n in (less - more).items()]
        getattr(found, name).extend(sorted(lines))


def _examine_people(
    found: Findings, client: str, people: Mapping[str, Row], wanted: Wanted
) -> None:
    known = Counter(map(_address, people.values()))
    found.lost += [f"{client}: {each} is nobody" for each in wanted.people - known.keys()]
    found.doubled += [f"{client}: {n} records of {each}" for each, n in known.items() if n > 1]
    found.wrong += [
        f"{client}: {_address(each)} gets emails"
        for each in people.values()
        if _address(each) in wanted.opted_out and not each["HasOptedOutOfEmail"]
    ]


def _examine_members(
    found: Findings,
    client: str,
    org: Org,
    campaigns: Mapping[str, str],
    people: Mapping[str, Row],
    wanted: Wanted,
    told: Mapping[str, int],
    by_hand: Collection[str],
) -> None:
    there: dict[tuple[str, str], Row] = {}
    for each in living(org.table("CampaignMember").rows.values()):
        person = people.get(each.get("ContactId") or each["LeadId"], {})
        place = campaigns[each["CampaignId"]], _address(person)
        if place in there:
            found.doubled.append(f"{client}: {place[1]} in the campaign of {place[0]}")
        there[place] = each
        is_asked = each["Status"] == WISH and not person.get("HasOptedOutOfEmail")
        if is_asked and not told.get(each["Id"]):
            found.lost.append(f"{client}: nobody was told of {place[1]} for {place[0]}")
        if place not in wanted.statuses and each["Id"] not in by_hand:
            found.wrong.append(f"{client}: {place[1]} is in the campaign of {place[0]}")
    for place, status in wanted.statuses.items():
        member, name = there.get(place), f"{client}: {place[1]} in the campaign of {place[0]}"
        if status is None:
            continue
        if member is None:
            # Of those who only wait, or asked for a call and left at once, only people whom the org
            # is known to have are members.
            if status not in _OF_KNOWN_PEOPLE or place[1] in wanted.people:
                found.lost.append(f"{name}: {status}")
        elif member["Status"] != status:
            found.wrong.append(f"{name} is {member['Status']}, and not {status}")


def _stage(registration: Row) -> str:
    return "substituted" if registration["replaced_by"] else _SAYS[registration["status"]]


def _comes(row: Row) -> bool:
    return bool(row["role"] != "Speaker")


def _is_recording(visit: Row) -> bool:
    return visit["kind"] in ("on_demand", "replay")


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _address(person: Row) -> str:
    return (person.get("Email") or "nobody").lower()
