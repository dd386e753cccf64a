"""New people who are not in the org yet when the source, or the account, wants them no more."""

import pytest
from sqlalchemy import text

from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.campaigns.scenes import members, says, switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.cycle.test_people_who_change import (
    emails,
    hand_over,
    ship,
    two_people,
    whose,
)
from crm_pipeline_tests.flows.webinars.warehouse import add_person, attend, register

__all__ = ["run"]

AN_HOUR_AND_MORE = 90


def read_while_the_org_is_down(bench: Bench) -> None:
    bench.admin("settings", maintenance="down")
    assert bench.cycle().state == "Failed"


def the_org_is_back(bench: Bench) -> None:
    bench.admin("settings", maintenance="none")
    assert bench.cycle().state == "Complete"


@pytest.mark.deep
def test_whom_a_filter_rejects_before_anything_was_sent_is_not_created(
    bench: Bench, run: Run
) -> None:
    """Their rows were read long before the filter, and are not read again for it."""
    switch_on(bench)
    two_people(bench)
    attend(bench.connection, 1, 1, minute=5)
    read_while_the_org_is_down(bench)
    add_person(bench.connection, 3)
    register(bench.connection, 3, 3, minute=AN_HOUR_AND_MORE)
    bench.cycle()
    run("account", "filter", "add", ACCOUNT, " P1@", "--yes")
    bench.admin("settings", maintenance="none")
    report = bench.cycle()
    assert emails(bench) == sorted(whose(bench)) == ["p2@example.com", "p3@example.com"]
    assert len(members(bench)) == 2
    assert report.tally.overall("rejected") >= 3
    assert bench.states()["person:p1@example.com"] == "rejected"
    run("account", "filter", "remove", ACCOUNT, " P1@".strip())
    run("account", "send-again", ACCOUNT, "--yes")
    for _ in range(2):
        assert bench.cycle().state == "Complete"
    assert sorted(whose(bench)) == ["p1@example.com"] * 2 + ["p2@example.com", "p3@example.com"]
    assert set(bench.states().values()) == {"done"}
    assert bench.cycle().counts.api_calls == 0


@pytest.mark.deep
def test_a_filter_leaves_whose_creation_was_not_answered_to_be_looked_up(
    bench: Bench, run: Run
) -> None:
    two_people(bench)
    bench.fault("composite", "reset_after", nth=2)
    bench.cycle()
    run("account", "filter", "add", ACCOUNT, "p1@", "--yes")
    for _ in range(2):
        bench.cycle()
    assert emails(bench) == ["p1@example.com", "p2@example.com"], "they were made before it"


@pytest.mark.deep
def test_who_lost_the_only_registration_before_anything_was_sent_is_not_created(
    bench: Bench,
) -> None:
    two_people(bench)
    read_while_the_org_is_down(bench)
    hand_over(bench, 1, person=2)
    the_org_is_back(bench)
    assert emails(bench) == ["p2@example.com"]
    assert whose(bench) == ["p2@example.com"] * 2
    assert bench.states()["person:p1@example.com"] == "left_out"
    assert bench.cycle().counts.api_calls == 0
    attend(bench.connection, 1, 1, minute=24 * 60 * 2)
    assert bench.cycle().state == "Complete"
    assert emails(bench) == ["p1@example.com", "p2@example.com"]
    assert set(bench.states().values()) == {"done"}


def test_who_has_no_usable_address_any_more_before_anything_was_sent_is_not_created(
    bench: Bench,
) -> None:
    two_people(bench)
    read_while_the_org_is_down(bench)
    ship(bench, p1="nonsense")
    the_org_is_back(bench)
    assert emails(bench) == ["p2@example.com"]
    ship(bench, 2, p1="right@example.com")
    assert bench.cycle().state == "Complete"
    assert emails(bench) == ["p2@example.com", "right@example.com"]
    assert sorted(whose(bench)) == ["p2@example.com", "right@example.com"]


@pytest.mark.deep
def test_who_is_waitlisted_before_anything_was_sent_is_neither_member_nor_lead(
    bench: Bench,
) -> None:
    """The membership that was to be, and never was, kept its status."""
    switch_on(bench)
    two_people(bench)
    read_while_the_org_is_down(bench)
    says(bench, 1, "waitlisted", minute=AN_HOUR_AND_MORE)
    the_org_is_back(bench)
    assert emails(bench) == whose(bench) == ["p2@example.com"]
    assert members(bench) == [("Registered", False)]
    says(bench, 1, "registered", minute=2 * AN_HOUR_AND_MORE)
    assert bench.cycle().state == "Complete"
    assert members(bench) == [("Registered", False)] * 2
    assert len(whose(bench)) == 2
    assert bench.cycle().counts.api_calls == 0


def test_people_of_this_cycle_and_of_other_flows_are_not_asked_what_is_about_them(
    bench: Bench,
) -> None:
    """A person whom nothing was ever about comes all the same, as a tracked lead does."""
    two_people(bench)
    read_while_the_org_is_down(bench)
    bench.connection.execute(text("DELETE FROM crm.operation WHERE natural_key = 'registration:1'"))
    the_org_is_back(bench)
    assert emails(bench) == ["p1@example.com", "p2@example.com"]
