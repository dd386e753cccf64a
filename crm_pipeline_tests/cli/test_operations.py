import csv
import getpass
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.cli.operations import OperationKind, State
from crm_pipeline.delivery import kind as kinds
from crm_pipeline.ledger.lock import account_lock
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.local_org.store import Org
from crm_pipeline.settings import PROJECT
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

REFUSED = "FIELD_CUSTOM_VALIDATION_EXCEPTION"


@pytest.fixture
def refused(run: Run, org: Org, pipeline: Engine) -> int:
    """The operation of a person whom the org refused; their activity waits for them."""
    with pipeline.begin() as connection:
        add_person(connection, 1, country_code="Atlantis")
        register(connection, 1, 1)
    run("cycle", "acme")
    with pipeline.connect() as connection:
        found: int = connection.execute(
            text("SELECT operation_id FROM crm.operation WHERE state = 'exhausted'")
        ).scalar_one()
    return found


def test_states_have_the_ledger_s_words_everywhere(pipeline: Engine):
    with pipeline.connect() as connection:
        [allowed] = connection.scalars(
            text(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid ="
                " CAST('crm.operation' AS regclass) AND contype = 'c'"
                " AND pg_get_constraintdef(oid) LIKE '%(state = ANY%'"
            )
        )
    assert set(re.findall(r"'(\w+)'", allowed)) == set(State)
    known = {each.name for each in vars(kinds).values() if isinstance(each, kinds.Kind)}
    assert known | {"message"} == set(OperationKind)
    former = re.compile("given up|gave up|waiting for retry", re.IGNORECASE)
    told = [
        *PROJECT.glob("*.md"),
        *PROJECT.glob("docs/*.md"),
        *(PROJECT / "crm_pipeline").rglob("*.py"),
    ]
    assert len(told) > 100
    assert [file.name for file in told if former.search(file.read_text("utf-8"))] == []


def state_of(pipeline: Engine, operation_id: int) -> tuple[str, int, str | None]:
    with pipeline.connect() as connection:
        row = connection.execute(
            text("SELECT state, attempts_left, reason FROM crm.operation WHERE operation_id = :id"),
            {"id": operation_id},
        ).one()
    return (row.state, row.attempts_left, row.reason)


def test_what_failed_is_listed_with_its_reason(run: Run, refused: int):
    listed = run("operations", "list").stdout
    assert str(refused) in listed
    assert "exhausted" in listed
    assert REFUSED in listed
    assert run("operations", "list", "acme").stdout == listed
    assert run("operations", "list", f"--code={REFUSED}").stdout == listed
    assert "None is in this state" in run("operations", "list", "--state=failed").stdout
    assert "None is in this state" in run("operations", "list", "--code=OTHER").stdout
    assert "no account 'nobody'" in run("operations", "list", "nobody", fails=1).stderr


def test_what_waits_is_told_with_why(run: Run, org: Org, pipeline: Engine):
    with pipeline.begin() as connection:
        add_person(connection, 1)
        register(connection, 1, 1)
    run("account", "credentials", "acme", typed="3MVG9\nwrong\n")
    run("cycle", "acme", fails=1, silent=True)
    listed = run("operations", "list", "acme")
    assert "Nothing failed" in listed.stdout
    assert "Account acme: 2 pending wait: the account is Failed: " in listed.stderr
    assert "invalid_client" in listed.stderr
    waiting = run("operations", "list", "acme", "--state=pending")
    assert len(waiting.stdout.splitlines()) == 3
    assert waiting.stderr == ""
    run("account", "disable", "acme")
    assert "2 pending wait: the account is disabled" in run("operations", "list").stderr


def test_what_waits_for_a_person_who_failed_is_told(run: Run, refused: int):
    told = run("operations", "list", "acme").stderr
    assert "1 pending wait: for people who failed or are exhausted, or for the next" in told


