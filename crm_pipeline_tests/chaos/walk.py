"""The walk through all places: the small case, again and again, each time broken elsewhere.

It is run once in good weather, and its calls and commits are counted. Then, for each kind of fault
and each place where it can strike, everything is put back, the case is run with this fault, the
normal cadence finishes, and the examiner looks: at the promise, and at whether the org is what it
was after the run in good weather.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, Protocol

from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.chaos.ambush import Strike, fault
from crm_pipeline_tests.chaos.badge_story import BadgeCase
from crm_pipeline_tests.chaos.cycle_process import (
    AGAIN,
    BADGES,
    DECIDES,
    ONCE,
    PLANS,
    REPLAYS,
    SMALL_CALLS,
    UNDOES,
    CommitAction,
)
from crm_pipeline_tests.chaos.deal_story import DEALS, DealCase
from crm_pipeline_tests.chaos.decisions import APPROVES, LIMITS, REJECTS
from crm_pipeline_tests.chaos.engaged_world import EngagedCase
from crm_pipeline_tests.chaos.evidence import Record, address, gather
from crm_pipeline_tests.chaos.examiner import examine
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.history import History
from crm_pipeline_tests.chaos.installation import (
    CAMPAIGN_EXTERNAL_ID,
    CAMPAIGNS,
    ENGAGEMENT,
    EXTERNAL_ID,
    Installation,
)
from crm_pipeline_tests.chaos.lane import Ended
from crm_pipeline_tests.chaos.lead_story import ATTRIBUTION, LeadCase
from crm_pipeline_tests.chaos.request_story import INBOUND, RequestCase
from crm_pipeline_tests.chaos.story import begin, goes_on
from crm_pipeline_tests.chaos.undo_story import UndoneCase
from crm_pipeline_tests.chaos.webinar_story import WEBINARS, WITH_SESSIONS, WebinarCase

CYCLES = 2
"""Cycles of the small case, before the cadence takes over."""


At = Literal["commit", "call", "inside"]
"""Kinds of places for a fault: a commit, a call on the wire, one inside a composite."""


@dataclass(frozen=True, slots=True)
class Breakage:
    """One kind of fault: at a commit or at a call.

    Attributes:
        name: what the table of docs/proof.md calls it.
        commit: what happens at a commit.
        call: what happens at a call.
        environment: settings of the cycle that it strikes.
    """

    name: str
    commit: CommitAction | None = None
    call: Strike | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def at(self) -> At:
        """The kind of place at which it strikes."""
        if self.call is None:
            return "commit"
        return "inside" if self.call.inside else "call"


_IMPATIENT = {"SALESFORCE_READ_TIMEOUT_SECONDS": "3"}
"""Not shorter: on a busy machine other calls would be given up, too, which the org still works on
while they are looked up without any grace."""
_TOO_LONG = 4


BREAKAGES: tuple[Breakage, ...] = (
    Breakage("process killed before a database commit", commit="kill_before"),
    Breakage("process killed after a database commit", commit="kill_after"),
    Breakage("PostgreSQL's line cut before a commit", commit="cut_before"),
    Breakage("PostgreSQL's line cut after a commit", commit="cut_after"),
    Breakage("commit made, and the line cut before it says so", commit="acknowledgement_lost"),
    Breakage("process killed before the org works", call=Strike(fault("reset_before"), kills=True)),
    Breakage("process killed after the org worked", call=Strike(kills=True)),
    Breakage("line cut before the org works", call=Strike(fault("reset_before"))),
    Breakage("line cut after the org worked", call=Strike(fault("reset_after"))),
    Breakage("HTML 503 before the org works", call=Strike(fault("html_503"))),
    Breakage("HTML 503 after the org worked", call=Strike(fault("html_503_after"))),
    Breakage(
        "no answer in time, and nothing done",
        call=Strike(fault("hang", seconds=_TOO_LONG)),
        environment=_IMPATIENT,
    ),
    Breakage(
        "no answer in time, but all done",
        call=Strike(fault("hang_after", seconds=_TOO_LONG)),
        environment=_IMPATIENT,
    ),
    Breakage("answer cut in half, well-formed HTTP", call=Strike(fault("truncate"))),
    Breakage("answer cut in half", call=Strike(fault("wrong_length"))),
    Breakage("session expired", call=Strike(fault("expire_session"))),
    Breakage("500 UNKNOWN_EXCEPTION", call=Strike(fault("error", status=500))),
    Breakage(
        "day's API requests spent",
        call=Strike(
            fault("error", status=403, code="REQUEST_LIMIT_EXCEEDED", message="TotalRequests")
        ),
    ),
    Breakage("all rows locked", call=Strike(fault("lock"))),
    Breakage("one row locked", call=Strike(fault("lock", rows=[1]))),
    Breakage("one call of a composite fails", call=Strike(fault("error", status=500), inside=True)),
    Breakage(
        "one call of a composite is over the limit",
        call=Strike(
            fault("error", status=403, code="REQUEST_LIMIT_EXCEEDED", message="TotalRequests"),
            inside=True,
        ),
    ),
    Breakage("one row of one call locked", call=Strike(fault("lock", rows=[2]), inside=True)),
)

SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "by composite calls": {"route": "composite"},
    "activities behind their people": {"route": "composite"},
    "upserted by an external id": {
        "route": "composite",
        "activity_external_id_field": EXTERNAL_ID,
    },
    "by bulk jobs": {"route": "bulk"},
    "an org whose clock is 11 minutes behind": {"route": "composite", "campaigns": CAMPAIGNS},
    "an org whose clock is 11 minutes ahead": {"route": "bulk", "campaigns": CAMPAIGNS},
    "planned and applied": {"route": "composite", "campaigns": CAMPAIGNS},
    "planned and applied, by bulk jobs": {"route": "bulk"},
    "replayed": {"route": "composite", "campaigns": CAMPAIGNS},
    "replayed, of some objects alone": {"route": "composite", "campaigns": CAMPAIGNS},
    "taken back": {"route": "composite", "campaigns": CAMPAIGNS},
    "taken back, and left to the planner": {"route": "composite", "campaigns": CAMPAIGNS},
    "taken back, by bulk jobs": {"route": "bulk", "campaigns": CAMPAIGNS},
    "held and approved": {"route": "composite", "campaigns": CAMPAIGNS, "limits": LIMITS},
    "held and rejected at first": {"route": "composite", "campaigns": CAMPAIGNS, "limits": LIMITS},
    "held and rejected at first, by bulk jobs": {"route": "bulk", "limits": LIMITS},
    "with campaigns": {"route": "composite", "campaigns": CAMPAIGNS},
    "with campaigns, by bulk jobs": {
        "route": "bulk",
        "campaigns": {**CAMPAIGNS, "external_id_field": CAMPAIGN_EXTERNAL_ID},
    },
    "with tracked leads": {"route": "composite", "attribution": ATTRIBUTION},
    "with tracked leads, by bulk jobs": {"route": "bulk", "attribution": ATTRIBUTION},
    "with requests": {"route": "composite", "inbound": INBOUND},
    "with requests, by bulk jobs": {"route": "bulk", "inbound": INBOUND},
    "with opportunities": {"route": "composite", "attribution": DEALS},
    "with opportunities, by bulk jobs and HTTP": {"route": "bulk", "attribution": DEALS},
    "with prospects": {"route": "composite", "engagement": ENGAGEMENT},
    "with prospects, by bulk jobs": {"route": "bulk", "engagement": ENGAGEMENT},
    "with all that webinars tell": {"route": "composite", **WITH_SESSIONS},
    "with all that webinars tell, by bulk jobs": {"route": "bulk", **WEBINARS},
    "with badges": {"route": "composite"},
    "with badges that are left where they are deleted, by bulk jobs": {"route": "bulk"},
}
"""Accounts' settings under which the walk is made."""

