"""A new account is a draft: nothing is sent before a person says go, and from when on."""

import pytest
from sqlalchemy import Engine

from crm_pipeline.accounts.store import get_account
from crm_pipeline.cadence.due import claim, read_standings
from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.flows.webinars.warehouse import LONG_AGO, add_person, register

_ADD = ("--client=client-1", "--name=Beta", "--login-url=https://beta.my.salesforce.com", "--yes")


@pytest.fixture
def beta(run: Run) -> str:
    """A draft."""
    run("account", "add", "beta", *_ADD, typed="3MVG9\ns3cret\n")
    return "beta"


def test_a_draft_has_no_cycle_whoever_asks(run: Run, beta: str, pipeline: Engine):
    asked = run("cycle", beta, fails=1)
    assert "Account beta is a draft; `crm-pipeline account activate beta`" in asked.stderr
    assert sync_account(beta, run_id="r").state == "Draft"
    with pipeline.connect() as connection:
        _, standings = read_standings(connection)
    assert [each.account_id for each in standings] == []
    assert claim([beta]) == set()


def test_a_draft_is_shown_as_one_everywhere(run: Run, beta: str):
    assert "none, a draft" in run("account", "list").stdout
    assert "none, a draft" in run("account", "show", beta).stdout
    assert "Draft" in run("state").stdout
    assert "state\tDraft" in run("state", beta).stdout


def test_a_draft_is_neither_enabled_nor_disabled(run: Run, beta: str):
    enabled = run("account", "enable", beta, fails=1)
    assert "is a draft; `crm-pipeline account activate beta`" in enabled.stderr
    assert "is a draft: it has no cycles" in run("account", "disable", beta, fails=1).stderr


def test_who_activates_is_told_what_goes_and_asked(run: Run, beta: str, pipeline: Engine):
    unasked = run("account", "activate", beta, fails=1)
    assert "Nothing is changed, as nobody can be asked here" in unasked.stderr
    with pipeline.connect() as connection:
        assert get_account(connection, beta).draft
    refused = run("account", "activate", beta, typed="n\n", fails=1)
    assert "https://beta.my.salesforce.com" in refused.output
    run("account", "activate", beta, typed="y\n")
    with pipeline.connect() as connection:
        account = get_account(connection, beta)
    assert (account.enabled, account.draft) == (True, False)


def test_an_account_is_activated_once(run: Run, acme: str):
    again = run("account", "activate", acme, "--yes", fails=1)
    assert "Account acme is active already." in again.stderr
    run("account", "disable", acme)
    assert "`crm-pipeline account enable acme`" in (
        run("account", "activate", acme, "--yes", fails=1).stderr
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--since=soon",), "a date as 2026-11-01"),
        (("--since=0001-01-01T00:00+14:00",), "a date as 2026-11-01"),
        (("--since=2026-11-01", "--from-now"), "not both"),
    ],
)
def test_a_start_that_cannot_be_meant_is_refused(
    run: Run, beta: str, pipeline: Engine, options: tuple[str, ...], told: str
):
    assert told in run("account", "activate", beta, *options, "--yes", fails=1).stderr
    with pipeline.connect() as connection:
        assert get_account(connection, beta).draft


def test_nothing_of_before_the_start_is_sent(run: Run, org: Org, pipeline: Engine):
    with pipeline.begin() as connection:
        for person, minute in ((1, -600), (2, 0)):
            add_person(connection, person)
            register(connection, person, person, minute=minute)
    run("account", "set", "acme", f"start_at={LONG_AGO.isoformat()}")
    assert "rejected\t1" in run("cycle", "acme").stdout
    assert [each["Email"] for each in org.table("Lead").rows.values()] == ["p2@example.com"]
    listed = run("operations", "list", "acme", "--state", "rejected").stdout
    assert "before the account's start (start_at)" in listed
    moved = run("account", "set", "acme", "start_at=")
    assert "`crm-pipeline account send-again acme` reads them again" in moved.stdout
    run("account", "send-again", "acme", "--yes")
    run("cycle", "acme")
    assert len(org.table("Lead").rows) == 2
