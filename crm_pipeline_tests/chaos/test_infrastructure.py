"""Two daemons by mistake, an org that works late, a clock that is set back."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, text

from crm_pipeline_tests.chaos.ambush import Strike, fault
from crm_pipeline_tests.chaos.database_clock import DatabaseClock
from crm_pipeline_tests.chaos.evidence import gather
from crm_pipeline_tests.chaos.examiner import examine
from crm_pipeline_tests.chaos.installation import Installation, installed, org_named
from crm_pipeline_tests.chaos.lane import Lane
from crm_pipeline_tests.chaos.walk import bugs
from crm_pipeline_tests.chaos.world import World
from crm_pipeline_tests.flows.webinars.warehouse import add_person, insert, register

SESSION = 11
"""One of the sessions that `World.begin` makes."""

HOUR = timedelta(hours=1)

CREATION = 4
"""The call that creates people: after a login, a look at the org, and one for who is there."""


@pytest.fixture(scope="module")
def installation(module_pipeline: Engine) -> Iterator[Installation]:
    """One account of a world, where nothing has happened yet."""
    with installed(module_pipeline, org_named("acme")) as installation:
        World(installation).begin({})
        yield installation


@pytest.mark.deep
def test_two_daemons_that_run_by_mistake_lose_and_double_nothing(
    installation: Installation,
) -> None:
    installation.restore()
    world = World(installation)
    installation.org().weather.latency_seconds = 0.02
    with Lane() as first, Lane() as second, ThreadPoolExecutor(2) as threads:
        daemons = [
            threads.submit(lane.run, "keep_pace", installation.environment, {"cycles": 6})
            for lane in (first, second)
        ]
        pick = 0
        while not all(daemon.done() for daemon in daemons):
            pick += 1
            for move in ("registers", "attends", "time passes"):
                world.happens(move, "acme", pick)
            time.sleep(0.05)
        ended = [daemon.result() for daemon in daemons]
    installation.org().weather.latency_seconds = 0
    assert {cycle["state"] for each in ended for cycle in each.cycles} == {"Complete"}, ended
    assert all(len(each.cycles) == 6 for each in ended)
    assert not bugs(installation.settle())
    findings = world.examined(at_rest=True)
    assert not findings, str(findings)


def test_a_request_that_the_org_works_off_later_is_waited_for(installation: Installation) -> None:
    """The process is killed while the org hangs; the org goes on and creates the records."""
    installation.restore()
    world = World(installation)
    for pick in range(4):
        world.happens("registers", "acme", pick)
    patient = {"LOST_ANSWER_GRACE_SECONDS": "600"}
    late = Strike(fault("hang", seconds=600), kills=True)
    ended = installation.cycle(call=(CREATION, late), environment=patient)
    assert ended.state == "Killed", ended
    installation.cycle(environment=patient)
    made = installation.org().table("Lead").rows
    assert not made, "it is waited for"
    installation.clears_up()
    deadline = time.monotonic() + 60
    while not made:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not bugs(installation.settle())
    findings = world.examined(at_rest=True)
    assert not findings, str(findings)


@pytest.fixture
def delivered_at(installation: Installation) -> datetime:
    """The warehouse's time, when all that had been shipped until then is delivered."""
    installation.restore()
    now = datetime.now(UTC)
    shipped = now - timedelta(minutes=5)
    with installation.rows() as rows:
        for person in (1, 2):
            add_person(rows, person, client="acme", shipped_at=shipped)
            register(rows, person, person, SESSION, client="acme", shipped_at=shipped)
        insert(
            rows,
            "attendance",
            attendance_id=1,
            client_id="acme",
            event_session_id=SESSION,
            person_id=1,
            attended_at=shipped,
            shipped_at=shipped,
        )
    assert installation.cycle().state == "Complete"
    return now


@pytest.fixture
def clock_set_back(installation: Installation, delivered_at: datetime) -> Iterator[datetime]:
    """The databases' clock shows an hour less than it did when all was delivered."""
    clock = DatabaseClock(installation.engine)
    clock.is_wrong(by=-HOUR)
    installation.reconnect()
    yield delivered_at - HOUR
    clock.remove()
    installation.reconnect()


def _more_comes(rows: Connection, shipped: datetime) -> None:
    """A new person, another job, more chat."""
    add_person(rows, 3, client="acme", shipped_at=shipped)
    register(rows, 3, 3, SESSION, client="acme", shipped_at=shipped)
    rows.execute(
        text(
            "UPDATE warehouse.person SET job_title = 'Later', shipped_at = :at WHERE person_id = 2"
        ),
        {"at": shipped},
    )
    insert(
        rows,
        "chat_message",
        chat_message_id=1,
        client_id="acme",
        attendance_id=1,
        message="an hour ago",
        sent_at=shipped,
        shipped_at=shipped,
    )


def test_a_clock_that_is_set_back_an_hour_hides_and_repeats_nothing(
    installation: Installation, clock_set_back: datetime
) -> None:
    with installation.rows() as rows:
        _more_comes(rows, clock_set_back + timedelta(minutes=1))
    assert not bugs(installation.settle())
    with installation.rows() as rows:
        findings = examine(gather(rows, "acme", installation.org()))
    assert not findings, str(findings)


def test_rows_that_are_shipped_by_a_clock_an_hour_behind_are_found_within_the_overlap(
    installation: Installation, delivered_at: datetime
) -> None:
    overlapping = {"OVERLAP_MINUTES": "90"}
    installation.cycle(environment=overlapping)
    with installation.rows() as rows:
        _more_comes(rows, delivered_at - HOUR)
    assert not bugs(installation.settle(overlapping))
    with installation.rows() as rows:
        findings = examine(gather(rows, "acme", installation.org()))
    assert not findings, str(findings)
