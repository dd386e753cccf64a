"""A seeded random walk: several accounts, several faults at once, two cycles of one at a time.

It is made of episodes, each of which begins anew, so that a bad one can be made again by its seed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any, Protocol

from crm_pipeline.local_org.config import Fault
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.seeding import snapshot
from crm_pipeline_tests.chaos import engaged_world, tracked_world, webinar_world
from crm_pipeline_tests.chaos.ambush import Strike, fault
from crm_pipeline_tests.chaos.cycle_process import DECIDES, CommitAction
from crm_pipeline_tests.chaos.database_clock import DatabaseClock
from crm_pipeline_tests.chaos.decisions import APPROVES, LIMITS, REJECTS, THINKS_BETTER
from crm_pipeline_tests.chaos.engaged_world import EngagedWorld
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.installation import (
    CAMPAIGN_EXTERNAL_ID,
    CAMPAIGNS,
    EXTERNAL_ID,
    Installation,
)
from crm_pipeline_tests.chaos.lane import Ended, Lane
from crm_pipeline_tests.chaos.tracked_world import TrackedWorld
from crm_pipeline_tests.chaos.walk import bugs
from crm_pipeline_tests.chaos.webinar_world import WebinarWorld
from crm_pipeline_tests.chaos.world import MEANWHILE, MOVES, SALES, World

STEPS = 18
CYCLES_AT_ONCE = 3

SETTINGS: dict[str, dict[str, Any]] = {
    "ash": {"route": "composite", "vanished": "delete"},
    "birch": {
        "route": "composite",
        "vanished": "delete",
        "activity_external_id_field": EXTERNAL_ID,
        "campaigns": {**CAMPAIGNS, "external_id_field": CAMPAIGN_EXTERNAL_ID},
    },
    "cedar": {"campaigns": CAMPAIGNS},
    "dill": {"route": "bulk", "campaigns": CAMPAIGNS},
}
"""The accounts of the walk, and what they have chosen."""

_LEAST = LIMITS | {"changed_people": 0, "new_people": 0, "rejections": 0}
_LIMITS = {"ash": _LEAST, "birch": LIMITS, "cedar": _LEAST, "dill": LIMITS}
"""Of the same accounts, where people decide."""


class AnyWorld(Protocol):
    """What happens around the accounts of a walk, and who examines them."""

    def __init__(self, installation: Installation) -> None: ...

    def begin(self, settings: Mapping[str, Mapping[str, Any]]) -> None:
        """Makes the beginning that `restore` puts back."""

    def happens(self, move: str, account: str, pick: int) -> None:
        """Something happens at one account."""

    def comes_to_rest(self) -> None:
        """What happens before the cadence comes to its end."""

    def examined(self, *, at_rest: bool) -> Findings:
        """Findings of the examiner in all accounts."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The accounts of a walk, and what may happen around them.

    Attributes:
        settings: by account.
        world: where it happens.
        rows: the names of moves at the source.
        sales: of deeds of salespeople.
        meanwhile: of those that they may do in the middle of a cycle.
        overlaps: minutes that an extract reads twice, in one episode or another.
        backups: whether the pipeline's database is backed up, and restored.
        decides: whether accounts are held to limits from their first cycle on, and people decide
            about what is held.
    """

    settings: Mapping[str, Mapping[str, Any]]
    world: type[AnyWorld]
    rows: Sequence[str]
    sales: Sequence[str]
    meanwhile: Sequence[str]
    overlaps: Sequence[str] = ("0", "30")
    backups: bool = False
    decides: bool = False


SCENES: Mapping[str, Scene] = {
    "webinars": Scene(
        SETTINGS,
        World,
        [name for name in MOVES if name not in SALES],
        SALES,
        MEANWHILE,
    ),
    "webinars, held": Scene(
        {name: {**chosen, "limits": _LIMITS[name]} for name, chosen in SETTINGS.items()},
        World,
        [name for name in MOVES if name not in SALES],
        SALES,
        MEANWHILE,
        decides=True,
    ),
    "webinars, restored": Scene(
        SETTINGS,
        World,
        [name for name in MOVES if name not in SALES],
        SALES,
        MEANWHILE,
        backups=True,
    ),
    "tracked leads and opportunities": Scene(
        tracked_world.SETTINGS,
        TrackedWorld,
        [*tracked_world.ROWS],
        [*tracked_world.SALES],
        [*tracked_world.SALES],
    ),
    "prospects": Scene(
        engaged_world.SETTINGS,
        EngagedWorld,
        [*engaged_world.ROWS],
        [*engaged_world.SALES],
        [*engaged_world.SALES],
        ("30",),
    ),
    "all that webinars tell": Scene(
        webinar_world.SETTINGS,
        WebinarWorld,
        [*webinar_world.ROWS],
        [*webinar_world.SALES],
        webinar_world.MEANWHILE,
        ("30",),
    ),
}
"""The walks that there are, by name."""

_COMMIT_ACTIONS: Sequence[CommitAction] = (
    "kill_before",
    "kill_after",
    "cut_before",
    "cut_after",
    "acknowledgement_lost",
)
_WEATHER: Sequence[Fault] = (
    fault("reset_before"),
    fault("reset_after"),
    fault("html_503"),
    fault("html_503_after"),
    fault("truncate"),
    fault("wrong_length"),
    fault("expire_session"),
    fault("slow", seconds=0.05),
    fault("lock"),
    fault("error", status=500),
    fault("error", status=403, code="REQUEST_LIMIT_EXCEEDED", message="TotalRequests"),
)
_KINDS = ("*", "login", "composite", "collections.*", "collections.create", "query", "bulk2.*")

_CLOCKS = (
    timedelta(),
    timedelta(minutes=-11),
    timedelta(minutes=11),
    timedelta(hours=-7),
    timedelta(hours=26),
)
"""By how much the clocks of orgs differ."""

_JUMPS = (timedelta(), timedelta(hours=-3), timedelta(minutes=-4), timedelta(hours=2))
"""By how much the databases' clock is wrong, at one moment or another."""

