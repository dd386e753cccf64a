import re

from sqlalchemy import Engine, text

from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register


def test_an_account_that_never_ran_is_new(run: Run, org: Org):
    [row] = [line.split() for line in run("state").stdout.splitlines() if "acme" in line]
    assert row == ["acme", "Acme", "Ltd", "New", "0", "0", "0"]
    assert "No cycle has run yet" in run("state", "acme").stdout


def test_after_a_cycle_the_state_tells_what_is_open_and_why(run: Run, org: Org, pipeline: Engine):
    with pipeline.begin() as connection:
        add_person(connection, 1)
        add_person(connection, 2, country_code="Atlantis")
        register(connection, 1, 1)
        register(connection, 2, 2, minute=1)
    run("cycle", "acme")
    one = run("state", "acme").stdout
    lines = [re.split(r"\s{2,}", line.strip(), maxsplit=1) for line in one.splitlines()]
    facts = {line[0]: line[1] for line in lines if len(line) == 2}
    assert facts["state"] == "Complete"
    assert facts["read until"] == "2026-03-01 12:01:00 UTC"
    assert facts["waiting to be sent"] == "1"
    assert facts["exhausted, need a person"] == "1"
    assert facts["API requests of the org's day"].endswith("of 15000")
    all_of_them = run("state").stdout
    assert "2026-03-01 12:01:00 UTC" in all_of_them
    assert "Complete" in all_of_them


def test_a_disabled_account_and_open_incidents_are_told(run: Run, org: Org, pipeline: Engine):
    run("account", "disable", "acme")
    with pipeline.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO crm.incident (account_id, code, subject, message, operations)"
                " VALUES ('acme', 'INVALID_FIELD', 'Lead.Phone', 'The field is hidden', 4711)"
            )
        )
    assert "New (disabled)" in run("state").stdout
    one = run("state", "acme").stdout
    assert "Open incidents" in one
    assert "4711" in one


def test_an_unknown_account_is_named(run: Run):
    assert "no account 'nobody'" in run("state", "nobody", fails=1).stderr
    assert "no account yet" in run("state").stdout
