import os
import pty
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.credentials import mark_refused
from crm_pipeline.cli.app import app
from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.databases import settings_of
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register


def test_an_account_that_never_ran_is_new(run: Run, org: Org):
    [row] = [line.split() for line in run("state").stdout.splitlines() if "acme" in line]
    assert row == ["acme", "Acme", "Ltd", "New", "0", "0"]
    assert "No cycle has run yet" in run("state", "acme").stdout


def test_after_a_cycle_the_state_tells_what_is_open_and_why(run: Run, org: Org, pipeline: Engine):
    with pipeline.begin() as connection:
        add_person(connection, 1)
        add_person(connection, 2, country_code="Atlantis")
        register(connection, 1, 1)
        register(connection, 2, 2, minute=1)
    run("cycle", "acme")
    one = run("state", "acme").stdout
    lines = [re.split(r"\t|\s{2,}", line.strip(), maxsplit=1) for line in one.splitlines()]
    facts = {line[0]: line[1] for line in lines if len(line) == 2}
    assert facts["state"] == "Complete"
    assert facts["read until"] == "2026-03-01 12:01:00 UTC"
    assert facts["waiting"] == "1"
    assert facts["of these pending, to be sent"] == "1"
    assert facts["of these failed, tried again"] == "0"
    assert facts["exhausted, need a person"] == "1"
    assert facts["API requests of the org's day"].endswith("of 15000")
    all_of_them = run("state").stdout
    assert "2026-03-01 12:01\t" in all_of_them
    assert "Complete" in all_of_them


def test_a_disabled_account_and_open_incidents_are_told(run: Run, org: Org, pipeline: Engine):
    run("account", "disable", "acme")
    with pipeline.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO crm.incident (account_id, code, subject, message, operations)"
                " VALUES ('acme', 'INVALID_FIELD', 'Lead', 'Phone is hidden', 4711),"
                " ('acme', 'STORAGE', 'Lead', 'The org is full', 12)"
            )
        )
        connection.execute(
            text(
                "INSERT INTO crm.operation (account_id, flow, kind, natural_key, version, as_of,"
                " content_hash, intent, state, sobject, error_code, next_attempt_at)"
                " VALUES ('acme', 'webinars', 'person', 'person:1', 1, now(), '', '{}', 'failed',"
                " 'Lead', 'INVALID_FIELD', '2026-11-29 12:34:56Z')"
            )
        )
    assert "\tDisabled\t" in run("state").stdout
    assert "Disabled" in run("state", "acme").stdout
    one = run("state", "acme").stdout
    assert "Open incidents" in one
    assert "INVALID_FIELD\tLead\t1\t" in one
    assert "2026-11-29 12:34:56 UTC\tPhone is hidden" in one
    assert "STORAGE" not in one, "it holds up nothing any more"


def test_an_unknown_account_is_named(run: Run):
    assert "no account 'nobody'" in run("state", "nobody", fails=1).stderr
    assert "no account yet" in run("state").stdout


REASON = "The org cannot be reached, and what is waiting goes when it is there again, " * 3


def at_a_terminal(monkeypatch: pytest.MonkeyPatch, *arguments: str, columns: int) -> str:
    """A command's output on a terminal of so many columns."""
    mine, theirs = pty.openpty()
    monkeypatch.setenv("COLUMNS", str(columns))
    with (
        ThreadPoolExecutor() as reader,
        os.fdopen(theirs, "w", encoding="utf-8") as terminal,
        monkeypatch.context() as patched,
    ):
        printed = reader.submit(_all_of, mine)
        patched.setattr(sys, "stdout", terminal)
        app([*arguments], prog_name="crm-pipeline", standalone_mode=False)
        terminal.close()
    os.close(mine)
    return re.sub(r"\x1b\[[0-9;]*m", "", printed.result().decode().replace("\r\n", "\n"))


def _all_of(terminal: int) -> bytes:
    printed = b""
    # Linux says so at the end of a terminal that nobody writes to any more.
    with suppress(OSError):
        while part := os.read(terminal, 4096):
            printed += part
    return printed


def fails(pipeline: Engine) -> None:
    with pipeline.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO crm.sync_state (account_id, state, reason)"
                " VALUES ('acme', 'Failed', :why)"
            ),
            {"why": REASON.strip()},
        )


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_state_fits_its_terminal_and_cuts_no_word(
    org: Org, pipeline: Engine, monkeypatch: pytest.MonkeyPatch, columns: int
):
    fails(pipeline)
    for arguments in (["state"], ["state", "acme"], ["account", "show", "acme"]):
        printed = at_a_terminal(monkeypatch, *arguments, columns=columns)
        assert max(map(len, printed.splitlines())) <= columns, printed
        words = printed.split()
        if arguments[0] == "state":
            assert {"acme", "Failed", *REASON.split()} <= set(words)