ENVIRONMENTS: Mapping[str, Mapping[str, str]] = {
    # Only where people fill several calls do activities go before all of them are through.
    "activities behind their people": {SMALL_CALLS: "yes"},
    "planned and applied": {PLANS: "yes"},
    "planned and applied, by bulk jobs": {PLANS: "yes"},
    "replayed": {REPLAYS: "all"},
    "replayed, of some objects alone": {REPLAYS: "activity member"},
    "taken back": {UNDOES: AGAIN},
    "taken back, and left to the planner": {UNDOES: ONCE},
    "taken back, by bulk jobs": {UNDOES: ONCE},
    "held and approved": {DECIDES: APPROVES},
    "held and rejected at first": {DECIDES: REJECTS},
    "held and rejected at first, by bulk jobs": {DECIDES: REJECTS},
    "with badges": {BADGES: "recreate"},
    "with badges that are left where they are deleted, by bulk jobs": {BADGES: "leave"},
}
"""Further settings of the pipeline, by the same names."""


CLOCKS: Mapping[str, timedelta] = {
    "an org whose clock is 11 minutes behind": timedelta(minutes=-11),
    "an org whose clock is 11 minutes ahead": timedelta(minutes=11),
}
"""By how much the org's clock differs from the database's, by the same names."""

_WITHOUT_AN_ANSWER = frozenset(
    (
        "process killed after a database commit",
        "process killed after the org worked",
        "line cut after the org worked",
        "HTML 503 after the org worked",
        "no answer in time, but all done",
        "answer cut in half",
    )
)
"""Kinds of faults after which the org has done what nobody told us: only then clocks matter."""


