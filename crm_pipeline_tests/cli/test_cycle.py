import re

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.credentials import new_key
from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline.ledger.lock import account_lock
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.local_org.store import Org
from crm_pipeline.settings import settings
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register


def facts(output: str) -> dict[str, str]:
    """The printed numbers of one cycle, by name."""
    lines = [re.split(r"\t|\s{2,}", line.strip(), maxsplit=1) for line in output.splitlines()]
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
    add = (
        "account",
        "add",
        "beta",
        "--yes",
        "--client=c",
        "--name=Beta",
        "--login-url=http://127.0.0.1:1",
    )
    run(*add, typed="a\nb\n")
    run("account", "add", "off", *add[3:], typed="a\nb\n")
    run("account", "add", "draft", *add[3:], typed="a\nb\n")
    for account in ("beta", "off"):
        run("account", "activate", account, "--yes")
    run("account", "disable", "off")
    told = run("cycle", "--all").stdout
    rows = {line.split()[0]: line.split()[1:] for line in told.splitlines() if line.strip()}
    assert rows["acme"][0] == "Complete"
    assert "beta" in rows
    assert not {"off", "draft"} & rows.keys()


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


def test_a_wrong_encryption_key_is_told_at_its_account_and_stops_no_other(
    run: Run, org: Org, server: LocalOrgServer, monkeypatch: pytest.MonkeyPatch
):
    add = (
        "account",
        "add",
        "--yes",
        "--client=c",
        "--name=n",
        f"--login-url={server.url_of('lenient')}",
    )
    monkeypatch.setenv("CRM_ENCRYPTION_KEYS", new_key())
    settings.cache_clear()
    run(*add, "beta", typed="3MVG9\ns3cret\n")
    told = run("account", "test-login", "acme", fails=1).stderr
    assert "acme: no key in CRM_ENCRYPTION_KEYS opens its credentials" in told
    run("account", "test-login", "beta")


def test_an_impossible_filter_in_the_table_fails_its_account_only(
    run: Run, org: Org, server: LocalOrgServer, pipeline: Engine
):
    add = (
        "account",
        "add",
        "--yes",
        "--client=c",
        "--name=n",
        f"--login-url={server.url_of('lenient')}",
    )
    run(*add, "beta", typed="3MVG9\ns3cret\n")
    with pipeline.begin() as connection:
        connection.execute(text("INSERT INTO crm.email_filter VALUES ('acme', E'\\t')"))
    told = run("cycle", "--all", fails=1, silent=True).stdout
    assert "acme: Account acme: filter '\\t' would reject every address" in told
    assert "beta: " not in told


def test_a_cycle_of_an_account_that_is_in_one_already_says_so(run: Run, org: Org, pipeline: Engine):
    with account_lock(pipeline, "acme") as held:
        assert held
        busy = run("cycle", "acme", fails=1, silent=True)
    assert facts(busy.stdout)["state"] == "Busy"


def test_a_disabled_account_has_no_cycle_whoever_asks(run: Run, org: Org, pipeline: Engine):
    with pipeline.begin() as connection:
        add_person(connection, 1)
        register(connection, 1, 1)
    run("account", "disable", "acme")
    told = run("cycle", "acme", fails=1).stderr
    assert told == (
        "Account acme is disabled; `crm-pipeline account enable acme` lets its cycles run.\n"
    )
    assert sync_account("acme", run_id="another").state == "Disabled"
    assert not org.table("Lead").rows
    run("account", "enable", "acme")
    run("cycle", "acme")
    assert len(org.table("Lead").rows) == 1


def test_which_accounts_are_meant_must_be_said(run: Run, org: Org):
    assert "Name an account, or say --all" in run("cycle", fails=1).stderr
    assert "Name an account, or say --all" in run("cycle", "acme", "--all", fails=1).stderr
    assert "no account 'nobody'" in run("cycle", "nobody", fails=1).stderr


def test_without_an_enabled_account_there_is_nothing_to_run(run: Run):
    assert "No account is enabled" in run("cycle", "--all", fails=1).stderr