def test_operations_are_listed_by_kind_and_time_and_written_to_a_file(
    run: Run, refused: int, tmp_path: Path
):
    file = tmp_path / "failed.csv"
    yesterday = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
    for within in ("--kind=person", f"--since={yesterday}", "--until=2100-01-01 12:00"):
        assert str(refused) in run("operations", "list", "acme", within).stdout
    for without in ("--kind=member", "--since=2100-01-01", "--until=2020-01-01T00:00"):
        assert "None is in this state" in run("operations", "list", "acme", without).stdout
    assert "1 operation in" in run("operations", "list", f"--csv={file}").stdout
    with file.open(newline="", encoding="utf-8") as opened:
        [row] = csv.DictReader(opened)
    assert (row["id"], row["kind"], row["object"]) == (str(refused), "person", "Lead")
    assert row["code"] == REFUSED
    assert file.stat().st_mode & 0o077 == 0
    in_no_folder = run("operations", "list", f"--csv={tmp_path}/no/such.csv", fails=1)
    assert "cannot be written" in in_no_folder.stderr
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(file)
    for no_file in (tmp_path, tmp_path / "pipe", tmp_path / "link"):
        said = run("operations", "list", f"--csv={no_file}", fails=1).stderr
        assert f"{no_file} cannot be written: it is no file of its own." in said
    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "link").is_symlink()
    run("operations", "list", "--since=yesterday", fails=2)
    backwards = run("operations", "list", "--since=2026-11-02", "--until=2026-11-01", fails=1)
    assert "--until is to be later than --since" in backwards.stderr


def test_operations_in_any_state_are_listed(run: Run, refused: int, pipeline: Engine):
    with pipeline.begin() as connection:
        states = connection.scalars(
            text(
                "SELECT (regexp_matches(pg_get_constraintdef(oid), $$'([a-z_]+)'$$, 'g'))[1]"
                " FROM pg_constraint WHERE conname = 'operation_state_check'"
            )
        ).all()
    assert set(states) == {str(state) for state in State}
    for state in ("rejected", "dropped", "done"):
        with pipeline.begin() as connection:
            connection.execute(text("UPDATE crm.operation SET state = :state"), {"state": state})
        listed = run("operations", "list", f"--state={state}", "--state=superseded").stdout
        assert listed.count(f"\t{state}\t") == 2


def test_a_longer_list_says_how_much_of_it_is_shown(run: Run, refused: int, pipeline: Engine):
    with pipeline.begin() as connection:
        connection.execute(text("UPDATE crm.operation SET state = 'failed', attempts_left = 2"))
    assert "1 of 2; --limit shows more" in run("operations", "list", "--limit=1").stderr


def test_one_operation_is_shown_with_what_was_wanted(run: Run, refused: int):
    shown = run("operations", "show", refused).stdout
    assert '"Country": "Atlantis"' in shown
    assert REFUSED in shown
    assert "There is no operation 0" in run("operations", "show", 0, fails=1).stderr


def test_values_that_were_changed_to_fit_are_shown_as_they_were(
    run: Run, refused: int, pipeline: Engine
):
    with pipeline.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO crm.field_change"
                " (account_id, operation_id, field, why, old_value, new_value)"
                " VALUES ('acme', :id, 'Title', 'too long', 'Chief of all', 'Chief')"
            ),
            {"id": refused},
        )
    shown = run("operations", "show", refused).stdout
    assert "Values changed to fit the org" in shown
    assert "Chief of all" in shown


def test_requeued_after_the_org_was_mended_it_arrives_with_all_that_waited(
    run: Run, refused: int, pipeline: Engine, server: LocalOrgServer
):
    run("account", "set", "acme", f"--login-url={server.url_of('lenient')}")
    assert "1 operation tried again" in run("operations", "requeue", refused).stdout
    assert state_of(pipeline, refused)[:2] == ("failed", 5)
    run("cycle", "acme")
    mended = server.org("lenient")
    [lead] = mended.table("Lead").rows.values()
    assert lead["Country"] == "Atlantis"
    assert [event["WhoId"] for event in mended.table("Event").rows.values()] == [lead["Id"]]
    assert state_of(pipeline, refused)[:2] == ("done", 4)


