from importlib.metadata import version

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from crm_pipeline.cli.mistakes import in_one_line
from crm_pipeline.cycle.attempts import PipelineDatabaseError
from crm_pipeline.local_org.store import Org
from crm_pipeline.settings import settings
from crm_pipeline_tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Missing command. See `crm-pipeline --help`."),
        (["acount"], "No such command 'acount'. Did you mean 'account'?"),
        (["account"], "See `crm-pipeline account --help`."),
        (["account", "show"], "ACCOUNT"),
        (["account", "list", "--colour"], "--colour"),
        (["account", "credentials", "a", "--method=x"], "--method"),
        (["operations", "list", "--limit=0"], "--limit"),
        (["operations", "list", "--state=lost"], "'--state': 'lost' is not one of 'pending'"),
        (["operations", "show", "x"], "ID"),
        (["org", "serve", "--port=70000"], "--port"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_status_2(run: Run, arguments: list[str], told: str):
    assert told in run(*arguments, fails=2).stderr


@pytest.mark.parametrize(
    "command",
    [
        ("plan", "acme", "--person="),
        ("replay", "acme", "--since=2026-03-01", "--person= "),
        ("undo", "acme", "--cycle=1", "--field="),
        ("operations", "list", ""),
        ("operations", "requeue", "--account="),
        ("operations", "requeue", "--account=acme", "--code="),
        ("conflict", "list", "acme", "--field="),
        ("approve", "acme", "--why="),
        ("approve", "acme", "--by="),
        ("state", ""),
        ("alerts", "list", ""),
        ("alerts", "test", ""),
        ("engagement", "resync", "acme", "--prospect="),
    ],
)
def test_a_blank_that_an_empty_variable_gives_is_refused(run: Run, command: tuple[str, ...]):
    """Else it would be about rows without an address, about nothing, or about all."""
    assert "it is blank" in run(*command, fails=2).stderr


@pytest.mark.parametrize(
    "command", [(), ("account",), ("account", "add"), ("operations", "drop"), ("sample",)]
)
def test_help_is_no_mistake(run: Run, command: tuple[str, ...]):
    assert "Usage" in run(*command, "--help").stdout


def test_the_version_is_told(run: Run):
    assert run("--version").stdout == f"crm-pipeline {version('crm-pipeline')}\n"


def test_missing_rights_in_the_database_are_told(pipeline: Engine):
    with pipeline.begin() as connection:
        connection.execute(text("CREATE ROLE powerless_reader"))
        try:
            connection.execute(text("SET LOCAL ROLE powerless_reader"))
            with pytest.raises(ProgrammingError) as refused:
                connection.execute(text("SELECT * FROM crm.account"))
        finally:
            connection.rollback()
    assert "give the user of its address the right to it" in str(in_one_line(refused.value))
    of_cycle = str(in_one_line(PipelineDatabaseError(refused.value)))
    assert of_cycle.startswith("The pipeline's database: ")
    assert "check PIPELINE_DATABASE_URL" in of_cycle


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        (("session", "add", "acme", "99999999999999999999", "--yes"), 2, "too large for an id"),
        (("show", "m\udcfcller"), 1, "UTF-8"),
        (("set", "acme", "api_calls_per_cycle=99999999999999999999"), 1, "less than"),
        (("set", "acme", 'campaigns={"backfill_rows_per_cycle": 9999999999}'), 1, "less than"),
    ],
)
def test_what_no_database_holds_is_told_in_one_line(
    run: Run, acme: str, command: tuple[str, ...], code: int, told: str
):
    assert told in run("account", *command, fails=code).stderr


@pytest.mark.parametrize("out", ["/proc/none/page.md", "/"])
def test_a_file_that_cannot_be_used_is_told_in_one_line(run: Run, org: Org, out: str):
    told = run("account", "dictionary", "acme", f"--out={out}", fails=1)
    assert "A file cannot be used: /" in told.output
    assert "bug" not in told.output


@pytest.mark.parametrize("command", [("erasure", "erase", "acme", "--yes"), ("cycle", "acme")])
def test_a_file_of_tombstones_with_an_impossible_name_is_told_at_the_start(
    run: Run, org: Org, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
):
    run("listener", "set", "acme")
    monkeypatch.setenv("TOMBSTONE_FILE", f"/{'too-long' * 99}")
    settings.cache_clear()
    told = run(*command, typed="ann@example.com\n", fails=1)
    assert "TOMBSTONE_FILE is impossible: /" in told.output


def test_a_bug_of_ours_keeps_its_traceback():
    assert in_one_line(KeyError("bug")) is None
    with pytest.raises(ProgrammingError) as bug:
        raise ProgrammingError("SELECT nonsense", {}, Exception("syntax error"))
    assert in_one_line(bug.value) is None
