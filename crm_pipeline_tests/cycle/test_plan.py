"""A plan says what the next cycle does, record by record, and leaves no trace."""

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.account import AccountError
from crm_pipeline.accounts.credentials import refused, set_credentials
from crm_pipeline.accounts.store import FieldMapping, add_filter, set_field_mapping
from crm_pipeline.cycle.plan import planned
from crm_pipeline.cycle.planning import Planning
from crm_pipeline.ledger.lock import account_lock
from crm_pipeline.salesforce.credentials import PasswordToken
from crm_pipeline.salesforce.values import Why
from crm_pipeline_tests.cycle.campaigns.scenes import switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.cycle.plans import (
    applied,
    foresee_and_see,
    happened,
    plan_of,
    rows_of,
)
from crm_pipeline_tests.cycle.test_calls import REGISTERED
from crm_pipeline_tests.flows.webinars.warehouse import (
    CLIENT,
    LONG_AGO,
    add_person,
    attend,
    register,
)


@pytest.fixture(params=["composite", "bulk"])
def scene(request: pytest.FixtureRequest, bench: Bench) -> Bench:
    """People of every sort: known, in the org, twice there, new, filtered; with campaigns."""
    switch_on(bench)
    bench.settings(route=request.param)
    for person in (1, 2):
        add_person(bench.connection, person)
        register(bench.connection, person, person)
    assert bench.cycle().state == "Complete"
    bench.connection.execute(
        text(
            "UPDATE warehouse.person SET surname = 'Other', shipped_at = shipped_at + interval"
            " '1 hour' WHERE person_id = 1"
        )
    )
    bench.seed("Lead", LastName="Old", Company="Old", Email="p3@example.com")
    for _ in range(2):
        bench.seed("Lead", LastName="Twice", Company="Old", Email="p4@example.com")
    bench.seed("Contact", LastName="Last 5", Email="p5@example.com")
    add_filter(bench.connection, ACCOUNT, "spam")
    for person in (3, 4, 5, 6):
        add_person(bench.connection, person)
        register(bench.connection, person, person, minute=60)
    add_person(bench.connection, 7, "p7@spam.example")
    register(bench.connection, 7, 7, minute=60)
    register(bench.connection, 8, 1, 2, minute=60)
    attend(bench.connection, 1, 2, minute=60)
    attend(bench.connection, 2, 6, minute=61)
    bench.connection.commit()
    return bench


def test_a_plan_says_row_by_row_what_the_cycle_does_then_and_leaves_no_trace(
    scene: Bench,
) -> None:
    assert foresee_and_see(scene) == {
        "Lead create",
        "Lead update",
        "Contact update",
        "Event create",
        "Event rejected",
        "CampaignMember create",
        "CampaignMember update",
    }