def test_all_failures_of_an_account_with_one_code_are_requeued(
    run: Run, refused: int, pipeline: Engine
):
    other = run("operations", "requeue", "--account=acme", "--code=OTHER", fails=1)
    assert "acme has no failed operation with code OTHER" in other.stderr
    run("operations", "requeue", "--account=acme", f"--code={REFUSED}")
    assert state_of(pipeline, refused)[:2] == ("failed", 5)


def test_an_operation_that_a_later_version_has_overtaken_is_not_requeued(
    run: Run, refused: int, pipeline: Engine
):
    with pipeline.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO crm.operation (account_id, flow, kind, natural_key, version,"
                " person_key, as_of, content_hash, intent, state)"
                " SELECT account_id, flow, kind, natural_key, version + 1, person_key, as_of,"
                " content_hash, intent, 'done' FROM crm.operation WHERE operation_id = :id"
            ),
            {"id": refused},
        )
    told = run("operations", "requeue", refused, fails=1)
    assert "a later version of the same record has overtaken" in told.stderr
    assert state_of(pipeline, refused)[:2] == ("exhausted", 0)


def test_an_operation_is_dropped_with_its_reason_and_what_waits_for_it_is_told(
    run: Run, refused: int, pipeline: Engine
):
    dropped = run("operations", "drop", refused, "--reason=asked not to be kept")
    assert "1 operation dropped" in dropped.stdout
    assert "1 operation still waiting" in dropped.stdout
    state, _, reason = state_of(pipeline, refused)
    assert state == "dropped"
    assert reason == f"dropped by {getpass.getuser()}: asked not to be kept"
    assert "Nothing failed" in run("operations", "list").stdout
    told = run("operations", "drop", refused, "--reason=no", "--with-activities").stdout
    assert "1 operation that waited for them, too" in told
    assert state_of(pipeline, refused)[2] == reason


def test_what_waits_for_a_dropped_person_is_dropped_on_demand(
    run: Run, refused: int, pipeline: Engine
):
    run("operations", "drop", "--account=acme", "--reason=no", "--with-activities")
    with pipeline.connect() as connection:
        states = connection.scalars(text("SELECT DISTINCT state FROM crm.operation")).all()
    assert states == ["dropped"]
    run("cycle", "acme")
    with pipeline.connect() as connection:
        states = connection.scalars(text("SELECT DISTINCT state FROM crm.operation")).all()
    assert states == ["dropped"]


@pytest.mark.parametrize("command", [("requeue",), ("drop", "--reason=no")])
def test_nothing_is_decided_while_a_cycle_of_the_account_runs(
    run: Run, refused: int, pipeline: Engine, command: tuple[str, ...]
):
    with account_lock(pipeline, "acme") as held:
        assert held
        told = run("operations", *command, refused, fails=1)
    assert "A cycle of account acme is running" in told.stderr
    assert state_of(pipeline, refused)[0] == "exhausted"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["requeue"], "Name the operations by their ids, or all of an account"),
        (["requeue", "1", "--account=acme"], "Name the operations by their ids, or all"),
        (["requeue", "1", "--code=X"], "--code goes with --account"),
        (["requeue", "--account=nobody"], "no account 'nobody'"),
        (["requeue", "999999"], "There is no operation 999999"),
        (["drop", "1", "--reason= "], "Say why with --reason"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(
    run: Run, org: Org, arguments: list[str], told: str
):
    assert told in run("operations", *arguments, fails=1).stderr


def test_what_did_not_fail_is_neither_requeued_nor_dropped(
    run: Run, refused: int, pipeline: Engine
):
    with pipeline.begin() as connection:
        connection.execute(text("UPDATE crm.operation SET state = 'done'"))
    for command in (("requeue",), ("drop", "--reason=no")):
        told = run("operations", *command, refused, fails=1)
        assert f"Operation {refused} is done, not failed or exhausted" in told.stderr


def test_a_drop_needs_a_reason(run: Run, org: Org):
    assert "--reason" in run("operations", "drop", "1", fails=2).stderr
