"""Typed names are checked against the warehouse, and people asked, before anything counts."""

import os
import pty
import subprocess

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts import store
from crm_pipeline.ledger.lock import account_lock
from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.cli.test_process import COMMAND
from crm_pipeline_tests.flows.webinars.warehouse import add_person, add_sessions, attend, register

ADD = ("account", "add", "beta", "--name=Beta", "--login-url=https://beta.my.salesforce.com")
SECRETS = "3MVG9\ns3cret\n"


@pytest.fixture
def two_clients(org: Org, pipeline: Engine) -> Org:
    """The org of account acme, whose client-1 has three people; client-2 has two."""
    with pipeline.begin() as connection:
        add_sessions(connection, 11, 12, client="client-2")
        for number, client, session in ((1, 1, 1), (2, 1, 1), (3, 1, 1), (4, 2, 11), (5, 2, 11)):
            add_person(connection, number, client=f"client-{client}")
            register(connection, number, number, session, client=f"client-{client}")
        attend(connection, 1, 1)
    return org


def client_of(pipeline: Engine, account: str) -> str:
    with pipeline.connect() as connection:
        return store.get_account(connection, account).client_id


def leads(org: Org) -> list[str]:
    return sorted(lead["Email"] for lead in org.table("Lead").rows.values())


def test_a_new_accounts_client_is_told_with_what_the_warehouse_has_of_it(
    run: Run, two_clients: Org
):
    told = run(*ADD, "--client=client-1", typed=SECRETS).stdout
    assert (
        "Client client-1 has 3 registrations and 1 attendances, the newest row of "
        "2026-03-01 12:00:00 UTC." in told
    )


def test_a_client_that_the_warehouse_does_not_know_is_taken_only_on_purpose(
    run: Run, two_clients: Org, pipeline: Engine
):
    refused = run(*ADD, "--client=cleint-2", fails=1)
    assert "no row of client 'cleint-2'; did you mean client-2" in refused.stderr
    assert "--yes" in refused.stderr
    run(*ADD, "--client=cleint-2", typed="n\n", fails=1)
    assert "beta" not in run("account", "list").stdout
    run(*ADD, "--client= 4711 ", typed="y\n" + SECRETS)
    assert client_of(pipeline, "beta") == "4711"


def test_a_second_account_of_a_client_is_told_of_the_first(run: Run, two_clients: Org):
    told = run(*ADD, "--client=client-1", typed=SECRETS).stdout
    assert "Account acme is this client, too; in one org only one may be." in told


def test_an_account_that_does_not_exist_is_told_with_its_near_names(run: Run, two_clients: Org):
    assert "no account 'acem'; did you mean acme?" in run("state", "acem", fails=1).stderr
    assert "`crm-pipeline account list`" in run("state", "zzz", fails=1).stderr


def test_a_bad_id_or_address_is_told_before_anything_is_asked(run: Run, two_clients: Org):
    for bad in (["Big Corp", "--login-url=https://b.my.salesforce.com"], ["b", "--login-url=b"]):
        told = run("account", "add", *bad, "--client=client-1", "--name=n", fails=1)
        assert "must look like" in told.stderr or "letters, digits" in told.stderr


def test_clients_are_listed_with_their_accounts(run: Run, two_clients: Org):
    rows = [line.split() for line in run("account", "clients").stdout.splitlines()]
    [first] = [row for row in rows if "client-1" in row]
    [second] = [row for row in rows if "client-2" in row]
    assert first == ["client-1", "3", "1", "2026-03-01", "12:00:00", "UTC", "acme"]
    assert second == ["client-2", "2", "0", "2026-03-01", "12:00:00", "UTC"]


def test_an_account_is_added_when_the_warehouse_cannot_be_asked(run: Run, pipeline: Engine):
    with pipeline.begin() as connection:
        connection.execute(text("DROP SCHEMA warehouse CASCADE"))
    told = run(*ADD, "--client=client-1", typed=SECRETS)
    assert "cannot be checked whether there is a client client-1" in told.stderr
    assert "sql/extract/clients.sql" in run("account", "clients", fails=1).stderr


def test_another_client_is_read_from_its_start_and_only_on_purpose(
    run: Run, two_clients: Org, pipeline: Engine
):
    run("cycle", "acme")
    with pipeline.begin() as connection:
        add_person(connection, 6, country_code="Atlantis")
        register(connection, 6, 6, minute=1)
    run("cycle", "acme")
    sent = leads(two_clients)
    assert len(sent) == 3
    set_ = ("account", "set", "acme", "client=client-2")
    refused = run(*set_, fails=1)
    assert "has read client client-1 until 2026-03-01 12:01:00 UTC" in refused.stderr
    assert "2 that were not sent are forgotten" in refused.stderr
    run(*set_, typed="n\n", fails=1)
    assert client_of(pipeline, "acme") == "client-1"
    run(*set_, typed="y\n")
    assert client_of(pipeline, "acme") == "client-2"
    run("cycle", "acme")
    assert leads(two_clients) == [f"p{number}@example.com" for number in range(1, 6)]
    with pipeline.connect() as connection:
        left = connection.scalar(text("SELECT count(*) FROM crm.operation WHERE state <> 'done'"))
    assert left == 0


