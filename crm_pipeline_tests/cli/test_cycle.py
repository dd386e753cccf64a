import re

from sqlalchemy import Engine

from crm_pipeline.ledger.lock import account_lock
from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register


def facts(output: str) -> dict[str, str]:
    """What is printed of one cycle, by its name."""
    lines = [re.split(r"\s{2,}", line.strip(), maxsplit=1) for line in output.splitlines()]
    return {line[0]: line[1] for line in lines if len(line) == 2}


def test_a_cycle_brings_what_is_new_and_tells_it(run: Run, org: Org, pipeline: Engine):
    with pipeline.begin() as connection:
        add_person(connection, 1)
        register(connection, 1, 1)
    told = facts(run("cycle", "acme").stdout)
    assert len(org.table("Lead").rows) == 1
    assert told["state"] == "Complete"
    assert (told["registrations"], told["attendances"], told["rejected"]) == ("1", "0", "0")
    assert (told["leads created"], told["activities"], told["waiting"]) == ("1", "1", "0")


def test_all_enabled_accounts_have_a_cycle_each(run: Run, org: Org):
    add = ("account", "add", "beta", "--client=c", "--name=Beta", "--login-url=http://127.0.0.1:1")
    run(*add, typed="a\nb\n")
    run("account", "add", "off", *add[3:], typed="a\nb\n")
    run("account", "disable", "off")
    told = run("cycle", "--all").stdout
    rows = {line.split()[0]: line.split()[1:] for line in told.splitlines() if line.strip()}
    assert rows["acme"][0] == "Complete"
    assert "beta" in rows
    assert "off" not in rows


def test_a_cycle_that_fails_says_why_and_ends_with_exit_status_1(
    run: Run, org: Org, pipeline: Engine
):
    with pipeline.begin() as connection:
        add_person(connection, 1)
        register(connection, 1, 1)
    run("account", "credentials", "acme", typed="3MVG9\nwrong\n")
    failed = run("cycle", "acme", fails=1, silent=True)
    assert facts(failed.stdout)["state"] == "Failed"
    assert "acme: " in failed.stdout
    assert "invalid_client" in failed.stdout


def test_a_cycle_of_an_account_that_is_in_one_already_says_so(run: Run, org: Org, pipeline: Engine):
    with account_lock(pipeline, "acme") as held:
        assert held
        busy = run("cycle", "acme", fails=1, silent=True)
    assert facts(busy.stdout)["state"] == "Busy"


def test_which_accounts_are_meant_must_be_said(run: Run, org: Org):
    assert "Name an account, or say --all" in run("cycle", fails=1).stderr
    assert "Name an account, or say --all" in run("cycle", "acme", "--all", fails=1).stderr
    assert "no account 'nobody'" in run("cycle", "nobody", fails=1).stderr


def test_without_an_enabled_account_there_is_nothing_to_run(run: Run):
    assert "No account is enabled" in run("cycle", "--all", fails=1).stderr
