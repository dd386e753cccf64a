"""A database restored from before a removal does not bring the person back."""

import pytest
from sqlalchemy import text

from crm_pipeline.inbound.keys import make_key
from crm_pipeline.inbound.scanning import places_of
from crm_pipeline.inbound.tombstone_file import tombstone_file
from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.cycle.test_a_restored_backup import back_up, restore
from crm_pipeline_tests.cycle.test_removals import CANARY, ask, canary_and_another
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

__all__ = ["run"]


def traces(bench: Bench) -> list[str]:
    """Where the pipeline's own tables name the person."""
    bench.connection.rollback()
    found = places_of(bench.connection.engine, CANARY)
    return [place for place, _ in found]


@pytest.mark.deep
@pytest.mark.parametrize("before_the_first", [True, False])
def test_the_person_is_removed_again_before_anything_else(
    bench: Bench, before_the_first: bool
) -> None:
    canary_and_another(bench)
    if not before_the_first:
        ask("suppress", address="other@example.com")
    bench.cycle()
    back_up(bench)
    ask(in_org="delete")
    assert bench.cycle().tally["removals", "removed"] == 1
    assert traces(bench) == []
    assert CANARY not in tombstone_file().read_text(encoding="utf-8")
    restore(bench)
    assert traces(bench)
    report = bench.cycle()
    assert report.tally["removals", "removed"] == 1, report.reason
    assert traces(bench) == []
    assert [lead["Email"] for lead in bench.records("Lead")] == ["p2@example.com"]


def test_without_the_file_nothing_runs_until_a_person_says_so(bench: Bench, run: Run) -> None:
    canary_and_another(bench)
    ask("suppress", address="other@example.com")
    bench.cycle()
    back_up(bench)
    kept = tombstone_file().read_bytes()
    tombstone_file().unlink()
    restore(bench)
    for _ in range(2):
        report = bench.cycle()
        assert report.state == "Failed"
        assert "`crm-pipeline erasure lost`" in report.reason
    run("erasure", "lost", "--yes")
    assert "lost" not in bench.cycle().reason
    assert b"hash_key" in tombstone_file().read_bytes()
    assert b"lost" in tombstone_file().read_bytes()
    run("erasure", "lost", "--yes", fails=1)
    assert kept


def test_with_a_key_and_no_removal_yet_an_older_copy_goes_on(bench: Bench) -> None:
    canary_and_another(bench)
    make_key(bench.connection, ACCOUNT)
    bench.cycle()
    back_up(bench)
    restore(bench)
    assert bench.cycle().state == "Complete"


def test_a_line_that_was_cut_off_was_never_promised(bench: Bench) -> None:
    canary_and_another(bench)
    ask("suppress", address="other@example.com")
    bench.cycle()
    with tombstone_file().open("ab") as file:
        file.write(b'{"account_id":"acme","dig')
    back_up(bench)
    ask("suppress", address="third@example.com")
    restore(bench)
    assert bench.cycle().state == "Complete"
    assert bench.connection.scalar(text("SELECT count(*) FROM crm.erased")) == 2


def test_a_file_whose_beginning_was_cut_off_has_the_key_all_the_same(bench: Bench) -> None:
    tombstone_file().parent.mkdir(exist_ok=True)
    tombstone_file().write_bytes(b'{"hash_k')
    canary_and_another(bench)
    bench.cycle()
    back_up(bench)
    ask("suppress", address="other@example.com")
    restore(bench)
    assert bench.cycle().state == "Complete"
    assert bench.connection.scalar(text("SELECT count(*) FROM crm.erased")) == 1


@pytest.mark.parametrize("line", [b"5", b'{"name": "list"}', b'["account_id"]'])
def test_a_file_with_lines_of_something_else_is_refused_in_one_line(
    bench: Bench, line: bytes
) -> None:
    """A cycle ended in a bug."""
    canary_and_another(bench)
    bench.cycle()
    ask("suppress", address="other@example.com")
    back_up(bench)
    with tombstone_file().open("ab") as file:
        file.write(line + b"\n")
    restore(bench)
    report = bench.cycle()
    assert report.state == "Failed"
    assert f"Line 3 of {tombstone_file()} is no tombstone; bring" in report.reason


@pytest.mark.parametrize("in_org", ["leave", "anonymize"])
def test_what_a_removal_left_in_the_org_is_no_sign_of_an_older_copy(
    bench: Bench, in_org: str
) -> None:
    """After each restart of PostgreSQL it stopped the account, and was adopted as another's."""
    add_person(bench.connection, 1, CANARY)
    register(bench.connection, 1, 1, minute=1)
    bench.cycle()
    ask(in_org=in_org)
    assert bench.cycle().tally["removals", "removed"] == 1
    bench.connection.execute(
        text(
            "UPDATE crm.ledger_mark SET server_started_at = now(),"
            " written_by = pg_current_xact_id()::text::bigint"
        )
    )
    add_person(bench.connection, 2)
    register(bench.connection, 2, 2, minute=1)
    report = bench.cycle()
    assert report.state == "Complete", report.reason
    assert len(bench.records("Event")) == 2