def test_who_goes_back_to_the_former_client_loses_nothing_of_it(
    run: Run, two_clients: Org, pipeline: Engine
):
    with pipeline.begin() as connection:
        add_person(connection, 6, country_code="Atlantis")
        register(connection, 6, 6, minute=1)
    run("cycle", "acme")
    run("account", "set", "acme", "--client=client-2", "--yes")
    run("account", "set", "acme", "--client=client-1", "--yes")
    with pipeline.begin() as connection:
        connection.execute(text("UPDATE warehouse.person SET country_code = 'GB'"))
    run("cycle", "acme")
    assert leads(two_clients) == [f"p{number}@example.com" for number in (1, 2, 3, 6)]
    assert len(two_clients.table("Event").rows) == 5


def test_a_client_is_not_changed_while_a_cycle_runs(run: Run, two_clients: Org, pipeline: Engine):
    with account_lock(pipeline, "acme") as held:
        assert held
        told = run("account", "set", "acme", "client=client-2", "--yes", fails=1)
    assert "A cycle of account acme is running" in told.stderr


def test_before_the_first_cycle_another_client_is_only_checked(
    run: Run, two_clients: Org, pipeline: Engine
):
    run("account", "set", "acme", "client=client-2")
    assert client_of(pipeline, "acme") == "client-2"
    assert (
        "did you mean client-2" in run("account", "set", "acme", "client=clint-2", fails=1).stderr
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["client=", "route=bulk"], "client has no default"),
        (["client=client-1", "--client=client-2"], "client is said twice"),
        (["rout=bulk"], "There is no setting 'rout'; did you mean route?"),
        (["login_ulr=https://x"], "did you mean login_url?"),
        (["zzz=1"], "Those that exist: client, name, login_url, "),
        (["login_url=http://x.example"], "https"),
        (["vanished=delete", "vanished=keep"], "vanished is said twice, in two ways"),
    ],
)
def test_settings_are_said_in_one_way(run: Run, two_clients: Org, arguments: list[str], told: str):
    assert told in run("account", "set", "acme", *arguments, fails=1).stderr


def test_name_and_login_url_are_set_like_any_setting(run: Run, two_clients: Org, pipeline: Engine):
    run("account", "set", "acme", "name=Acme Limited", "login_url=https://a.my.salesforce.com")
    with pipeline.connect() as connection:
        account = store.get_account(connection, "acme")
    assert (account.name, account.login_url) == ("Acme Limited", "https://a.my.salesforce.com")


def test_a_listed_session_is_told_by_its_title_and_what_it_stops(
    run: Run, two_clients: Org, pipeline: Engine
):
    run("account", "set", "acme", "client=client-2")
    add = ("account", "session", "add", "acme")
    refused = run(*add, 12, fails=1).stderr
    assert "Session 12 is 'Session 12' of 'Expo'." in refused
    assert "stops all others: 1 session with 2 registrations and attendances so far" in refused
    run(*add, 12, typed="n\n", fails=1)
    assert "lists no session" in run("account", "session", "list", "acme").stdout
    run(*add, 12, "--yes")
    told = run(*add, 11).stdout
    assert "Session 11 is 'Session 11' of 'Expo'." in told
    assert "stops" not in told


def test_a_session_of_nobody_or_of_another_client_is_listed_only_on_purpose(
    run: Run, two_clients: Org
):
    for session in (1234, 11):
        told = run("account", "session", "add", "acme", session, fails=1).stderr
        assert f"Client client-1 has no session {session} in the warehouse" in told
        assert "1 session with 4 registrations and attendances" in told
    assert "lists no session" in run("account", "session", "list", "acme").stdout


def test_a_filter_says_how_many_it_rejects(run: Run, two_clients: Org):
    add = ("account", "filter", "add", "acme")
    refused = run(*add, "P", fails=1).stderr
    assert "Of the 3 people that client client-1 has so far, 'P' rejects 3." in refused
    run(*add, "a", typed="n\n", fails=1)
    assert "has no filter" in run("account", "filter", "list", "acme").stdout
    run(*add, "P2@", typed="y\n")
    assert "rejects 0" in run(*add, "@rival.example").stdout
    listed = run("account", "filter", "list", "acme").stdout
    assert "P2@" in listed
    assert "@rival.example" in listed


def test_a_person_at_a_terminal_is_asked(two_clients: Org, pipeline: Engine):
    mine, theirs = pty.openpty()
    filtering = subprocess.Popen(
        [COMMAND, "account", "filter", "add", "acme", "example"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.write(mine, b"n\n")
    stdout, stderr = filtering.communicate(timeout=60)
    os.close(mine)
    os.close(theirs)
    assert "Reject them, and those like them?" in stdout + stderr
    assert filtering.returncode == 1
    with pipeline.connect() as connection:
        assert store.filter_strings(connection, "acme") == []
