"""A person decides about what is held, and everybody sees who did and why."""

import getpass
import json

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.store import update_settings
from crm_pipeline.ledger.lock import account_lock
from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

LIMITS = {"new_people": 1, "times_usual": 0.1}


def come(pipeline: Engine, *people: int) -> None:
    with pipeline.begin() as connection:
        for person in people:
            add_person(connection, person)
            register(connection, person, person, minute=person)


@pytest.fixture
def held(run: Run, org: Org, pipeline: Engine) -> Org:
    """Account acme is held, as two people would be new; one is in the org."""
    come(pipeline, 1)
    run("cycle", "acme")
    with pipeline.begin() as connection:
        update_settings(connection, "acme", {"limits": LIMITS})
    come(pipeline, 2, 3)
    said = run("cycle", "acme", fails=1, silent=True).stdout
    assert "Held before anything was sent: 2 people would be new (at most 1)" in said
    return org


def test_what_is_held_is_said_and_sent_when_somebody_approves(
    run: Run, held: Org, pipeline: Engine
) -> None:
    assert "\tHeld\t" in run("state").stdout
    one = run("--json", "state", "acme").stdout
    facts = json.loads(one)
    assert "2 people would be new (at most 1)" in one
    assert "Held" in facts.values() or '"Held"' in one
    waiting = run("operations", "list", "acme").stderr
    assert "4 pending wait: the account is Held: Held before anything was sent" in waiting
    listed = run("operations", "list", "acme", "--state", "pending").stdout
    assert listed.count("the account is held") == 4
    with account_lock(pipeline, "acme") as cycle:
        assert cycle is not None
        assert "is running; try again" in run("approve", "acme", "--yes", fails=1).stderr
    asked = run("approve", "acme", fails=1).stderr
    assert "2 people would be new (at most 1)" in asked
    assert "--yes agrees" in asked
    run("approve", "acme", "--why", "the spring fair", "--by", "Ann", typed="y\n")
    assert len(held.table("Lead").rows) == 1
    meanwhile = run("state", "acme").stdout
    assert "reason\tit is decided about; the next cycle goes on" in meanwhile
    assert "Complete" in run("cycle", "acme").stdout
    assert len(held.table("Lead").rows) == 3
    told = run("state", "acme").stdout
    assert "approved" in told
    assert "\tAnn\tthe spring fair" in told
    assert "is not held" in run("approve", "acme", "--yes", fails=1).stderr
    assert "no account 'nobody'" in run("approve", "nobody", "--yes", fails=1).stderr


def test_what_is_rejected_is_dropped_with_the_reason_and_can_be_had_after_all(
    run: Run, held: Org, pipeline: Engine
) -> None:
    assert "--why" in run("reject", "acme", "--why", " ", "--yes", fails=1).stderr
    said = run("reject", "acme", "--why", "a list that was bought", "--yes").stdout
    assert "2 operations dropped; the rest goes on" in said
    assert "Complete" in run("cycle", "acme").stdout
    assert len(held.table("Lead").rows) == 1
    dropped = run("operations", "list", "acme", "--state", "dropped").stdout
    assert dropped.count(f"rejected by {getpass.getuser()}: a list that was bought") == 2
    with pipeline.connect() as connection:
        first = connection.scalar(
            text("SELECT min(operation_id) FROM crm.operation WHERE state = 'dropped'")
        )
    assert "1 operation tried again" in run("operations", "requeue", first).stdout
    assert "Complete" in run("cycle", "acme").stdout
    assert len(held.table("Lead").rows) == 2
    run("operations", "requeue", "--account", "acme", "--code", "HOLD_REJECTED")
    assert "Complete" in run("cycle", "acme").stdout
    assert len(held.table("Lead").rows) == 3
    assert len(held.table("Event").rows) == 3


def test_what_is_left_to_the_next_cycle_says_that_it_is_held(run: Run, held: Org) -> None:
    for command in ("send-again", "adopt"):
        said = run("account", command, "acme", "--yes").stdout
        assert "is held, though: nothing is sent until `crm-pipeline approve acme`" in said, command
    run("approve", "acme", "--yes")
    said = run("account", "send-again", "acme", "--yes").stdout
    assert "does so in its next cycle" in said
    assert "is held" not in said


def test_what_is_too_little_to_be_held_lifts_no_limit(run: Run, org: Org, pipeline: Engine) -> None:
    """For what else the cycle reads they hold; what may exceed one passes, as it is agreed to."""

    def is_lifted() -> bool:
        with pipeline.connect() as connection:
            return bool(connection.scalar(text("SELECT load_approved FROM crm.brake")))

    come(pipeline, 1, 2)
    run("cycle", "acme")
    run("account", "send-again", "acme", "--yes")
    assert not is_lifted()
    with pipeline.begin() as connection:
        update_settings(connection, "acme", {"limits": LIMITS})
    run("account", "send-again", "acme", "--yes")
    assert is_lifted()


def test_a_disabled_account_stays_held_and_a_hold_can_be_decided_meanwhile(
    run: Run, held: Org
) -> None:
    run("account", "disable", "acme")
    assert "\tDisabled\t" in run("state").stdout
    assert "state of its last cycle\tHeld" in run("state", "acme").stdout
    run("approve", "acme", "--yes")
    assert len(held.table("Lead").rows) == 1
    run("account", "enable", "acme")
    run("cycle", "acme")
    assert len(held.table("Lead").rows) == 3