def is_walked(settings: str, breakage: Breakage) -> bool:
    """Returns whether the small case is broken by this kind of fault under these settings."""
    return settings not in CLOCKS or breakage.name in _WITHOUT_AN_ANSWER


class Case(Protocol):
    """The case that is broken."""

    def goes_on(self) -> None:
        """Lets happen what comes between the two cycles."""

    def examined(self) -> Findings:
        """Findings of the examiner now."""

    def picture(self) -> list[Any]:
        """The org's records, without what differs between two runs of the same: ids and times."""


@dataclass(frozen=True, slots=True)
class Place:
    """The n-th commit or call of one of the cycles."""

    cycle: int
    nth: int


@dataclass(frozen=True, slots=True)
class Counted:
    """The result of a run in good weather: the places by kind, and the org after it."""

    places: Mapping[At, list[Place]]
    org: list[Any]


class Walk:
    """The small case under one of `SETTINGS`, ready to be broken at any place.

    Attributes:
        counted: the run in good weather.
        ended: how the cycles of the last run ended.
        settled: the cycles that the cadence asked for after these.
    """

    def __init__(self, installation: Installation, settings: str) -> None:
        self.installation = installation
        self.ended: list[Ended] = []
        self.settled = Ended("")
        # Several chunks, hence several commits, to a source.
        installation.environment["CHUNK_ROWS"] = "5"
        installation.environment |= ENVIRONMENTS.get(settings, {})
        for name, org in installation.orgs.items():
            org.clock_shift = installation.clocks[name] = CLOCKS.get(settings, timedelta())
        if DECIDES in installation.environment:
            installation.end_first_loads()
        self._case = _case(installation, SETTINGS[settings])
        installation.save()
        self.counted = self._count()

    def _count(self) -> Counted:
        places: dict[At, list[Place]] = {"commit": [], "call": [], "inside": []}
        ambush = next(iter(self.installation.ambushes.values()))
        for number in range(CYCLES):
            ended = self._cycle(number, None, None)
            if ended.state != "Complete" or ended.log:
                raise AssertionError(f"in good weather: {ended}")
            places["commit"] += [Place(number, nth + 1) for nth in range(ended.commits)]
            places["call"] += [Place(number, nth + 1) for nth in range(len(ambush.on_the_wire))]
            places["inside"] += [Place(number, nth + 1) for nth in range(len(ambush.inside))]
        findings = self._examined(self.installation.settle())
        if findings or findings.queued:
            raise AssertionError(f"in good weather:\n{findings}\n{findings.queued}")
        return Counted(places, self._case.picture())

    def examined_now(self) -> Findings:
        """Findings of the examiner as things are, whatever was broken or not."""
        return self._case.examined()

    def places(self, breakage: Breakage) -> list[Place]:
        """All places where this can strike."""
        return self.counted.places[breakage.at]

    def each_place(
        self, breakage: Breakage, sample: slice = slice(None)
    ) -> Iterator[tuple[Place, Findings]]:
        """Breaks the case at one place after the other; yields what is found there.

        Args:
            breakage: the fault.
            sample: which of the places.
        """
        for place in self.places(breakage)[sample]:
            yield place, self.break_at(place, breakage)

    def break_at(
        self, place: Place, breakage: Breakage, mended: Callable[[], None] | None = None
    ) -> Findings:
        """Runs the case with the fault, lets the cadence finish, and examines it.

        `mended` is done after the cycle that the fault strikes.
        """
        self.installation.restore()
        self.ended = []
        for number in range(CYCLES):
            self.ended.append(self._cycle(number, place, breakage))
            if mended is not None and number == place.cycle:
                mended()
        self.settled = self.installation.settle()
        findings = self._examined(*self.ended, self.settled)
        if findings.queued:
            findings.wrong.append(f"still in the queue: {'; '.join(findings.queued)}")
        after = self._case.picture()
        if after != self.counted.org and not findings:
            findings.wrong += _differences(self.counted.org, after)
        return findings

    def _cycle(self, number: int, place: Place | None, breakage: Breakage | None) -> Ended:
        if number == 1:
            self._case.goes_on()
        if place is None or breakage is None or place.cycle != number:
            return self.installation.cycle()
        return self.installation.cycle(
            commit=(place.nth, breakage.commit) if breakage.commit else None,
            call=(place.nth, breakage.call) if breakage.call else None,
            environment=breakage.environment,
        )

    def _examined(self, *ends: Ended) -> Findings:
        findings = self._case.examined()
        for ended in ends:
            findings.wrong += bugs(ended)
        return findings


