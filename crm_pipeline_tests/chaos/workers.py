"""Processes that share the work of `make chaos`, each with databases and orgs of its own."""

import logging
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.installation import Installation, installed, org_named
from crm_pipeline_tests.chaos.random_walk import SCENES, RandomWalk
from crm_pipeline_tests.chaos.walk import BREAKAGES, Walk
from crm_pipeline_tests.databases import fresh_pipeline, server_in

RANDOM_WALKS = {
    name: f"several faults at once, several accounts, two cycles of one: {name}" for name in SCENES
}
"""How the tables call the random walks, by scene."""


@dataclass(slots=True)
class Tally:
    """The outcome of one kind of fault."""

    name: str
    places: int = 0
    faults: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: int = 0
    said: list[str] = field(default_factory=list)

    def take(self, where: str, findings: Findings) -> None:
        """Counts what one examination found."""
        self.lost += len(findings.lost)
        self.doubled += len(findings.doubled)
        self.wrong += len(findings.wrong)
        if findings:
            self.said.append(f"{where}\n{findings}")

    def add(self, other: "Tally") -> None:
        """Adds what came of the same kind elsewhere."""
        self.places += other.places
        self.faults += other.faults
        self.lost += other.lost
        self.doubled += other.doubled
        self.wrong += other.wrong
        self.said += other.said


class Worker:
    """One process of several; it keeps what it needs for the account's settings at hand."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = server_in(folder)
        self._server.url("postgres")
        self._stack = ExitStack()
        self._walk: Walk | None = None
        self._walks_under = ""

    def walk(self, settings: str) -> Walk:
        """The small case under these settings."""
        if self._walk is None or self._walks_under != settings:
            self._stack.close()
            installation = self._installation(["acme"])
            self._walk, self._walks_under = Walk(installation, settings), settings
        return self._walk

    def random_walk(self, scene: str, seed: int) -> RandomWalk:
        """A random walk of its own, in one of `SCENES`."""
        self._stack.close()
        self._walk = None
        accounts = SCENES[scene].settings
        walk = RandomWalk(self._installation(accounts), seed, SCENES[scene])
        self._stack.callback(walk.close)
        return walk

    def _installation(self, names: Iterable[str]) -> Installation:
        # Of its own, as the file of tombstones has the keys of its installation.
        data = Path(mkdtemp(prefix="data-", dir=self._folder))
        engine = self._stack.enter_context(fresh_pipeline(self._server, data))
        return self._stack.enter_context(installed(engine, *map(org_named, names)))


_worker: Worker | None = None


def begin(folder: Path) -> None:
    """Prepares a process for work; `folder` is that of the PostgreSQL server."""
    # Of a line that was cut it says that the answer is missing.
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    global _worker  # noqa: PLW0603 - a process's own, made as it starts
    _worker = Worker(folder)


def _own_worker() -> Worker:
    assert _worker is not None
    return _worker


def break_everywhere(settings: str, breakage_number: int, sample: slice) -> Tally:
    """Breaks the small case by one kind of fault at all places, or at a sample of them."""
    breakage = BREAKAGES[breakage_number]
    walk = _own_worker().walk(settings)
    tally = Tally(breakage.name)
    for place, findings in walk.each_place(breakage, sample):
        tally.places += 1
        tally.faults += 1
        tally.take(f"{settings}, {breakage.name}, {place}", findings)
    return tally


def walk_at_random(scene: str, seed: int, seconds: float) -> Tally:
    """Makes episodes of the random walk for so many seconds."""
    walk = _own_worker().random_walk(scene, seed)
    tally = Tally(RANDOM_WALKS[scene])
    end = time.monotonic() + seconds
    episode = 0
    while time.monotonic() < end:
        tally.take(f"{scene}, seed {seed}, episode {episode}", walk.episode(episode))
        episode += 1
    tally.places = tally.faults = walk.faults.total()
    return tally
