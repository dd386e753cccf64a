"""Two people change one account at the same moment: neither undoes what the other did."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, Engine, text

from crm_pipeline.accounts import store
from crm_pipeline.accounts.account import Account
from crm_pipeline_tests.cli.conftest import Run

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


@pytest.fixture
def meanwhile(pipeline: Engine, run: Run) -> Callable[..., str]:
    """Runs a command that begins before another change has ended; what it says on stderr."""

    def meanwhile(first: Callable[[Connection], object], *command: object, fails: int = 0) -> str:
        with pipeline.connect() as connection, ThreadPoolExecutor(1) as pool:
            first(connection)
            second = pool.submit(run, *command, fails=fails)
            with pipeline.connect() as watching:
                while not second.done() and not watching.scalar(text(WAITING)):
                    watching.rollback()
                    time.sleep(0.01)
            connection.commit()
            return second.result(timeout=60).stderr

    return meanwhile


def stored(pipeline: Engine) -> Account:
    with pipeline.connect() as connection:
        return store.get_account(connection, "acme")


def test_two_settings_are_both_kept(pipeline: Engine, acme: str, meanwhile: Callable[..., str]):
    meanwhile(
        lambda connection: store.update_settings(connection, acme, {"route": "bulk"}),
        *("account", "set", acme, "parallel_requests=2"),
    )
    chosen = stored(pipeline).settings
    assert (chosen.route, chosen.parallel_requests) == ("bulk", 2)


def test_who_is_disabled_stays_so_when_something_else_is_set(
    pipeline: Engine, acme: str, meanwhile: Callable[..., str]
):
    meanwhile(
        lambda connection: store.disable_account(connection, acme),
        *("account", "set", acme, "name=Acme Limited"),
    )
    account = stored(pipeline)
    assert (account.name, account.enabled) == ("Acme Limited", False)


def test_two_choices_of_requests_are_both_kept(
    pipeline: Engine, acme: str, meanwhile: Callable[..., str]
):
    meanwhile(
        lambda connection: store.update_settings(
            connection, acme, {"inbound": {"macros": {"forget": {"does": "erase"}}}}
        ),
        *("listener", "set", acme, "in_org=delete"),
    )
    inbound = stored(pipeline).settings.inbound
    assert inbound is not None
    assert (inbound.in_org, list(inbound.macros)) == ("delete", ["forget"])


def test_the_last_session_goes_on_purpose_only(
    pipeline: Engine, acme: str, meanwhile: Callable[..., str]
):
    """Each of two people saw another one left, and then all sessions went."""
    with pipeline.begin() as connection:
        for session in (1, 2):
            store.push_session(connection, acme, session)
    told = meanwhile(
        lambda connection: store.unpush_session(connection, acme, 1),
        *("account", "session", "remove", acme, 2),
        fails=1,
    )
    assert "Session 2 is the last that account acme lists" in told


def test_only_one_of_two_begins_an_account(
    pipeline: Engine, acme: str, meanwhile: Callable[..., str]
):
    with pipeline.begin() as connection:
        connection.execute(text("UPDATE crm.account SET activated_at = NULL, enabled = false"))
    told = meanwhile(
        lambda connection: store.activate_account(connection, acme),
        *("account", "activate", acme, "--yes"),
        fails=1,
    )
    assert "is active already" in told
