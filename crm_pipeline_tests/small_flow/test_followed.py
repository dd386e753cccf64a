"""Records that become other ones, vanish for good or were made without an answer, read back."""

from typing import Any

import pytest
import requests
from sqlalchemy import text

from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline.declaration import Watched
from crm_pipeline.flows.registry import ALL_TOPICS, FLOWS
from crm_pipeline.ledger.read_back import hint
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.report import CycleReport
from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench, account_of
from crm_pipeline_tests.flows.webinars.warehouse import CLIENT, add_person, register
from crm_pipeline_tests.small_flow.badges import TOPICS, WATCHED, Badge, badges_flow
from crm_pipeline_tests.small_flow.test_read_back import told

__all__ = ["run"]

BACK = frozenset(("badge_edits",))
CONTACTS = (*WATCHED, Watched("Contact", ("Email", "IsDeleted")))
THREE = (Badge(1), Badge(2), Badge(3))


def cycle(
    bench: Bench, *badges: Badge, steps: frozenset[str] = BACK, account: str = ACCOUNT
) -> CycleReport:
    bench.connection.commit()
    flows = [*FLOWS, badges_flow(badges, watches=CONTACTS)]
    return sync_account(account, run_id="test", steps=steps, flows=flows)


def whole(bench: Bench, *badges: Badge) -> CycleReport:
    return cycle(bench, *badges, steps=ALL_TOPICS | TOPICS)


@pytest.fixture
def two(bench: Bench) -> Bench:
    """Two people and three badges in the org, read back once."""
    bench.settings(read_back_minutes=0)
    for number in (1, 2):
        add_person(bench.connection, number)
        register(bench.connection, number, number)
    for _ in range(2):
        assert whole(bench, *THREE).state == "Complete"
    assert told(bench) == {}
    return bench


def person(bench: Bench, number: int) -> str:
    key = bench.connection.scalar(
        text("SELECT person_key FROM crm.person_pointer WHERE value = :id"), {"id": str(number)}
    )
    bench.connection.rollback()
    return f"person:{key}"


def test_the_winner_of_a_merge_stands_for_the_person(two: Bench) -> None:
    first, second = two.records("Lead")
    bench, winner = two, second["Id"]
    bench.admin("merge", object="Lead", master_id=winner, ids=[first["Id"]])
    cycle(bench)
    bench.admin("edit", id=winner, fields={"Email": "new@example.com"})
    cycle(bench)
    for number in (1, 2):
        assert told(bench)[person(bench, number)]["Email"] == "new@example.com"
    ids = bench.connection.scalars(text("SELECT salesforce_id FROM crm.identity"))
    assert set(ids) == {winner}
    # One who was merged away is no person that is gone.
    assert not any(each["gone"] for about, each in told(bench).items() if "person" in about)


def test_a_merged_record_that_was_never_known_is_followed_by_its_winner(two: Bench) -> None:
    first, _ = two.records("Lead")
    stranger = two.seed("Lead", LastName="L", Company="C", Email="stranger@example.com")
    two.admin("merge", object="Lead", master_id=stranger, ids=[first["Id"]])
    cycle(two)
    two.admin("edit", id=stranger, fields={"Email": "new@example.com"})
    cycle(two)
    assert told(two)[person(two, 1)]["Email"] == "new@example.com"


def test_the_contact_of_a_converted_lead_stands_for_the_person(two: Bench) -> None:
    first, _ = two.records("Lead")
    two.admin("convert", lead_id=first["Id"])
    cycle(two)
    [contact] = two.records("Contact")
    two.admin("edit", id=contact["Id"], fields={"Email": "new@example.com"})
    cycle(two)
    assert told(two)[person(two, 1)]["Email"] == "new@example.com"
    assert told(two)[person(two, 1)]["gone"] is False


@pytest.mark.parametrize("settled", [True, False])
def test_a_lead_that_we_made_without_an_answer_is_not_told(two: Bench, *, settled: bool) -> None:
    add_person(two.connection, 3)
    register(two.connection, 3, 3)
    two.fault("collections.create", "reset_after", times=1)
    steps = ALL_TOPICS - {"retried_operations"}
    cycle(two, *THREE, steps=steps)
    assert "in_flight" in two.states().values()
    assert len(two.records("Lead")) == 3
    if settled:
        whole(two, *THREE)
    cycle(two)
    for _ in range(2):
        whole(two, *THREE)
    assert told(two) == {}
    [lead] = [each for each in two.records("Lead") if each["Email"] == "p3@example.com"]
    two.admin("edit", id=lead["Id"], fields={"Email": "new@example.com"})
    cycle(two)
    assert told(two)[person(two, 3)]["changed"] == ["Email"]


@pytest.mark.deep
def test_nor_is_it_told_to_another_account_of_the_org(two: Bench) -> None:
    account_of(two.connection, two.server, "other", f"{CLIENT}-2", org=ACCOUNT)
    cycle(two, account="other")
    add_person(two.connection, 3)
    register(two.connection, 3, 3)
    two.fault("collections.create", "reset_after", times=1)
    cycle(two, *THREE, steps=ALL_TOPICS - {"retried_operations"})
    assert "in_flight" in two.states().values()
    cycle(two, account="other")
    assert told(two, "other") == {}


