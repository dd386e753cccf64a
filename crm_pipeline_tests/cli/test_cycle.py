from sqlalchemy import Engine

from crm_pipeline.ledger.lock import account_lock
from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register


def table(output: str) -> dict[str, list[str]]:
    """The rows of a printed table by their first column."""
    return {line.split()[0]: line.split() for line in output.splitlines() if line.strip()}


def test_a_cycle_brings_what_is_new_and_tells_it_in_a_table(run: Run, org: Org, pipeline: Engine):
    with pipeline.begin() as connection:
        add_person(connection, 1)
        register(connection, 1, 1)
    told = run("cycle", "acme").stdout
    assert len(org.table("Lead").rows) == 1
    # state, registrations, attendances, rejected, leads created, updated, contacts, activities
    assert table(told)["acme"][1:9] == ["Complete", "1", "0", "0", "1", "0", "0", "1"]


def test_all_enabled_accounts_have_a_cycle_each(run: Run, org: Org):
    add = ("account", "add", "beta", "--client=c", "--name=Beta", "--login-url=http://127.0.0.1:1")
    run(*add, typed="a\nb\n")
    run("account", "add", "off", *add[3:], typed="a\nb\n")
    run("account", "disable", "off")
    told = table(run("cycle", "--all").stdout)
    assert told["acme"][1] == "Complete"
    assert "beta" in told
    assert "off" not in told


def test_a_cycle_that_fails_says_why_and_ends_with_exit_status_1(
    run: Run, org: Org, pipeline: Engine
):
    with pipeline.begin() as connection:
        add_person(connection, 1)
        register(connection, 1, 1)
    run("account", "credentials", "acme", typed="3MVG9\nwrong\n")
    failed = run("cycle", "acme", fails=1, silent=True)
    assert table(failed.stdout)["acme"][1] == "Failed"
    assert "invalid_client" in failed.stdout


def test_a_cycle_of_an_account_that_is_in_one_already_says_so(run: Run, org: Org, pipeline: Engine):
    with account_lock(pipeline, "acme") as held:
        assert held
        busy = run("cycle", "acme", fails=1, silent=True)
    assert table(busy.stdout)["acme"][1] == "Busy"


def test_which_accounts_are_meant_must_be_said(run: Run, org: Org):
    assert "Name an account, or say --all" in run("cycle", fails=1).stderr
    assert "Name an account, or say --all" in run("cycle", "acme", "--all", fails=1).stderr
    assert "no account 'nobody'" in run("cycle", "nobody", fails=1).stderr


def test_without_an_enabled_account_there_is_nothing_to_run(run: Run):
    assert "No account is enabled" in run("cycle", "--all", fails=1).stderr