_LATER = timedelta(hours=6)
"""When all comes to rest: nothing waits any more for what a wrong clock said."""

_ANOTHER_ORG = str(long_id("00DREFRESHED000"))

_IMPATIENT = {"LOST_ANSWER_GRACE_SECONDS": "0"}
_PATIENT = {"LOST_ANSWER_GRACE_SECONDS": "600"}
"""Operations in flight stay so in this cycle, while newer versions of them are read."""


class RandomWalk:
    """Episodes over one installation, whose accounts are those of a scene."""

    def __init__(
        self, installation: Installation, seed: int, scene: Scene = SCENES["webinars"]
    ) -> None:
        self.scene = scene
        self.faults: Counter[str] = Counter()
        self.cycles = 0
        self.installation = installation
        self._seed = seed
        self._stack = ExitStack()
        self._lanes = [self._stack.enter_context(Lane()) for _ in range(CYCLES_AT_ONCE)]
        self.clock = DatabaseClock(installation.engine)
        installation.reconnect()
        if scene.decides:
            installation.end_first_loads()
        scene.world(installation).begin(scene.settings)

    def close(self) -> None:
        """Ends the processes."""
        self._stack.close()

    def episode(self, number: int) -> Findings:
        """Bad times, then good ones until everything rests; what the examiner finds then."""
        self.clock.is_wrong(by=timedelta())
        self.installation.restore()
        world = self.scene.world(self.installation)
        return _Episode(self, world, Random(f"{self._seed}/{number}")).run()

    def run_cycles(self, cycles: Sequence[partial[Ended]]) -> list[Ended]:
        """Runs cycles at the same time, each in a process of its own."""
        self.cycles += len(cycles)
        with ThreadPoolExecutor(CYCLES_AT_ONCE) as threads:
            running = [
                threads.submit(each, lane=lane)
                for each, lane in zip(cycles, self._lanes, strict=False)
            ]
            return [each.result() for each in running]


