"""A removal whose process dies at any place is finished by the next one, once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from crm_pipeline.delivery.gate import TombstoneGate
from crm_pipeline.inbound.scanning import places_of
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.cycle.test_removals import REMOVALS, ask, receipt_of
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

PLACES_AT_MOST = 180
STRIDE = 5

END_OTHERS = text(
    "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
"""A process that dies takes its connections along, and the locks that they hold."""


class Killed(BaseException):
    """The process dies here."""


@contextmanager
def killed_at(number: int, patch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """Dies at a place of the block; gives how many there were.

    Places are before each statement and each commit, after each commit, and after each answer of
    the org.
    """
    commit, passing, places = Connection._commit_impl, TombstoneGate.passing, 0

    def place(*_: Any) -> None:
        nonlocal places
        places += 1
        if places == number:
            raise Killed

    def committed(self: Connection) -> None:
        place()
        commit(self)
        place()

    @contextmanager
    def answered(self: TombstoneGate, *request: Any) -> Iterator[Any]:
        with passing(self, *request) as release:
            yield release
        place()

    event.listen(Engine, "before_cursor_execute", place)
    try:
        with patch.context() as patched:
            patched.setattr(Connection, "_commit_impl", committed)
            patched.setattr(TombstoneGate, "passing", answered)
            yield lambda: places
    finally:
        event.remove(Engine, "before_cursor_execute", place)


@pytest.mark.deep
def test_wherever_the_run_dies_there_is_one_removal(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the places every so many-th is visited: a person for each."""
    people = PLACES_AT_MOST // STRIDE
    bench.org.config.bulk_hard_delete = True
    for person in range(1, people + 1):
        add_person(bench.connection, person, f"canary{person}@example.com")
        register(bench.connection, person, person)
    bench.cycle()
    for person in range(1, people + 1):
        address, number = f"canary{person}@example.com", person * STRIDE
        received = ask(address=address, in_org="delete")
        with killed_at(number, monkeypatch) as places, suppress(Killed):
            bench.cycle(REMOVALS)
        if places() < number:
            break
        bench.connection.rollback()
        bench.connection.execute(END_OTHERS)
        _next_cycle(bench)
        receipt = receipt_of(received)
        assert any(each["place"] == "platform" for each in receipt["places"])
        assert list(places_of(bench.connection.engine, address)) == []
        assert address not in {lead["Email"] for lead in bench.records("Lead")}
    assert 60 < places() < number, "all places of a removal are come to"
    told = bench.connection.execute(
        text("SELECT about, count(*) AS times FROM platform_inbox.message GROUP BY about")
    )
    assert {row.times for row in told} == {1}


def _next_cycle(bench: Bench) -> Any:
    bench.connection.execute(text("UPDATE crm.request SET next_attempt_at = now()"))
    report = bench.cycle(REMOVALS)
    assert report.state == "Complete", report.reason
    return report
