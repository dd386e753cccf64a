"""The state of an account after its cycles: steps that were done, since when, with which notes."""

import pytest
from sqlalchemy import Row, text

from crm_pipeline.accounts.credentials import set_credentials
from crm_pipeline.flows.registry import ALL_TOPICS
from crm_pipeline.flows.webinars.flow import WEBINARS
from crm_pipeline.ledger.codes import OwnCode
from crm_pipeline.salesforce.credentials import PasswordToken
from crm_pipeline_tests.chaos.decisions import think_better
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.flows.webinars.warehouse import add_person, attend, register

OWN = {topic.name for topic in WEBINARS.topics}
"""Topics of the one flow that the account has on: of the others nothing is left to do."""

READ = {"registrations", "attendances", "filtered_leads", "lead_payloads"}
BY_ITSELF = {"sync_state"}


def standing(bench: Bench) -> Row[tuple[object, ...]]:
    row = bench.connection.execute(text("SELECT * FROM crm.sync_state")).one()
    bench.connection.rollback()
    return row


def one_registration(bench: Bench) -> None:
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)


def lock_out(bench: Bench) -> None:
    wrong = PasswordToken(username="api@acme.test", password="wrong")
    set_credentials(bench.connection, "acme", wrong)


def test_a_good_cycle_has_done_every_step(bench: Bench) -> None:
    one_registration(bench)
    assert bench.cycle().done == ALL_TOPICS - BY_ITSELF


def test_a_refused_login_leaves_done_what_needs_no_org(bench: Bench) -> None:
    one_registration(bench)
    lock_out(bench)
    report = bench.cycle()
    assert report.done & OWN == READ | {"retried_operations"}
    assert report.remedy == (
        "`crm-pipeline account credentials acme`, then `crm-pipeline account test-login acme`"
    )
    assert bench.cycle().remedy == report.remedy


def test_what_was_to_be_tried_again_first_is_not_done_in_an_org_that_is_down(bench: Bench) -> None:
    add_person(bench.connection, 1, country_code="Atlantis")
    register(bench.connection, 1, 1)
    bench.cycle()
    bench.connection.execute(
        text("UPDATE crm.operation SET state = 'failed', attempts_left = 4 WHERE kind = 'person'")
    )
    bench.admin("settings", maintenance="down")
    report = bench.cycle()
    assert report.done & OWN == READ
    assert report.remedy == "nothing: it is tried again by itself"


def test_what_cannot_be_read_is_not_done_and_the_rest_is(bench: Bench) -> None:
    one_registration(bench)
    bench.connection.execute(text("ALTER TABLE warehouse.attendance RENAME TO elsewhere"))
    report = bench.cycle()
    assert report.state == "Failed"
    assert report.done == ALL_TOPICS - READ - BY_ITSELF


@pytest.mark.deep
def test_a_failure_is_since_its_first_cycle_and_ends_with_a_good_one(bench: Bench) -> None:
    one_registration(bench)
    bench.cycle()
    good = standing(bench)
    assert good.since == good.complete_at == good.finished_at

    bench.admin("settings", maintenance="down")
    attend(bench.connection, 1, 1, minute=60)
    bench.cycle()
    first = standing(bench)
    bench.cycle()
    second = standing(bench)
    assert first.since == first.finished_at > good.finished_at
    assert second.since == first.since < second.finished_at
    assert second.complete_at == good.complete_at

    bench.admin("settings", maintenance="none")
    report = bench.cycle()
    again = standing(bench)
    assert again.since == again.complete_at > second.finished_at
    assert report.standing is not None
    assert (report.standing.since, report.standing.failures_in_a_row) == (again.since, 0)


def test_refused_credentials_are_told_until_they_are_others(bench: Bench) -> None:
    one_registration(bench)
    lock_out(bench)
    refused = bench.cycle().standing
    assert refused is not None
    assert refused.refused is True
    right = PasswordToken(username="api@acme.test", password="secret", security_token="TOKEN")
    set_credentials(bench.connection, "acme", right)
    accepted = bench.cycle().standing
    assert accepted is not None
    assert accepted.refused is False


