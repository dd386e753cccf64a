"""Accounts with a tracker, and everything that can happen around their leads and opportunities."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from sqlalchemy import text

from crm_pipeline.accounts.store import get_account, update_settings
from crm_pipeline.ledger.read_back import hint
from crm_pipeline_tests.chaos.deal_examiner import Evidence, examine
from crm_pipeline_tests.chaos.dealings import Dealings
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.installation import LEAD_ON_OPPORTUNITY, Installation
from crm_pipeline_tests.chaos.lead_story import ATTRIBUTION
from crm_pipeline_tests.chaos.marks import Marks
from crm_pipeline_tests.chaos.people_examiner import PeopleExamination
from crm_pipeline_tests.chaos.tracker import Tracker

CHOICES: Mapping[str, Any] = {
    **ATTRIBUTION,
    "opportunity_id_field": LEAD_ON_OPPORTUNITY,
    "triggers": ["new", "updated"],
    "split": "equal",
}

FOLLOWING: Mapping[str, Any] = {**CHOICES, "first_touch_policy": "unless_edited"}
"""A first touch follows the source, as long as nobody has edited it."""

SETTINGS: dict[str, dict[str, Any]] = {
    "elm": {"route": "composite", "vanished": "delete", "attribution": FOLLOWING},
    "fir": {
        "route": "bulk",
        "vanished": "delete",
        "attribution": {**CHOICES, "split": "primary"},
    },
}
"""The accounts of the walk, and what they have chosen."""

CHANGES: tuple[Mapping[str, Any], ...] = (
    *({"split": each} for each in ("primary", "equal", "first_touch")),
    {"triggers": []},
    {
        "triggers": ["matching_filter"],
        "opportunity_filter": [{"field": "Amount", "operator": ">=", "value": 60}],
    },
    {
        "triggers": ["new", "matching_filter"],
        "opportunity_filter": [{"field": "StageName", "value": "Closed Won"}],
        "filter_fires_again": True,
    },
    {"kinds": ["form", "email"]},
    {"phone_region": None},
    {"opportunity_id_field": None},
    {"further_fields": {}},
    {"last_touch": {}},
)
"""What the account chooses otherwise for a while; in the end it goes back."""


class TrackedWorld:
    """The clients' trackers, the salespeople of their orgs, and the pipeline between them."""

    def __init__(self, installation: Installation, follow: Collection[str] = ("elm",)) -> None:
        """Begins with nothing; `follow` are the accounts whose first touches do (`FOLLOWING`)."""
        self.installation = installation
        self._follow = follow
        names = installation.names
        self.trackers = {name: Tracker(name, number) for number, name in enumerate(names, 1)}
        self.dealings = {
            name: Dealings(installation.org(name), partial(self._known, name)) for name in names
        }
        self._marks = {name: Marks() for name in names}
        self._chosen: dict[str, Mapping[str, Any]] = {}

    def _known(self, account: str) -> list[str]:
        with self.installation.rows() as rows:
            known = text("SELECT salesforce_id FROM crm.identity WHERE account_id = :account")
            return list(rows.scalars(known, {"account": account}))

    def begin(self, settings: Mapping[str, Mapping[str, Any]] = SETTINGS) -> None:
        """As `World.begin`."""
        with self.installation.rows() as rows:
            for name, tracker in self.trackers.items():
                tracker.begin(rows)
                update_settings(rows, name, settings.get(name, {}))
        self.installation.save()

    def happens(self, move: str, account: str, pick: int) -> None:
        """One of `MOVES`, at one account."""
        self._marks[account].note(self.installation.org(account))
        MOVES[move](self, account, pick)

    def comes_to_rest(self) -> None:
        """As `World.comes_to_rest`."""
        for tracker in self.trackers.values():
            tracker.time_passes(45)
        with self.installation.rows() as rows:
            for name, chosen in self._chosen.items():
                update_settings(rows, name, {"attribution": chosen})

    def chooses(self, account: str, pick: int) -> None:
        """The account chooses something else, beside what it had chosen at first."""
        with self.installation.rows() as rows:
            if account not in self._chosen:
                found = get_account(rows, account).settings.attribution
                assert found is not None
                self._chosen[account] = found.model_dump(mode="json", exclude_unset=True)
            otherwise = {**self._chosen[account], **CHANGES[pick % len(CHANGES)]}
            update_settings(rows, account, {"attribution": otherwise})

    def examined(self, *, at_rest: bool) -> Findings:
        """Findings of the examiner in all accounts."""
        found = Findings()
        with self.installation.rows() as rows:
            for name, dealings in self.dealings.items():
                org = self.installation.org(name)
                evidence = Evidence.gathered(rows, name, org, self._marks[name])
                found.add(examine(evidence, at_rest=at_rest))
                if at_rest:
                    restless = frozenset(map(str, self.trackers[name].corrected))
                    given = frozenset(dealings.given)
                    examination = PeopleExamination(evidence, given, restless, name in self._follow)
                    found.add(examination.findings())
        return found


