"""A removal that comes while thousands of people, or a bulk job, are under way to the org."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

import pytest
from sqlalchemy import text

from crm_pipeline.delivery.gate import TombstoneGate
from crm_pipeline.inbound.scanning import places_of
from crm_pipeline.local_org.bulk_jobs import BULK
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.cycle.tapped import Tap, tapped
from crm_pipeline_tests.cycle.test_removals import CANARY, REMOVALS, done_at
from crm_pipeline_tests.cycle.test_requests import desk
from crm_pipeline_tests.flows.webinars.warehouse import CLIENT, LONG_AGO
from crm_pipeline_tests.listener.conftest import Desk

__all__ = ["desk"]


@pytest.fixture
def tap(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tap]:
    with tapped(monkeypatch) as tap:
        yield tap


@dataclass
class Begun:
    """When each request that names the canary began, those of removals apart.

    The org hears of a request later, once it has come whole.
    """

    others: list[float] = field(default_factory=list)
    removals: list[float] = field(default_factory=list)


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Begun:
    times = Begun()
    passing = TombstoneGate.passing

    @contextmanager
    def noted(
        self: TombstoneGate, path: str, body: bytes | IO[bytes] | None
    ) -> Iterator[Callable[[], None] | None]:
        with passing(self, path, body) as release:
            said: Any = body
            if body is not None and not isinstance(body, bytes):
                said = body.read()
                body.seek(0)
            if CANARY.encode() in (said or b""):
                times_of = times.removals if self._is_open_for_removal else times.others
                times_of.append(time.monotonic())
            yield release

    monkeypatch.setattr(TombstoneGate, "passing", noted)
    return times


def register_many(bench: Bench, number: int) -> None:
    """People with a registration each; the one in the middle is the canary."""
    rows = {"n": number, "client": CLIENT, "at": LONG_AGO}
    people = text(
        "INSERT INTO warehouse.person (person_id, client_id, email, surname, company_name,"
        " shipped_at) SELECT n, :client, CASE WHEN n = :middle THEN :canary"
        " ELSE 'p' || n || '@example.com' END, 'Name ' || n, 'Acme', :at"
        " FROM generate_series(1, :n) AS n"
    )
    registrations = text(
        "INSERT INTO warehouse.registration (registration_id, client_id, event_session_id,"
        " person_id, status, registered_at, shipped_at)"
        " SELECT n, :client, 1, n, 'registered', :at, :at FROM generate_series(1, :n) AS n"
    )
    bench.connection.execute(people, {**rows, "canary": CANARY, "middle": number // 2})
    bench.connection.execute(registrations, rows)
    bench.connection.commit()


@pytest.mark.parametrize(
    ("number", "route", "running"),
    [
        pytest.param(10_000, "auto", None, marks=pytest.mark.deep),
        (2_000, "auto", None),
        # The job with the leads, and the one with their activities, run for a while.
        (300, "bulk", "Lead"),
        (300, "bulk", "Event"),
    ],
)
def test_nothing_that_begins_after_the_answer_names_the_person(
    bench: Bench,
    desk: Desk,
    tap: Tap,
    begun: Begun,
    number: int,
    route: str,
    running: str | None,
) -> None:
    bench.settings(route=route)
    if running is not None:
        bench.org.config.limits.bulk_seconds = 0.3
    register_many(bench, number)
    answered: list[float] = []

    def is_time(said: str) -> bool:
        if running is None:
            return CANARY in said
        jobs = BULK[bench.org].jobs.values()
        closed = ("UploadComplete", "InProgress")
        return any(job.sobject == running and job.state in closed for job in jobs)

    def during(said: str) -> None:
        if not answered and is_time(said):
            answer = desk.remove(CANARY)
            assert answer.status_code == 202, answer.text
            answered.append(time.monotonic())

    tap.during = during
    report = bench.cycle()
    assert report.state == "Complete", report.reason
    assert answered
    assert begun.others
    assert max(begun.others) < answered[0]
    heard = len(tap.naming(CANARY))
    assert heard == len(begun.others) + len(begun.removals), "the org heard of no other request"
    if running is not None:
        assert not begun.removals, "the removal names records by their Ids"
    assert report.tally["removals", "removed"] == 1
    leads = {lead["Email"] for lead in bench.records("Lead")}
    assert CANARY not in leads
    assert len(leads) == len(bench.records("Event")) == number - 1
    [row] = desk.rows("SELECT receipt FROM crm.request WHERE kind = 'removal'")
    if running is not None:
        assert done_at(dict(row.receipt), "org/Lead")
    assert list(places_of(desk.database, CANARY)) == []


@pytest.mark.deep
def test_a_job_that_nobody_awaits_any_more_is_ended_before_the_removal(
    bench: Bench, desk: Desk, tap: Tap
) -> None:
    bench.settings(route="bulk")
    bench.org.config.limits.bulk_seconds = 30.0
    register_many(bench, 20)
    bench.fault("bulk2.close", "reset_after")
    bench.fault("bulk2.state", "reset_before", times=100)
    assert bench.cycle().state != "Complete"
    bench.org.weather.faults.clear()
    assert bench.states()[f"person:{CANARY}"] == "in_flight"
    answer = desk.remove(CANARY)
    assert answer.status_code == 202
    bench.connection.execute(text("UPDATE crm.operation SET sent_at = sent_at - interval '1 hour'"))
    assert bench.cycle(REMOVALS).state == "Complete"
    assert {job.state for job in BULK[bench.org].jobs.values()} == {"Aborted"}
    status = desk.ask("GET", answer.headers["Location"]).json()
    assert done_at(status["receipt"], "org")["was under way, and erased"] >= 1
    bench.org.config.limits.bulk_seconds = 0.0
    assert bench.cycle().state == "Complete"
    assert CANARY not in {lead["Email"] for lead in bench.records("Lead")}
    assert len(bench.records("Lead")) == 19
