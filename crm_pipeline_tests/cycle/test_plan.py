"""A plan says what the next cycle does, record by record, and leaves no trace."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.account import AccountError
from crm_pipeline.accounts.credentials import refused, set_credentials
from crm_pipeline.accounts.store import FieldMapping, add_filter, set_field_mapping
from crm_pipeline.cycle.plan import planned
from crm_pipeline.cycle.planning import Planning
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.lock import account_lock
from crm_pipeline.ledger.plans import kept_plans
from crm_pipeline.salesforce.credentials import PasswordToken
from crm_pipeline.salesforce.values import Why
from crm_pipeline_tests.cycle.campaigns.scenes import event_id, switch_on
from crm_pipeline_tests.cycle.campaigns.test_grains import is_now
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.cycle.plans import (
    applied,
    foresee_and_see,
    happened,
    plan_of,
    rows_of,
)
from crm_pipeline_tests.cycle.test_calls import REGISTERED
from crm_pipeline_tests.cycle.test_two_clients_in_one_org import SECOND, two_clients
from crm_pipeline_tests.cycle.test_vanished import three_people, vanish
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


@pytest.mark.deep
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


def test_refusals_of_a_sort_are_one_reason_whatever_record_they_name(pipeline: Engine) -> None:
    refused = (
        "INSERT INTO planned (operation_id, version, wanted, kind, about, sobject, outcome, code,"
        " reason) SELECT n, 1, '', 'person', 'person:' || n, 'Lead', 'refused', 'STRANGE',"
        " 'Row ' || n FROM generate_series(1, 1000) AS n"
    )
    with pipeline.connect() as connection:
        connection.execute(statement("plans/make_table"))
        connection.execute(text(refused))
        [reason] = connection.execute(statement("plans/reasons"), {"most": 50}).all()
    assert reason == ("Lead", "refused", "STRANGE: Row 1 (and more of the sort)", 1000)


@pytest.mark.deep
def test_what_the_user_may_not_change_or_delete_is_foreseen(
    pipeline: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Campaigns, which are changed one by one, and activities that are to be gone."""
    rights = {"Campaign": {"updateable": False}, "Event": {"deletable": False}}
    org = {"name": ACCOUNT, **ORG, "objects": rights}
    with bench_of(org, pipeline, monkeypatch) as bench:
        switch_on(bench)
        three_people(bench)
        vanish(bench, "filtered")
        assert "Event refused" in foresee_and_see(bench)
        is_now(bench, "event", event_id(bench), hour=12, name="Renamed")
        bench.connection.commit()
        told = "a campaign does not follow its event: INSUFFICIENT_ACCESS_OR_READONLY"
        with planned(ACCOUNT, Planning(), run_id="plan") as plan:
            assert told in plan.report.notes
        assert told in bench.cycle().notes
        assert [each["Name"] for each in bench.records("Campaign")] == ["Expo"]


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


@pytest.mark.deep
def test_a_plan_of_one_person_lists_nothing_of_others(bench: Bench) -> None:
    """Refused before, filtered, and without a campaign: all of that is another's."""
    switch_on(bench)
    add_person(bench.connection, 1, country_code="Atlantis")
    register(bench.connection, 1, 1)
    bench.cycle()
    assert "exhausted" in bench.states().values() or "failed" in bench.states().values()
    add_filter(bench.connection, ACCOUNT, "spam")
    add_person(bench.connection, 2, "p2@spam.example")
    add_person(bench.connection, 3)
    for person in (2, 3):
        register(bench.connection, person, person, minute=60)
    bench.connection.commit()
    with planned(ACCOUNT, Planning(address="p3@example.com"), run_id="plan") as plan:
        told = {each.about for each in plan.records(None) if each.outcome != "held"}
        outcomes = {each.outcome for each in plan.numbers()}
        reasons = plan.reasons()
    assert {each.rpartition(":")[2] for each in told} == {"p3@example.com", "3"}
    assert outcomes == {"create", "held"}
    assert reasons == []


@pytest.mark.deep
def test_other_accounts_of_the_org_go_on_while_one_is_planned(bench: Bench) -> None:
    """They log in, and create the same people: none waits for the plan's end."""
    two_clients(bench)
    with (
        ThreadPoolExecutor(1) as pool,
        planned(ACCOUNT, Planning(), run_id="plan") as plan,
    ):
        assert {f"{e.sobject} {e.outcome}" for e in plan.numbers()} == {
            "Lead create",
            "Event create",
        }
        other = pool.submit(bench.cycle, account=SECOND)
        assert other.result(timeout=30).tally.overall("leads_created") == 1
    bench.connection.execute(text("UPDATE crm.org_person SET claimed_at = 'infinity'"))
    bench.connection.execute(text("UPDATE crm.org_person SET settled_at = NULL"))
    [lead] = bench.records("Lead")
    lead["Email"] = "elsewhere@example.com"
    bench.connection.commit()
    with planned(ACCOUNT, Planning(), run_id="plan") as plan:
        assert {each.outcome for each in plan.records()} == {"waiting"}, "the other creates them"


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
        plan.keep(bench.connection)
    assert len(compared) == 6_000
    assert {each.there["LastName"] for each in compared if each.there} == {"Old"}
    assert bench.cycle().counts.api_calls == 22, "to hold a cycle against its plan costs none"
    [kept] = kept_plans(bench.connection, ACCOUNT)
    assert (kept.as_planned, kept.explained, kept.unexplained) == (20_000, 0, 0)


def test_a_plan_of_one_person_is_about_nobody_else_where_the_org_does_not_answer(
    bench: Bench,
) -> None:
    for person in (1, 2):
        add_person(bench.connection, person)
        register(bench.connection, person, person)
    bench.connection.commit()
    bench.fault("login", "error", status=500)
    with planned(ACCOUNT, Planning(address="p1@example.com"), run_id="plan") as plan:
        assert plan.report.state == "Failed"
        assert {e.about for e in plan.records() if e.outcome != "held"} == {
            "person:p1@example.com",
            "registration:1",
        }