_Move = Callable[[TrackedWorld, str, int], None]


def _at_the_source(row: Callable[..., None], **details: float) -> _Move:
    def move(world: TrackedWorld, account: str, pick: int) -> None:
        with world.installation.rows() as rows:
            row(world.trackers[account], rows, pick, **details)

    return move


def _in_the_org(act: Callable[[Dealings, int], None]) -> _Move:
    def move(world: TrackedWorld, account: str, pick: int) -> None:
        act(world.dealings[account], pick)
        if pick % 2:
            with world.installation.rows() as rows:
                hint(rows, account)

    return move


def _names_lead(world: TrackedWorld, account: str, pick: int) -> None:
    world.dealings[account].names_lead(pick, world.trackers[account].leads)


def _time_passes(world: TrackedWorld, account: str, pick: int) -> None:
    world.trackers[account].time_passes((1, 7, 45)[pick % 3])


ROWS: Mapping[str, _Move] = {
    "calls": _at_the_source(Tracker.calls),
    "calls late": _at_the_source(Tracker.calls, behind=20),
    "calls long ago": _at_the_source(Tracker.calls, behind=3000),
    "calls from the family": _at_the_source(Tracker.calls_from_the_family),
    "fills in": _at_the_source(Tracker.fills_in),
    "fills in late": _at_the_source(Tracker.fills_in, behind=20),
    "writes": _at_the_source(Tracker.writes),
    "comes richer": _at_the_source(Tracker.comes_richer),
    "gives the address": _at_the_source(Tracker.gives_the_address),
    "changes number": _at_the_source(Tracker.changes_number),
    "turns out": _at_the_source(Tracker.turns_out),
    "vanishes": _at_the_source(Tracker.vanishes),
    "time passes": _time_passes,
    "chooses": TrackedWorld.chooses,
}
"""Everything that can happen at the source or to the settings, by name."""

SALES: Mapping[str, _Move] = {
    "opens": _in_the_org(Dealings.opens),
    "converts": _in_the_org(Dealings.converts),
    "converts unmapped": _in_the_org(Dealings.converts_unmapped),
    "gives role": _in_the_org(Dealings.gives_role),
    "takes role": _in_the_org(Dealings.takes_role),
    "moves stage": _in_the_org(Dealings.moves_stage),
    "changes amount": _in_the_org(Dealings.changes_amount),
    "names lead": _names_lead,
    "merges people": _in_the_org(Dealings.merges_people),
    "merges opportunities": _in_the_org(Dealings.merges_opportunities),
    "deletes": _in_the_org(Dealings.deletes),
    "undeletes": _in_the_org(Dealings.undeletes),
    "begins long": _in_the_org(Dealings.begins_long),
    "ends long": _in_the_org(Dealings.ends_long),
}
"""Deeds of salespeople, also in the middle of a cycle."""

MOVES: Mapping[str, _Move] = {**ROWS, **SALES}