def _case(installation: Installation, settings: Mapping[str, Any]) -> Case:
    if BADGES in installation.environment:
        return BadgeCase(installation, settings)
    if UNDOES in installation.environment:
        return UndoneCase(installation, settings)
    if "engagement" in settings:
        return EngagedCase(installation, settings)
    if "inbound" in settings:
        return RequestCase(installation, settings)
    if "attribution" in settings:
        is_told = bool(settings["attribution"]["triggers"])
        return (DealCase if is_told else LeadCase)(installation, settings)
    if "attended_at_least_minutes" in settings:
        return WebinarCase(installation, settings)
    return People(installation, settings)


class People:
    """The story of the people of webinars."""

    def __init__(self, installation: Installation, settings: Mapping[str, Any]) -> None:
        self._installation = installation
        self._told = begin(installation, settings)
        self._history = History()

    def goes_on(self) -> None:
        """As `Case`."""
        self._history = History()
        with self._installation.rows() as rows:
            self._history.note(rows, self._installation.names[0], self._installation.org())
        goes_on(self._installation, self._told)

    def examined(self) -> Findings:
        """As `Case`."""
        name, org = self._installation.names[0], self._installation.org()
        with self._installation.rows() as rows:
            evidence = gather(
                rows,
                name,
                org,
                given=self._told.given,
                said=self._history.said[name],
                had=self._history.had,
            )
        return examine(evidence)

    def picture(self) -> list[Any]:
        """As `Case`."""
        return picture(self._installation.org())


def bugs(ended: Ended) -> list[str]:
    """An end that a cycle or the cadence must not come to, whatever happens around it."""
    said = [ended.reason, *(cycle["reason"] or "" for cycle in ended.cycles)]
    found = [reason for reason in said if "a bug" in reason]
    found += ended.log
    if ended.state == "Crashed":
        found.append(ended.reason)
    if not ended.rests:
        found.append(f"does not come to rest: {ended.cycles[-2:]}")
    return found


_SHOWN = {
    "Lead": ("FirstName", "LastName", "Company", "Title", "Phone", "LeadSource"),
    "Contact": ("FirstName", "LastName", "Title", "Phone", "MobilePhone", "LeadSource"),
}


def picture(org: Org) -> list[Any]:
    """An org's records, without what differs between two runs of the same: ids and times."""
    names: dict[str, Any] = {}
    pictures: list[Any] = []
    for sobject, fields in _SHOWN.items():
        for record in org.table(sobject).rows.values():
            # A converted Lead is as it was when it was converted, whatever had been sent by then.
            if record["IsDeleted"] or record.get("IsConverted"):
                continue
            shown = (sobject, address(record["Email"]), *(record.get(name) for name in fields))
            names[record["Id"]] = shown
            pictures.append(shown)
    pictures += [
        ("Event", names.get(event["WhoId"]), *_of_event(event))
        for event in org.table("Event").rows.values()
        if not event["IsDeleted"]
    ]
    campaigns = {each["Id"]: each["Name"] for each in org.table("Campaign").rows.values()}
    pictures += [("Campaign", name) for name in campaigns.values()]
    pictures += [
        ("status", campaigns[each["CampaignId"]], each["Label"])
        for each in org.table("CampaignMemberStatus").rows.values()
    ]
    pictures += [
        (
            "member",
            campaigns[each["CampaignId"]],
            names.get(each.get("ContactId") or each["LeadId"]),
            each["Status"],
        )
        for each in org.table("CampaignMember").rows.values()
        if not each["IsDeleted"]
    ]
    return sorted(pictures, key=repr)


def _of_event(event: Record) -> tuple[Any, ...]:
    return event["Subject"], event["ActivityDateTime"], event["DurationInMinutes"]


def _differences(before: list[Any], after: list[Any]) -> list[str]:
    missing = [each for each in before if each not in after]
    new = [each for each in after if each not in before]
    return [f"the org differs: {each} is missing" for each in missing] + [
        f"the org differs: {each} is there" for each in new
    ]