@pytest.mark.deep
def test_in_a_copy_of_the_org_nothing_is_told_again(two: Bench, run: Run) -> None:
    two.org.id = str(long_id("00DREFRESHED000"))
    assert whole(two, *THREE).state == "Failed"
    run("account", "org", ACCOUNT, "--same-data", "--yes")
    two.admin("edit", id=badge_id(two, 1), fields={"Holder__c": "By hand"})
    cycle(two)
    assert told(two)["badge:1"]["changed"] == ["Holder__c"]


def a_day_passes(bench: Bench) -> None:
    bench.connection.execute(
        text("UPDATE crm.org_sweep SET begun_at = begun_at - interval '1 day'")
    )
    bench.connection.commit()


def badge_id(bench: Bench, number: int) -> str:
    found = {each["Badge_Key__c"]: each["Id"] for each in bench.records("Badge__c")}
    return str(found[str(number)])


def test_what_was_deleted_for_good_is_told_after_three_looks(two: Bench) -> None:
    two.admin("erase", ids=[badge_id(two, 2)])
    cycle(two)
    assert told(two) == {}
    a_day_passes(two)
    for _ in range(2):
        cycle(two)
        assert told(two) == {}
    cycle(two)
    assert told(two) == {
        "badge:2": {"Holder__c": "Somebody", "gone": True, "changed": ["IsDeleted"]}
    }
    a_day_passes(two)
    for _ in range(2):
        cycle(two)
    messages = two.connection.scalar(text("SELECT count(*) FROM platform_inbox.message"))
    assert messages == 1


def test_a_sweep_costs_one_call_a_day_for_many_records(two: Bench) -> None:
    a_day_passes(two)
    assert cycle(two).counts.api_calls == 2
    assert cycle(two).counts.api_calls == 1


def test_an_object_that_is_hidden_has_lost_nothing(two: Bench) -> None:
    ids = [each["Id"] for each in two.records("Badge__c")]
    hide(two, ids)
    a_day_passes(two)
    report = cycle(two)
    assert "None of 3 Badge__c records" in report.notes
    for _ in range(4):
        a_day_passes(two)
        cycle(two)
    assert told(two) == {}


def test_one_that_was_hidden_and_is_seen_again_is_told_to_be_there(two: Bench) -> None:
    hide(two, [badge_id(two, 2)])
    a_day_passes(two)
    for _ in range(3):
        cycle(two)
    assert told(two)["badge:2"]["gone"] is True
    hide(two, [])
    a_day_passes(two)
    cycle(two)
    assert told(two)["badge:2"]["gone"] is False


def test_a_record_in_the_bin_is_not_missing(two: Bench) -> None:
    two.admin("delete", ids=[badge_id(two, 2)])
    cycle(two)
    a_day_passes(two)
    cycle(two)
    assert two.connection.scalar(text("SELECT count(*) FROM crm.org_missing")) == 0


def test_an_org_whose_day_is_half_spent_is_not_swept(two: Bench) -> None:
    two.admin("erase", ids=[badge_id(two, 2)])
    a_day_passes(two)
    two.admin("settings", daily_api_requests_used=9_000)
    cycle(two)
    assert cycle(two).counts.api_calls == 1


def hide(bench: Bench, ids: list[str]) -> None:
    url = f"{bench.server.url_of(ACCOUNT)}/_admin/hidden-records"
    requests.post(url, json=ids, timeout=30).raise_for_status()


@pytest.mark.deep
def test_the_org_is_read_at_the_pace_of_the_account(two: Bench) -> None:
    two.settings(read_back_minutes=60)
    two.admin("edit", id=badge_id(two, 1), fields={"Holder__c": "By hand"})
    report = whole(two, *THREE)
    assert (report.counts.api_calls, told(two)) == (0, {})
    assert "badge_edits" in report.done
    two.connection.execute(text("UPDATE crm.org_position SET read_at = now() - interval '1 hour'"))
    assert whole(two, *THREE).counts.api_calls == 1
    assert told(two)["badge:1"]["Holder__c"] == "By hand"


def test_a_hint_means_now(two: Bench) -> None:
    two.settings(read_back_minutes=60)
    two.admin("edit", id=badge_id(two, 1), fields={"Holder__c": "By hand"})
    hint(two.connection, ACCOUNT)
    assert whole(two, *THREE).counts.api_calls == 1
    assert told(two)["badge:1"]["Holder__c"] == "By hand"
    assert whole(two, *THREE).counts.api_calls == 0


@pytest.mark.parametrize(("minutes", "calls"), [("5", 288), ("15", 96), ("60", 24), ("0", 96)])
def test_the_cost_of_a_pace_is_said_when_it_is_set(
    bench: Bench, run: Run, minutes: Any, calls: int
) -> None:
    said = run("account", "set", ACCOUNT, f"read_back_minutes={minutes}").stdout
    assert f"costs {calls} API calls a day for five objects" in said.replace("\n", " ")
    bad = run("account", "set", ACCOUNT, "read_back_minutes=-1", fails=1)
    assert "read_back_minutes" in bad.stderr
