"""Changes of people in the org, from there to the source platform."""

from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.cycle import read_back
from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline.flows.registry import FLOWS
from crm_pipeline.report import CycleReport
from crm_pipeline.salesforce import changes
from crm_pipeline.settings import settings
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench, account_of
from crm_pipeline_tests.flows.webinars.warehouse import CLIENT
from crm_pipeline_tests.small_flow.badges import Badge, badges_flow

WRITING = frozenset(("badges", "badge_lines", "retried_operations"))
BACK = frozenset(("badge_edits",))
ONE = Badge(1)


def cycle(
    bench: Bench, *badges: Badge, steps: frozenset[str] = BACK, account: str = ACCOUNT
) -> CycleReport:
    bench.connection.commit()
    report = sync_account(account, run_id="test", steps=steps, flows=[*FLOWS, badges_flow(badges)])
    assert report.state == "Complete", report.reason
    return report


def told(bench: Bench, account: str = ACCOUNT) -> dict[str, Any]:
    """The bodies of the platform's messages, by what they are about."""
    rows = bench.connection.execute(
        text("SELECT about, body FROM platform_inbox.current WHERE account_id = :account"),
        {"account": account},
    )
    found = {row.about: row.body for row in rows}
    bench.connection.rollback()
    return found


def edit(bench: Bench, **fields: Any) -> None:
    [record] = bench.records("Badge__c")
    bench.admin("edit", id=record["Id"], fields=fields)


@pytest.fixture
def read_once(bench: Bench) -> Bench:
    """A badge in the org, and all read back once."""
    cycle(bench, ONE, steps=WRITING | BACK)
    cycle(bench, ONE, steps=WRITING | BACK)
    return bench


def test_what_we_wrote_is_not_told(read_once: Bench) -> None:
    assert told(read_once) == {}


def test_what_people_change_is_told_once(read_once: Bench) -> None:
    edit(read_once, Holder__c="By hand")
    cycle(read_once)
    assert told(read_once) == {
        "badge:1": {"Holder__c": "By hand", "gone": False, "changed": ["Holder__c"]}
    }
    before = read_once.connection.scalar(text("SELECT count(*) FROM platform_inbox.message"))
    cycle(read_once)
    cycle(read_once)
    after = read_once.connection.scalar(text("SELECT count(*) FROM platform_inbox.message"))
    assert before == after == 1


def test_an_edit_beside_ours_is_not_lost(read_once: Bench) -> None:
    edit(read_once, Holder__c="By hand")
    cycle(read_once, Badge(1, level=4, at=1), steps=WRITING | BACK)
    cycle(read_once)
    assert told(read_once)["badge:1"]["Holder__c"] == "By hand"
    [record] = read_once.records("Badge__c")
    assert record["Level__c"] == 4


def test_the_same_value_written_by_people_is_no_change(read_once: Bench) -> None:
    edit(read_once, Holder__c="Somebody")
    cycle(read_once)
    assert told(read_once) == {}


def lose_answer(bench: Bench, call: str, badge: Badge) -> None:
    """A cycle that ends with a write that was done, and of which nobody was told."""
    bench.fault(call, "reset_after", times=1)
    flows = [*FLOWS, badges_flow([badge])]
    sync_account(ACCOUNT, run_id="test", steps=WRITING, flows=flows)
    assert "in_flight" in bench.states().values()


@pytest.mark.parametrize("patience", ["600", "0"])
@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        ("collections.update", Badge(1, level=4, at=1)),
        ("collections.delete", Badge(1, gone=True, at=1)),
    ],
)
def test_what_we_wrote_without_an_answer_is_not_told(
    read_once: Bench, monkeypatch: pytest.MonkeyPatch, call: str, wanted: Badge, patience: str
) -> None:
    lose_answer(read_once, call, wanted)
    monkeypatch.setenv("LOST_ANSWER_GRACE_SECONDS", patience)
    settings.cache_clear()
    cycle(read_once, wanted)
    cycle(read_once, wanted, steps=WRITING | BACK)
    cycle(read_once, wanted, steps=WRITING | BACK)
    assert told(read_once) == {}


@pytest.mark.deep
def test_a_change_back_is_a_change(read_once: Bench) -> None:
    edit(read_once, Holder__c="By hand")
    cycle(read_once)
    edit(read_once, Holder__c="By another hand")
    cycle(read_once)
    edit(read_once, Holder__c="By hand")
    cycle(read_once)
    assert told(read_once)["badge:1"]["Holder__c"] == "By hand"


def test_deleted_and_undeleted_records_are_followed(read_once: Bench) -> None:
    [record] = read_once.records("Badge__c")
    read_once.admin("delete", ids=[record["Id"]])
    cycle(read_once)
    assert told(read_once)["badge:1"]["gone"] is True
    read_once.admin("undelete", ids=[record["Id"]])
    cycle(read_once)
    assert told(read_once)["badge:1"]["gone"] is False


def test_records_that_nobody_holds_count_where_they_are_wanted(read_once: Bench) -> None:
    lead = read_once.admin(
        "create", object="Lead", fields={"LastName": "L", "Company": "C", "Email": "a@x.example"}
    )
    cycle(read_once)
    assert told(read_once)[lead["id"]]["Email"] == "a@x.example"


def test_an_idle_reading_costs_one_call(read_once: Bench) -> None:
    assert cycle(read_once).counts.api_calls == 1


def test_two_accounts_on_one_org_do_not_echo_each_other(read_once: Bench) -> None:
    account_of(read_once.connection, read_once.server, "other", f"{CLIENT}-2", org=ACCOUNT)
    cycle(read_once, account="other")
    edit(read_once, Level__c=9)
    cycle(read_once)
    cycle(read_once, account="other")
    assert told(read_once, "other") == {}


def test_an_interrupted_reading_goes_on(read_once: Bench) -> None:
    edit(read_once, Holder__c="By hand")
    read_once.fault("composite", "reset_after", times=1)
    sync_account(ACCOUNT, run_id="test", steps=BACK, flows=[*FLOWS, badges_flow([])])
    for _ in range(2):
        cycle(read_once)
    assert told(read_once)["badge:1"]["Holder__c"] == "By hand"


@pytest.mark.deep
def test_a_mass_update_is_caught_up_with_in_shares_and_the_newest_is_read_meanwhile(
    read_once: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_back, "CALLS_AT_MOST", 1)
    monkeypatch.setattr(changes, "QUERY_PAGE", 2)
    read_once.settings(read_back_minutes=0)
    emails = [f"a{number}@x.example" for number in range(7)]
    for email in emails:
        fields = {"LastName": "L", "Company": "C", "Email": email}
        read_once.admin("create", object="Lead", fields=fields)
    report = cycle(read_once)
    assert "Changes of Lead are read up to" in report.notes
    assert {body["Email"] for body in told(read_once).values()} == {*emails[:2], *emails[-2:]}
    for _ in range(3):
        report = cycle(read_once)
    assert {body["Email"] for body in told(read_once).values()} == set(emails)
    assert "are read up to" not in report.notes