class _Episode:
    def __init__(self, walk: RandomWalk, world: AnyWorld, random: Random) -> None:
        self.walk = walk
        self.scene = walk.scene
        self.world = world
        self.random = random
        self.installation = walk.installation
        self.found = Findings()
        self._backed_up = False
        # Without an overlap nothing is read twice; what is shipped late is found by counting.
        self.overlap = {"OVERLAP_MINUTES": random.choice(walk.scene.overlaps)}
        for org in self.installation.orgs.values():
            org.clock_shift = random.choice(_CLOCKS)

    def run(self) -> Findings:
        for _ in range(STEPS):
            step = self.random.choice(
                (
                    self._sales,
                    self._weather,
                    self._another_org,
                    self._clock,
                    *(self._backup,) * self.scene.backups,
                    *(self._decision,) * self.scene.decides * 3,
                    *(self._cycles,) * 6,
                )
            )
            step()
        self._cycles()
        for org in self.installation.orgs.values():
            org.weather.faults.clear()
        self.walk.clock.is_wrong(by=_LATER)
        self.world.comes_to_rest()
        people = {DECIDES: self.random.choice((APPROVES, REJECTS))} if self.scene.decides else {}
        ended = self.installation.settle(self.overlap | people)
        if self.installation.adopt():
            # Until a person says so, they do not come to rest.
            ended = self.installation.settle(self.overlap | people)
        if self.scene.backups and isinstance(self.world, World):
            self.found.wrong += self.world.does_what_notes_ask()
            ended = self.installation.settle(self.overlap)
        self._take(ended)
        self.found.add(self.world.examined(at_rest=True))
        return self.found

    def _account(self) -> str:
        return self.random.choice(self.installation.names)

    def _pick(self) -> int:
        return self.random.randrange(1000)

    def _rows(self, account: str) -> None:
        for _ in range(self.random.randint(0, 6)):
            self.world.happens(self.random.choice(self.scene.rows), account, self._pick())

    def _sales(self) -> None:
        for _ in range(self.random.randint(1, 3)):
            self.world.happens(self.random.choice(self.scene.sales), self._account(), self._pick())

    def _weather(self) -> None:
        chosen = self.random.choice(_WEATHER).model_copy(
            update={
                "kind": self.random.choice(_KINDS),
                "probability": self.random.choice((0.2, 0.5, 1.0)),
                "times": self.random.randint(1, 4),
                "seed": self._pick(),
            }
        )
        self.installation.org(self._account()).weather.add(chosen)
        self.walk.faults[f"weather: {chosen.action}"] += 1

    def _clock(self) -> None:
        self.walk.clock.is_wrong(by=self.random.choice(_JUMPS))
        self.walk.faults["the databases' clock jumps"] += 1

    def _backup(self) -> None:
        """The pipeline's database is backed up; or restored, if that was done."""
        self._backed_up = not self._backed_up
        if self._backed_up:
            self.installation.back_up()
            return
        self.installation.restore_backup()
        self.walk.faults["the ledger is restored from a backup"] += 1

    def _decision(self) -> None:
        """People approve what is held of accounts, reject it, or think better of that."""
        for account in self.installation.names:
            how = self.random.choice((APPROVES, REJECTS, THINKS_BETTER))
            self._take(self.installation.decision(account, how))
        self.found.add(self.world.examined(at_rest=False))

    def _another_org(self) -> None:
        """The login leads to another org for a cycle, as a wrong URL does: nothing goes there.

        An account of which nothing is there yet may go to any.
        """
        account = self._account()
        self._rows(account)
        org = self.installation.org(account)
        if not self.installation.knows_records(account):
            return
        own, before = org.id, snapshot(org).rows
        org.id = _ANOTHER_ORG
        self._take(self.installation.cycle(account, environment=self.overlap))
        org.id = own
        self.walk.faults["another org for a cycle"] += 1
        if snapshot(org).rows != before:
            self.found.wrong.append(f"{account}: something was written to another org")

    def _cycles(self) -> None:
        """Cycles at the same time, more than one of them perhaps of one account."""
        self.installation.adopt()
        accounts = [self._account() for _ in range(self.random.randint(1, CYCLES_AT_ONCE))]
        for account in accounts:
            self._rows(account)
        alone = len(set(accounts)) == len(accounts)
        cycles = [self._cycle(account, alone=alone) for account in accounts]
        for ended in self.walk.run_cycles(cycles):
            self._take(ended)
        self.found.add(self.world.examined(at_rest=False))

    def _cycle(self, account: str, *, alone: bool) -> partial[Ended]:
        patience = self.random.choice((_IMPATIENT, _PATIENT))
        cycle = partial(self.installation.cycle, account, environment={**patience, **self.overlap})
        match self.random.randrange(3):
            case 0:
                action = self.random.choice(_COMMIT_ACTIONS)
                self.walk.faults[f"commit: {action}"] += 1
                return partial(cycle, commit=(self.random.randint(5, 22), action))
            case 1 if alone:
                return partial(cycle, call=(self.random.randint(1, 7), self._strike(account)))
        return cycle

    def _strike(self, account: str) -> Strike:
        """The process is killed at a call; or a salesperson acts, or a clock jumps, before it."""
        if self.random.random() < 0.5:
            self.walk.faults["process killed at a call"] += 1
            before = self.random.random() < 0.5
            return Strike(fault("reset_before") if before else None, kills=True)
        if self.random.random() < 0.3:
            self.walk.faults["the databases' clock jumps in the middle of a cycle"] += 1
            return Strike(meanwhile=partial(self.walk.clock.is_wrong, self.random.choice(_JUMPS)))
        self.walk.faults["salesperson in the middle of a cycle"] += 1
        act, pick = self.random.choice(self.scene.meanwhile), self._pick()
        return Strike(meanwhile=partial(self.world.happens, act, account, pick))

    def _take(self, ended: Ended) -> None:
        self.found.wrong += bugs(ended)
