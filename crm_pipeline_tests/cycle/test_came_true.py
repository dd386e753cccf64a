"""The cycle after a plan is held against it, row by row, and what explains a difference is told."""

from time import monotonic
from typing import Any

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.store import touch_account
from crm_pipeline.cycle.apply import apply_plan
from crm_pipeline.cycle.plan import planned
from crm_pipeline.cycle.planning import Planning
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.plans import departures_of, kept_plans
from crm_pipeline_tests.cycle.campaigns.scenes import event_id, switch_on
from crm_pipeline_tests.cycle.campaigns.test_grains import is_now
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.cycle.plans import applied, plan_of
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register


def numbers(bench: Bench) -> tuple[int | None, int | None, int | None]:
    """Of the newest plan, the rows that came as it says, that are explained, and that are not."""
    newest = kept_plans(bench.connection, ACCOUNT)[0]
    return newest.as_planned, newest.explained, newest.unexplained


def explained(bench: Bench, plan_id: int) -> dict[str, tuple[str | None, str | None, str | None]]:
    found = departures_of(bench.connection, plan_id)
    return {each.about: (each.foreseen, each.became, each.explanation) for each in found}


def verdict(bench: Bench) -> dict[str, Any]:
    asked = {"account_ids": [ACCOUNT], "freshness_minutes": 60}
    checked = bench.connection.execute(statement("checks/plans_come_true"), asked)
    return dict(checked.mappings().one())


@pytest.fixture
def six_people(bench: Bench) -> Bench:
    """Five who are new, one of whom the org refuses, and one who is there; with campaigns."""
    switch_on(bench)
    bench.seed("Lead", LastName="Old", Company="Old", Email="p3@example.com")
    for person in range(1, 7):
        land = "Atlantis" if person == 4 else "GB"
        add_person(bench.connection, person, country_code=land)
        register(bench.connection, person, person)
    return bench


def test_a_cycle_that_does_what_was_planned(six_people: Bench) -> None:
    """But for a rule of the org, which no plan knows, and what waits for whom it stops."""
    six_people.connection.commit()
    with planned(ACCOUNT, Planning(), run_id="plan") as plan:
        plan_id = plan.keep(six_people.connection)
    assert six_people.cycle().counts.api_calls == plan.report.counts.api_calls
    assert explained(six_people, plan_id) == {
        "person:p4@example.com": ("create", "refused", "rules"),
        "registration:4": ("create", "waiting", "follows"),
        f"member:{campaign_of(six_people)}:p4@example.com": ("create", "waiting", "follows"),
    }
    assert numbers(six_people) == (16, 3, 0)
    assert verdict(six_people)["passed"]


def campaign_of(bench: Bench) -> str:
    found: str = bench.connection.execute(
        text("SELECT campaign_key FROM crm.event_campaign")
    ).scalar_one()
    return found


def test_what_the_source_and_people_change_in_between_explains_departures(
    six_people: Bench,
) -> None:
    plan_id = plan_of(six_people)
    six_people.connection.execute(
        text(
            "UPDATE warehouse.person SET surname = 'Other', shipped_at = shipped_at + interval"
            " '1 hour' WHERE person_id = 1"
        )
    )
    [known] = six_people.records("Lead")
    six_people.admin("edit", id=known["Id"], fields={"FirstName": "First 3"})
    six_people.seed("Lead", LastName="By hand", Company="Old", Email="p5@example.com")
    add_person(six_people.connection, 7)
    register(six_people.connection, 7, 7, minute=60)
    six_people.cycle()
    came = explained(six_people, plan_id)
    assert came["person:p1@example.com"] == ("create", "create", "source")
    assert came["person:p3@example.com"] == ("update", "update", "org")
    assert came["person:p5@example.com"] == ("create", "update", "org")
    assert came["person:p7@example.com"] == (None, "create", "source")
    assert verdict(six_people)["unexplained"] == 0, came


def test_what_nothing_explains_is_red_and_told(bench: Bench) -> None:
    for person in (1, 2):
        add_person(bench.connection, person)
        register(bench.connection, person, person)
    plan_of(bench)
    bench.connection.execute(
        text("UPDATE crm.plan_row SET content = '\\x00' WHERE about = 'person:p2@example.com'")
    )
    report = bench.cycle()
    assert report.state == "Complete"
    assert "Nothing explains 1 rows that came otherwise than plan" in report.notes
    assert numbers(bench) == (3, 0, 1)
    assert not verdict(bench)["passed"]
    plan_of(bench)
    bench.cycle()
    assert verdict(bench)["passed"], "the newest one counts"


def test_of_an_account_s_changes_only_choices_explain_a_departure(bench: Bench) -> None:
    """Not that somebody approved something, nor what holds its cycles."""
    add_person(bench.connection, 1)
    changes: list[tuple[dict[str, Any], str | None]] = [
        ({"limits": {"new_people": 2_000}}, None),
        ({"lead_source": "Other"}, "settings"),
    ]
    for number, (changed, explanation) in enumerate(changes):
        register(bench.connection, 1 + number, 1)
        plan_id = plan_of(bench)
        bench.connection.execute(text("UPDATE crm.plan_row SET content = '\\x00'"))
        touch_account(bench.connection, ACCOUNT)
        bench.settings(**changed)
        assert bench.cycle().state == "Complete"
        found = explained(bench, plan_id)
        assert {each[2] for each in found.values()} == {explanation}, found


