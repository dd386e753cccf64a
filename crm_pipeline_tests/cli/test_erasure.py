"""`crm-pipeline erasure`: what operators do about people who are not to be processed."""

from typing import Any

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from crm_pipeline.cli.app import app
from crm_pipeline.local_org.store import Org
from crm_pipeline.settings import settings
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

CANARY = "canary@example.com"


def with_address(*arguments: str, address: str = f"{CANARY}\n") -> Any:
    """Runs a command that is told the address by its standard input."""
    return CliRunner().invoke(app, list(arguments), input=address, prog_name="crm-pipeline")


@pytest.fixture
def canary(run: Run, org: Org, pipeline: Engine) -> None:
    with pipeline.begin() as connection:
        add_person(connection, 1, CANARY)
        register(connection, 1, 1)
    run("cycle", "acme")


def test_somebody_is_erased_and_a_scan_proves_it(run: Run, canary: None, pipeline: Engine):
    before = with_address("erasure", "scan")
    assert before.exit_code == 1
    assert "crm.person.address" in before.stdout
    asked = with_address("erasure", "erase", "acme", "--yes")
    assert asked.exit_code == 0, asked.output
    assert CANARY not in asked.output
    run("cycle", "acme")
    after = with_address("erasure", "scan")
    assert after.exit_code == 0, after.output
    again = with_address("erasure", "erase", "acme", "--yes")
    assert "asked for before" in again.stdout
    with pipeline.connect() as connection:
        [state] = connection.scalars(text("SELECT state FROM crm.request"))
    assert state == "done"


def test_a_scan_of_a_database_that_is_not_dagsters_says_that_it_proves_nothing(
    run: Run, pipeline: Engine, monkeypatch: pytest.MonkeyPatch
):
    url = pipeline.url.set(drivername="postgresql", database="postgres")
    monkeypatch.setenv("DAGSTER_DATABASE_URL", url.render_as_string(hide_password=False))
    settings.cache_clear()
    assert "set that here, too" in with_address("erasure", "scan").stderr
    settings.cache_clear()


def test_nobody_is_erased_unless_that_is_agreed_to(run: Run, canary: None):
    refused = with_address("erasure", "erase", "acme")
    assert refused.exit_code == 1


def test_somebody_is_suppressed_and_processed_again(run: Run, canary: None, pipeline: Engine):
    assert with_address("erasure", "suppress", "acme").exit_code == 0
    run("cycle", "acme")
    lifted = with_address("erasure", "lift", "acme")
    assert "send-again acme" in lifted.stdout
    assert with_address("erasure", "lift", "acme").exit_code == 1


def test_of_a_disabled_account_it_is_told_that_nothing_will_be_done(run: Run, canary: None):
    run("account", "disable", "acme")
    assert "account enable acme" in with_address("erasure", "erase", "acme", "--yes").stderr


def test_what_is_no_address_is_told(run: Run, canary: None):
    refused = with_address("erasure", "suppress", "acme", address="nobody\n")
    assert refused.exit_code == 1
    assert "no email address" in refused.stderr
