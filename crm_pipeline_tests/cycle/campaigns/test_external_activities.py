"""External activities of Account Engagement: how far people came, each stage told once."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from crm_pipeline.accounts.credentials import set_credentials
from crm_pipeline.local_org.account_engagement import ACTIVITIES
from crm_pipeline.salesforce.credentials import ClientCredentials
from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.campaigns.scenes import switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.cycle.test_a_restored_backup import back_up, restore
from crm_pipeline_tests.flows.webinars.warehouse import add_person, attend, register

__all__ = ["run"]

UNIT = "0UvHs0000000abcKAA"
CHOSEN: dict[str, Any] = {
    "business_unit": UNIT,
    "extension": "Webinars",
    "types": {"registered": "Registered", "attended": "Attended", "no_show": "No_Show"},
    "most_per_day": 3,
}


@pytest.fixture
def bench(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    user = ORG["users"][0]["username"]
    app = {"client_secret": "s", "run_as": user}
    org = {
        "name": ACCOUNT,
        **ORG,
        "account_engagement": {
            "business_unit": UNIT,
            "extension": "Webinars",
            "types": ["Registered", "Attended"],
        },
        "connected_apps": [
            {"client_id": "plain", **app},
            {"client_id": "with", "scopes": ["api", "pardot_api"], **app},
        ],
    }
    with bench_of(org, pipeline, monkeypatch) as made:
        yield made


def log_in_as(bench: Bench, app: str) -> None:
    set_credentials(bench.connection, ACCOUNT, ClientCredentials(client_id=app, client_secret="s"))
    bench.connection.commit()


def told(bench: Bench) -> list[tuple[str, str, str]]:
    return [(each["type"], each["email"], each["value"]) for each in ACTIVITIES[bench.org]]


@pytest.mark.deep
def test_each_stage_is_told_once_and_no_more_a_day_than_chosen(bench: Bench) -> None:
    switch_on(bench)
    add_person(bench.connection, 9)
    register(bench.connection, 9, 9)
    bench.cycle()
    switch_on(bench, account_engagement=CHOSEN)
    # Without the scope nothing goes out, and all else goes on.
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    log_in_as(bench, "plain")
    report = bench.cycle()
    assert report.state == "Failed"
    assert "Account Engagement refuses the login" in report.reason
    assert len(bench.records("CampaignMember")) == 2
    assert told(bench) == []
    log_in_as(bench, "with")
    report = bench.cycle()
    assert (report.state, told(bench)) == ("Complete", [("Registered", "p1@example.com", "Expo")])
    assert report.tally["external_activities", "told"] == 1
    # Another stage; who was there before is told of for what they come to from now on, and a type
    # that the extension has not is refused.
    attend(bench.connection, 1, 1, minute=1)
    report = bench.cycle()
    assert told(bench)[1:] == [("Attended", "p1@example.com", "Expo")]
    assert report.tally["external_activities", "refused"] == 1
    register(bench.connection, 2, 1, session=2, minute=2)
    add_person(bench.connection, 2)
    register(bench.connection, 3, 2, session=2, minute=2)
    report = bench.cycle()
    assert report.tally["external_activities", "waiting"] == 1
    assert len(told(bench)) == 2
    assert bench.cycle().counts.api_calls == 0


def test_one_whose_answer_is_lost_is_not_told_again(bench: Bench) -> None:
    switch_on(bench, account_engagement=CHOSEN)
    log_in_as(bench, "with")
    bench.cycle()
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.fault("external_activities.create", "reset_after", times=1)
    report = bench.cycle()
    assert report.tally["external_activities", "unsure"] == 1
    assert len(told(bench)) == 1
    assert bench.cycle().tally["external_activities", "told"] == 0
    assert len(told(bench)) == 1


@pytest.mark.deep
def test_what_a_restored_ledger_may_have_told_is_not_told_again(bench: Bench, run: Run) -> None:
    """Each one counts: people had scored twice."""
    switch_on(bench, account_engagement=CHOSEN | {"most_per_day": 100})
    log_in_as(bench, "with")
    for number in (1, 2):
        add_person(bench.connection, number)
    register(bench.connection, 1, 1)
    bench.cycle()
    back_up(bench)
    attend(bench.connection, 1, 1, minute=60)
    register(bench.connection, 2, 2, minute=61)
    bench.cycle()
    before = told(bench)
    assert len(before) == 2
    restore(bench)
    assert bench.cycle().state == "Failed"
    said = run("account", "adopt", ACCOUNT, "--yes").stdout
    assert "2 stages of memberships may have been told" in said
    assert bench.cycle().state == "Complete"
    assert told(bench) == before
    register(bench.connection, 3, 2, session=2, minute=200)
    attend(bench.connection, 3, 2, minute=210)
    assert bench.cycle().state == "Complete"
    assert told(bench)[2:] == [("Attended", "p2@example.com", "Expo")]