def test_a_wide_terminal_shows_all_in_one_line(org: Org, monkeypatch: pytest.MonkeyPatch):
    lines = at_a_terminal(monkeypatch, "state", columns=200).splitlines()
    line = next(each for each in lines if "acme" in each)
    assert line.split() == ["acme", "Acme", "Ltd", "New", "0", "0"]


def test_piped_the_state_is_lines_of_cells(run: Run, org: Org, pipeline: Engine):
    fails(pipeline)
    with pipeline.begin() as connection:
        connection.execute(text("UPDATE crm.account SET name = E'Acme\\tLtd\\nand Sons'"))
    names, row = [line.split("\t") for line in run("state").stdout.splitlines()]
    told = dict(zip(names, row, strict=True))
    assert told["account"] == "acme"
    assert told["state"] == "Failed"
    assert told["reason"] == REASON.strip()
    assert told["name"] == "Acme\\tLtd\\nand Sons"


def test_the_state_leads_to_the_console_and_to_the_run_that_dagster_has(
    run: Run, org: Org, pipeline: Engine
):
    run("cycle", "acme")
    urls = {
        "CONSOLE_URL": "https://console.example",
        "DAGSTER_UI_URL": "https://dagster.example/ui",
    }
    with settings_of(**urls):
        of_a_command = run("state", "acme").stdout
        with pipeline.begin() as connection:
            connection.execute(text("UPDATE crm.cycle SET run_id = gen_random_uuid()"))
            run_id = connection.scalar(text("SELECT run_id FROM crm.cycle"))
        of_a_run = run("state", "acme").stdout
    assert "in the console\thttps://console.example/accounts/acme" in of_a_command
    assert "run of its last cycle" not in of_a_command
    assert f"run of its last cycle\thttps://dagster.example/ui/runs/{run_id}" in of_a_run
    assert "in the console" not in run("state", "acme").stdout


def test_a_failed_account_says_when_it_is_tried_next(run: Run, org: Org, pipeline: Engine):
    run("cycle", "acme")
    with pipeline.begin() as connection:
        connection.execute(
            text(
                "UPDATE crm.sync_state SET state = 'Failed', failures_in_a_row = 2,"
                " finished_at = '2026-03-01 12:00+00'"
            )
        )
    assert "next try\t2026-03-01 12:30:00 UTC" in run("state", "acme").stdout
    with pipeline.begin() as connection:
        mark_refused(connection, "acme", "invalid_client")
    assert "next try" not in run("state", "acme").stdout


def test_what_a_cycle_does_now_is_said_with_rate_and_estimate(run: Run, org: Org, pipeline: Engine):
    with pipeline.begin() as connection:
        for person in (1, 2):
            add_person(connection, person)
            register(connection, person, person)
    run("cycle", "acme")
    assert "sent in this cycle" not in run("state", "acme").stdout, "none runs"
    with pipeline.begin() as connection:
        # As it was while the second of both requests was under way.
        connection.execute(text("UPDATE crm.sync_state SET state = 'Processing'"))
        connection.execute(text("UPDATE crm.sending SET ended_at = NULL WHERE sobject = 'Event'"))
        connection.execute(
            text("UPDATE crm.operation SET state = 'pending' WHERE kind = 'activity'")
        )
    told = run("state", "acme").stdout
    facts = dict(line.split("\t") for line in told.splitlines() if line.count("\t") == 1)
    now = r"sending 2 Events to create by composite calls since \d\d:\d\d:\d\d UTC"
    assert re.fullmatch(now, facts["now"])
    assert facts["to be sent"] == "2 activities"
    pace = r"2 records, [\d,]+ a second; about \d+ s for the rest"
    assert re.fullmatch(pace, facts["sent in this cycle"])


def test_nobody_watches_what_is_piped(run: Run, org: Org):
    assert "--watch needs a terminal" in run("state", "--watch", fails=1).stderr


def test_sentences_are_wrapped_on_a_terminal_and_commands_in_them_stay_whole(
    org: Org, monkeypatch: pytest.MonkeyPatch
):
    printed = at_a_terminal(monkeypatch, "plan", "acme", "--from-now", columns=40)
    assert "`crm-pipeline apply acme 1` sends" in printed
    assert max(map(len, printed.splitlines())) <= 40, printed
    key = at_a_terminal(monkeypatch, "account", "new-key", columns=20)
    assert len(key.split()) == 1
