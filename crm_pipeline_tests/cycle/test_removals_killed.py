"""A removal whose process dies at any of its commits is finished by the next one, once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import Connection, text

from crm_pipeline.inbound.scanning import places_of
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.cycle.test_removals import REMOVALS, ask, receipt_of
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

PEOPLE = 30

END_OTHERS = text(
    "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
"""A process that dies takes its connections along, and the locks that they hold."""


class Killed(BaseException):
    """The process dies here."""


@contextmanager
def killed_at(
    number: int, *, after: bool, patch: pytest.MonkeyPatch
) -> Iterator[Callable[[], int]]:
    """Dies at a commit of the block, before or after it is made; gives how many there were."""
    commit, count = Connection._commit_impl, 0

    def counted(self: Connection) -> None:
        nonlocal count
        count += 1
        if count == number and not after:
            raise Killed
        commit(self)
        if count == number:
            raise Killed

    with patch.context() as patched:
        patched.setattr(Connection, "_commit_impl", counted)
        yield lambda: count


@pytest.mark.parametrize("after", [False, True])
def test_wherever_the_run_dies_there_is_one_removal(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    bench.org.config.bulk_hard_delete = True
    for person in range(1, PEOPLE + 1):
        add_person(bench.connection, person, f"canary{person}@example.com")
        register(bench.connection, person, person)
    bench.cycle()
    for number in range(1, PEOPLE + 1):
        address = f"canary{number}@example.com"
        received = ask(address=address, in_org="delete")
        with killed_at(number, after=after, patch=monkeypatch) as commits, suppress(Killed):
            bench.cycle(REMOVALS)
        if commits() < number:
            break
        bench.connection.rollback()
        bench.connection.execute(END_OTHERS)
        _next_cycle(bench)
        receipt = receipt_of(received)
        assert any(each["place"] == "platform" for each in receipt["places"])
        assert list(places_of(bench.connection.engine, address)) == []
        assert address not in {lead["Email"] for lead in bench.records("Lead")}
    assert number in range(8, PEOPLE), "the commits of a removal are all broken"
    told = bench.connection.execute(
        text("SELECT about, count(*) AS times FROM platform_inbox.message GROUP BY about")
    )
    assert {row.times for row in told} == {1}


def _next_cycle(bench: Bench) -> Any:
    bench.connection.execute(text("UPDATE crm.request SET next_attempt_at = now()"))
    report = bench.cycle(REMOVALS)
    assert report.state == "Complete", report.reason
    return report