def test_only_the_next_whole_cycle_is_held_against_a_plan(bench: Bench) -> None:
    for person in (1, 2):
        add_person(bench.connection, person)
        register(bench.connection, person, person)
    plan_of(bench)
    bench.cycle(frozenset(("registrations", "lead_payloads")))
    bench.cycle()
    assert numbers(bench) == (None, None, None)
    plan_id = plan_of(bench, Planning(address="p1@example.com"))
    bench.cycle()
    assert numbers(bench) == (None, None, None)
    assert applied(bench, plan_id).departures == [], "nothing is left of it to be done otherwise"
    assert numbers(bench)[2] == 0


def test_a_campaign_that_the_org_does_not_let_us_change_departs_by_its_rules(
    pipeline: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = {"object": "Campaign", "when": "Name = 'Renamed'", "error": "Ask marketing first"}
    org = {"name": ACCOUNT, **ORG, "validation_rules": [rule]}
    with bench_of(org, pipeline, monkeypatch) as bench:
        switch_on(bench)
        add_person(bench.connection, 1)
        register(bench.connection, 1, 1)
        bench.cycle()
        is_now(bench, "event", event_id(bench), hour=12, name="Renamed")
        plan_id = plan_of(bench)
        assert bench.cycle().state == "Complete"
        [(foreseen, became, explanation)] = explained(bench, plan_id).values()
        assert (foreseen, became, explanation) == ("update", "unchanged", "rules")
        assert verdict(bench)["passed"]


@pytest.mark.parametrize("by_plan", [False, True])
def test_a_plan_goes_on_after_a_cycle_that_did_not_come_to_its_end(
    bench: Bench, by_plan: bool
) -> None:
    """What any of them sent counts, be it that of a process that died."""
    for person in range(1, 4):
        add_person(bench.connection, person)
        register(bench.connection, person, person)
    plan_id = plan_of(bench)
    bench.settings(api_calls_per_cycle=2)
    if by_plan:
        assert apply_plan(ACCOUNT, plan_id, run_id="apply", by="otto").report.state == "Paused"
    else:
        assert bench.cycle().state == "Paused"
        bench.connection.execute(text("UPDATE crm.cycle SET state = 'Processing'"))
    assert (len(bench.records("Lead")), len(bench.records("Event"))) == (3, 0)
    bench.settings(api_calls_per_cycle=None)
    bench.connection.execute(text("DELETE FROM crm.account_change"))
    if by_plan:
        applied(bench, plan_id)
    else:
        assert bench.cycle().state == "Complete"
    assert numbers(bench) == (6, 0, 0), explained(bench, plan_id)


@pytest.mark.deep
def test_a_large_plan_of_which_all_came_otherwise_is_compared_in_seconds(bench: Bench) -> None:
    """The source says all of it otherwise, and somebody changed the campaign of its members."""
    rows, connection, cycle_id = 20_000, bench.connection, bench.cycle().cycle_id
    plan_id = plan_of(bench)
    whose = {"account_id": ACCOUNT, "plan_id": plan_id, "cycle_id": cycle_id, "rows": rows}
    whose["begun_by"] = cycle_id
    operations = (
        "INSERT INTO crm.operation (account_id, flow, kind, natural_key, version, as_of,"
        " content_hash, intent, state, action, salesforce_id, sent_by, read_by)"
        " SELECT :account_id, 'webinars', kind, natural_key, 2, now(), '', intent, 'done',"
        " 'create', 'x', :cycle_id, :cycle_id FROM {} AS o (kind, natural_key, intent)"
    )
    activities = "(SELECT 'activity', 'registration:' || n, '{\"Subject\": \"new\"}'::jsonb"
    members = "(SELECT 'member', 'member:7:' || n, '{\"event_id\": 7}'::jsonb"
    for each in (
        (
            "INSERT INTO crm.plan_row (plan_id, about, sobject, outcome, unknown, version, wanted)"
            " SELECT :plan_id, 'registration:' || n, 'Event', 'create', '{}', 1, ''"
            " FROM generate_series(1, :rows) AS n"
        ),
        operations.format(f"{activities} FROM generate_series(1, :rows) AS n)"),
    ):
        connection.execute(text(each), whose)
    begun = monotonic()
    connection.execute(statement("plans/make_table"))
    connection.execute(statement("plans/fill_table"), whose)
    rules = {"touched": [], "foreseeable": [], "by_duplicate_rule": "", "told_by_describes": []}
    connection.execute(statement("plans/note_departures"), {**whose, **rules, "binds": False})
    assert len(departures_of(connection, plan_id)) == 2 * rows
    for each in (
        operations.format(f"{members} FROM generate_series(1, :rows) AS n)"),
        operations.format("(VALUES ('campaign', 'campaign:7', '{}'::jsonb))"),
        (
            "INSERT INTO crm.plan_departure (plan_id, operation_id, about, sobject, foreseen,"
            " reason, salesforce_ids, explanation)"
            " SELECT :plan_id, operation_id, natural_key, kind, 'create', '', '{}',"
            " CASE WHEN kind = 'campaign' THEN 'org' END"
            " FROM crm.operation WHERE kind IN ('campaign', 'member')"
        ),
    ):
        connection.execute(text(each), whose)
    connection.execute(statement("plans/explain_by_others"), whose)
    took = monotonic() - begun
    explanations = [each.explanation for each in departures_of(connection, plan_id)]
    connection.rollback()
    assert (explanations.count("source"), explanations.count("follows")) == (2 * rows, rows)
    assert took < 20, "2 seconds on an idle machine"