@pytest.mark.deep
def test_values_changed_to_fit_are_a_note_and_no_reason(bench: Bench) -> None:
    add_person(bench.connection, 1, job_title="x" * 200)
    register(bench.connection, 1, 1)
    report = bench.cycle()
    row = standing(bench)
    assert (report.state, report.reason) == ("Complete", "")
    assert report.notes == "Values changed to fit the org: Title (1)"
    assert (row.reason, row.notes) == (None, report.notes)
    cycle = bench.connection.execute(text("SELECT reason, notes FROM crm.cycle")).one()
    assert tuple(cycle) == (None, report.notes)


def test_what_is_left_although_it_could_be_sent_is_noted(bench: Bench) -> None:
    one_registration(bench)
    bench.cycle()
    assert standing(bench).sendable is False
    attend(bench.connection, 1, 1, minute=60)
    bench.cycle(steps=frozenset(("lead_payloads",)))
    assert standing(bench).sendable is True
    bench.cycle()
    assert standing(bench).sendable is False


def test_what_waits_for_a_person_who_never_comes_is_no_unfinished_business(bench: Bench) -> None:
    add_person(bench.connection, 1, country_code="Atlantis")
    register(bench.connection, 1, 1)
    bench.cycle()
    assert bench.states()["registration:1"] == "pending"
    assert standing(bench).sendable is False


def test_whose_campaign_people_dropped_is_no_unfinished_business_until_they_think_better(
    bench: Bench,
) -> None:
    """The planner asked for the account at each tick, and each of its cycles did nothing."""
    bench.settings(campaigns={})
    one_registration(bench)
    bench.admin("settings", maintenance="down")
    assert bench.cycle().state == "Failed"
    bench.admin("settings", maintenance="none")
    campaign = (
        "UPDATE crm.operation SET state = 'dropped', reason_code = :code WHERE kind = 'campaign'"
    )
    bench.connection.execute(text(campaign), {"code": OwnCode.HOLD_REJECTED})
    bench.cycle()
    assert standing(bench).sendable is False
    assert think_better(bench.connection, ACCOUNT)
    bench.cycle()
    assert set(bench.states().values()) == {"done"}


def stays(row: Row[tuple[object, ...]]) -> tuple[object, ...]:
    """How the account stands, as far as people and the planner go by it."""
    return (
        *(row.state, row.reason, row.notes, row.since, row.complete_at, row.started_at),
        *(row.finished_at, row.failures_in_a_row, row.paused_until),
    )


@pytest.mark.deep
def test_some_steps_that_go_well_say_nothing_of_how_the_account_stands(bench: Bench) -> None:
    """A removal that is asked for has steps of its own; people materialize what they like."""
    one_registration(bench)
    assert bench.cycle(frozenset(("lead_payloads",))).state == "Complete"
    assert standing(bench).state == "New"
    bench.admin("settings", maintenance="down")
    failed = bench.cycle()
    before = standing(bench)
    attend(bench.connection, 1, 1, minute=60)
    some = bench.cycle(frozenset(("lead_payloads", "removals")))
    assert (some.state, some.tally["attendances", "rows"]) == ("Complete", 1)
    after = standing(bench)
    assert stays(after) == stays(before)
    assert after.watermark > before.watermark
    for steps in (("sync_state",), ("lead_payloads", "sync_state")):
        told = bench.cycle(frozenset(steps))
        assert (told.state, told.reason) == ("Failed", failed.reason)
        assert told.counts.waiting == 3
        assert told.standing is not None
        assert told.standing.since == before.since
    assert stays(standing(bench)) == stays(before)
    bench.cycle()
    assert standing(bench).since == before.since, "Failed ever since"
    bench.admin("settings", maintenance="none")
    assert bench.cycle().state == "Complete"
    assert bench.cycle(frozenset(("sync_state",))).state == "Complete"


@pytest.mark.deep
def test_some_steps_end_no_pause(bench: Bench) -> None:
    one_registration(bench)
    bench.cycle()
    bench.connection.execute(
        text("UPDATE crm.sync_state SET state = 'Paused', paused_until = now() + interval '1 hour'")
    )
    bench.connection.commit()
    before = standing(bench)
    bench.cycle(frozenset(("removals",)))
    assert stays(standing(bench)) == stays(before)


def test_some_steps_that_fail_fail_the_account(bench: Bench) -> None:
    one_registration(bench)
    bench.cycle()
    bench.connection.execute(text("ALTER TABLE warehouse.attendance RENAME TO elsewhere"))
    assert bench.cycle(frozenset(("lead_payloads",))).state == "Failed"
    row = standing(bench)
    assert (row.state, row.failures_in_a_row) == ("Failed", 1)
