"""A plan says what the next cycle does, record by record, and leaves no trace."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from crm_pipeline.accounts.account import AccountError
from crm_pipeline.accounts.credentials import refused, set_credentials
from crm_pipeline.accounts.store import FieldMapping, add_filter, set_field_mapping
from crm_pipeline.cycle.plan import PlannedRecord, planned
from crm_pipeline.cycle.planning import Planning
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.lock import account_lock
from crm_pipeline.report import CycleReport
from crm_pipeline.salesforce.credentials import PasswordToken
from crm_pipeline.salesforce.stand_in import is_placeholder
from crm_pipeline.salesforce.values import Why
from crm_pipeline_tests.cycle.campaigns.scenes import switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.flows.webinars.warehouse import add_person, attend, register

Row = tuple[str, str, str, str | None, Any]


def rows_of(records: Iterator[PlannedRecord]) -> set[Row]:
    """What each operation comes to, without what only its creation will tell."""
    rows = set()
    for each in records:
        record_id = None if each.outcome == "create" else each.salesforce_id
        # Of others the ledger keeps what was wanted, where that says what was sent.
        is_told = each.outcome == "update" and each.kind in ("person", "activity")
        fields = sorted((each.fields or {}).items()) if is_told else ()
        assert each.outcome == "create" or not is_placeholder(each.salesforce_id)
        rows.add((each.about, each.sobject, each.outcome, record_id, str(fields)))
    return rows


def happened(connection: Connection, cycle_id: int | None) -> set[Row]:
    """What a cycle made of each operation, as a plan would have said it."""
    connection.execute(statement("plans/make_table"))
    connection.execute(statement("plans/fill_table"), {"account_id": ACCOUNT, "cycle_id": cycle_id})
    found = connection.execute(statement("plans/rows"), {"most": None}).all()
    connection.rollback()
    return rows_of(PlannedRecord(*each) for each in found)


def all_that_is_kept(connection: Connection) -> dict[str, Any]:
    """Every row of the pipeline's and the warehouse's tables, by table."""
    tables = connection.scalars(
        text(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
            " WHERE schemaname NOT LIKE 'pg\\_%' AND schemaname <> 'information_schema'"
        )
    ).all()
    digest = "SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {} AS t"
    kept = {table: connection.scalar(text(digest.format(table))) for table in tables}
    connection.rollback()
    return kept


def all_records(bench: Bench) -> dict[str, Any]:
    return {name: deepcopy(table.rows) for name, table in bench.org.tables.items()}


def without_looks(report: CycleReport) -> dict[str, int]:
    return {kind: n for kind, n in report.api_calls_by_kind.items() if kind != "bulk.state"}


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
    kept, records = all_that_is_kept(scene.connection), all_records(scene)
    with planned(ACCOUNT, Planning(in_full=True), run_id="plan") as plan:
        assert plan.report.state == "Complete", plan.report.reason
        foreseen = rows_of(plan.records(None))
        numbers = {(each.sobject, each.outcome): each.records for each in plan.numbers()}
        report = plan.report
    assert all_that_is_kept(scene.connection) == kept
    assert all_records(scene) == records
    really = scene.cycle()
    assert really.state == "Complete"
    assert foreseen == happened(scene.connection, really.cycle_id)
    assert numbers["Lead", "update"] == 3
    assert report.tally == really.tally
    # How often a job is looked at depends on how long the org works on it.
    assert without_looks(report) == without_looks(really)


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
    wrong = PasswordToken(username="api@acme.test", password="wrong", security_token="TOKEN")
    set_credentials(bench.connection, ACCOUNT, wrong)
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.connection.commit()
    for _ in range(2):
        with planned(ACCOUNT, Planning(), run_id="plan") as plan:
            assert plan.report.state == "Failed"
    assert refused(bench.connection, ACCOUNT), "a second wrong try might lock the user out"