def test_what_a_describe_tells_of_refusals_is_foreseen(
    pipeline: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A required field that nothing fills, a field that is hidden, a text that is too long."""
    org = {
        "name": ACCOUNT,
        **ORG,
        "objects": {
            "Activity": {"fields": {"Room__c": {"type": "string", "length": 9, "required": True}}},
            "Lead": {"fields": {"Firm__c": {"type": "string", "length": 4}}},
        },
    }
    with bench_of(org, pipeline, monkeypatch) as bench:
        bench.admin("settings", hidden_fields=["Lead.City"])
        for field, source in (("City", "city"), ("Firm__c", "company_name")):
            chosen = FieldMapping("Lead", field, source=source)
            set_field_mapping(bench.connection, ACCOUNT, chosen)
        add_person(bench.connection, 1, city="Bath")
        register(bench.connection, 1, 1)
        bench.connection.commit()
        with planned(ACCOUNT, Planning(), run_id="plan") as plan:
            foreseen = rows_of(plan.records())
            [refused] = [each for each in plan.reasons() if each.outcome == "refused"]
            changed = {(each.field, each.why): each.becomes for each in plan.field_changes()}
        really = bench.cycle()
        assert foreseen == happened(bench.connection, really.cycle_id)
        assert (refused.sobject, refused.records) == ("Event", 1)
        assert "REQUIRED_FIELD_MISSING: Required fields are missing: [Room__c]" in refused.reason
        assert changed == {("City", Why.ABSENT): None, ("Firm__c", Why.TOO_LONG): "Comp"}
        add_person(bench.connection, 2)
        register(bench.connection, 2, 2, minute=60)
        assert applied(bench, plan_of(bench)).departures == [], "it is not sent to be refused"


def test_a_plan_of_some_people_is_about_them_alone(scene: Bench) -> None:
    with planned(ACCOUNT, Planning(address=" P6@example.com"), run_id="plan") as plan:
        assert plan.report.state == "Complete", plan.report.reason
        about = {each.about for each in plan.records() if each.outcome == "create"}
    [member] = [each for each in about if each.startswith("member:")]
    assert member.endswith(":p6@example.com")
    assert about == {"person:p6@example.com", "registration:6", "attendance:2", member}
    with planned(ACCOUNT, Planning(most_people=2), run_id="plan") as plan:
        people = {
            each.about
            for each in plan.records()
            if each.kind == "person" and each.outcome in ("create", "update", "unchanged")
        }
    assert len(people) == 2


def test_what_stands_in_the_org_is_shown_beside_what_would(bench: Bench) -> None:
    """Known people cost one call more, whoever edited their record since."""
    known = bench.seed("Lead", LastName="Old", Company="Old", Email="p1@example.com")
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.connection.commit()
    with planned(ACCOUNT, Planning(), run_id="plan") as plan:
        [update] = [each for each in plan.records() if each.outcome == "update"]
        asked = plan.report.api_calls_asked
        api_calls = plan.report.counts.api_calls
    assert update.salesforce_id == known
    assert update.there is not None
    assert update.fields is not None
    assert (update.there["LastName"], update.fields["LastName"]) == ("Old", "Last 1")
    assert (asked, api_calls) == (2, bench.cycle().counts.api_calls)


def test_a_plan_beside_a_cycle_and_refused_credentials(bench: Bench) -> None:
    with (
        account_lock(bench.connection.engine, ACCOUNT),
        pytest.raises(AccountError, match="a cycle of it is running"),
        planned(ACCOUNT, Planning(), run_id="plan"),
    ):
        pass
    bench.cycle()
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1, minute=60)
    bench.connection.commit()
    # As another account's cycle may hold what both write.
    bench.connection.execute(text("SELECT FROM crm.source_position FOR UPDATE"))
    with (
        pytest.raises(AccountError, match="at work on the same people"),
        planned(ACCOUNT, Planning(), run_id="plan"),
    ):
        pass
    bench.connection.rollback()
    wrong = PasswordToken(username="api@acme.test", password="wrong", security_token="TOKEN")
    set_credentials(bench.connection, ACCOUNT, wrong)
    bench.connection.commit()
    full = OSError("No space left")
    # Whatever becomes of the plan then: a second wrong try might lock the user out.
    with pytest.raises(OSError, match="No space"), planned(ACCOUNT, Planning(), run_id="plan"):
        raise full
    assert refused(bench.connection, ACCOUNT)
    with planned(ACCOUNT, Planning(), run_id="plan") as plan:
        assert plan.report.state == "Failed"


@pytest.mark.deep
def test_a_plan_of_ten_thousand_costs_the_look_ups_and_one_call(bench: Bench) -> None:
    """Six in ten are known in the org: two to find them, one to compare them, 20 are foreseen."""
    known = [{"LastName": "Old", "Email": f"p{n}@example.com"} for n in range(1, 6_001)]
    leads = [{**each, "Company": "Old"} for each in known[:4_000]]
    bench.admin("seed", Lead=leads, Contact=known[4_000:])
    bench.connection.execute(text(REGISTERED), {"client": CLIENT, "at": LONG_AGO})
    bench.connection.commit()
    with planned(ACCOUNT, Planning(in_full=True), run_id="plan") as plan:
        assert (plan.report.counts.api_calls, plan.report.api_calls_asked) == (22, 3)
        compared = [each for each in plan.records(None) if each.there]
    assert len(compared) == 6_000
    assert {each.there["LastName"] for each in compared if each.there} == {"Old"}
