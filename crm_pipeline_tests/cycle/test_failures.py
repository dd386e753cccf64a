"""Failures of an org, and what a cycle makes of them."""

import traceback
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.credentials import set_credentials
from crm_pipeline.accounts.store import FieldMapping, remove_field_mapping, set_field_mapping
from crm_pipeline.cycle.attempts import PipelineDatabaseError
from crm_pipeline.local_org.rules import RULES
from crm_pipeline.salesforce.credentials import PasswordToken
from crm_pipeline.settings import settings
from crm_pipeline_tests.cycle.conftest import ORG, Bench, bench_of
from crm_pipeline_tests.depth import deep_but_first
from crm_pipeline_tests.flows.webinars.warehouse import add_person, attend, chat, register
from crm_pipeline_tests.salesforce.orgs import Canned, CannedOrg, in_turn


def one_registration(bench: Bench) -> None:
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)


def test_a_wrong_password_stops_the_account_and_is_not_tried_again(bench: Bench) -> None:
    one_registration(bench)
    set_credentials(
        bench.connection, "acme", PasswordToken(username="api@acme.test", password="wrong")
    )
    report = bench.cycle()
    assert report.state == "Failed"
    assert "INVALID_LOGIN" in report.reason
    assert "HTTP" not in report.reason
    assert bench.states() == {"person:p1@example.com": "pending", "registration:1": "pending"}
    logins = bench.org.meter.calls["login"]
    assert "not tried again" in bench.cycle().reason
    assert bench.org.meter.calls["login"] == logins


def test_a_retired_api_version_is_no_refusal_and_raising_it_helps(bench: Bench) -> None:
    one_registration(bench)
    code = "UNSUPPORTED_API_VERSION"
    bench.fault("login", "error", code=code, status=500, times=1)
    report = bench.cycle()
    assert report.state == "Failed"
    assert "api_version=64.0" in report.reason
    bench.settings(api_version="64.0")
    assert bench.cycle().state == "Complete"


@pytest.mark.parametrize("route", ["composite", "bulk"])
@pytest.mark.parametrize("known", [False, True])
def test_a_version_that_the_org_does_not_speak_is_told_with_those_that_it_does(
    bench: Bench, route: str, known: bool
) -> None:
    """It was "NOT_FOUND (HTTP 404)", and that it would be tried again."""
    one_registration(bench)
    if known:
        bench.cycle()
        attend(bench.connection, 1, 1, minute=60)
    bench.settings(api_version="99.0", route=route)
    report = bench.cycle()
    assert report.state == "Failed"
    assert "does not speak version 99.0 of the API, but 46.0 to 68.0" in report.reason
    assert "`crm-pipeline account set acme api_version=68.0`" in report.reason
    assert report.remedy.startswith("set one of these: `crm-pipeline account set acme")
    bench.settings(api_version="68.0", route=route)
    assert bench.cycle().state == "Complete"
    assert set(bench.states().values()) == {"done"}


def move(bench: Bench, url: str) -> None:
    """The account's login URL is another one from now on."""
    bench.connection.execute(text("UPDATE crm.account SET login_url = :url"), {"url": url})


@pytest.mark.parametrize("status", [301, 302])
def test_an_org_that_has_moved_says_where_to_and_going_there_helps(
    bench: Bench, status: int
) -> None:
    one_registration(bench)
    home = bench.server.url_of("acme")
    moved = Canned(status, b"", headers={"Location": f"{home}/services/Soap/u/62.0"})
    with CannedOrg(in_turn(moved)) as former:
        bench.connection.execute(
            text("UPDATE crm.account SET login_url = :url"), {"url": former.url}
        )
        report = bench.cycle()
    assert report.state == "Failed"
    assert f"The org has moved to {home}" in report.reason
    assert f"--login-url {home}" in report.reason
    move(bench, home)
    assert bench.cycle().state == "Complete"
    assert len(bench.records("Event")) == 1


def test_a_mapping_of_a_column_that_no_extract_has_stops_the_account_before_anything_is_lost(
    bench: Bench,
) -> None:
    one_registration(bench)
    mapping = FieldMapping("Lead", "Region__c", source="conty")
    set_field_mapping(bench.connection, "acme", mapping)
    report = bench.cycle()
    assert report.state == "Failed"
    assert "fills Lead.Region__c from 'conty'" in report.reason
    assert bench.states() == {}
    remove_field_mapping(bench.connection, "acme", "Lead", "Region__c")
    assert bench.cycle().state == "Complete"
    assert len(bench.records("Event")) == 1


def test_a_value_that_the_extract_cannot_read_is_shown_nowhere(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """The address stood in the state, the log, Dagster's failure and the alert."""
    one_registration(bench)
    bench.connection.execute(text("ALTER TABLE warehouse.person RENAME TO everybody"))
    bench.connection.execute(
        text(
            "CREATE VIEW warehouse.person AS SELECT *, email::int AS as_number"
            " FROM warehouse.everybody WHERE email::int > 0"
        )
    )
    report = bench.cycle()
    assert report.state == "Failed"
    assert "sql/extract/registrations.sql" in report.reason
    assert "22P02" in report.reason
    kept = bench.connection.scalar(text("SELECT reason FROM crm.sync_state"))
    assert "example.com" not in f"{report} {kept} {caplog.text}"


def test_a_failure_of_the_pipeline_s_own_database_quotes_no_value(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    one_registration(bench)
    bench.connection.execute(
        text("CREATE INDEX ON crm.sync_state ((CASE state WHEN 'Complete' THEN run_id::int END))")
    )
    with pytest.raises(PipelineDatabaseError, match="22P02") as failed:
        bench.cycle()
    shown = "".join(traceback.format_exception(failed.value))
    assert "invalid input syntax" not in shown + caplog.text


def test_an_org_that_is_down_costs_the_records_no_attempt(bench: Bench) -> None:
    one_registration(bench)
    bench.admin("settings", maintenance="down")
    assert bench.cycle().state == "Failed"
    attempts = bench.connection.scalars(text("SELECT attempts_left FROM crm.operation"))
    assert set(attempts) == {5}
    bench.admin("settings", maintenance="none")
    assert bench.cycle().state == "Complete"
    assert len(bench.records("Event")) == 1


@pytest.mark.parametrize(
    "action",
    deep_but_first(2, ["reset_after", "reset_before", "html_503_after", "truncate"]),
)
@pytest.mark.parametrize("kind", ["collections.create", "composite"])
@pytest.mark.parametrize("nth", deep_but_first(1, [2, 1, 3]))
def test_a_lost_answer_makes_nothing_twice(bench: Bench, kind: str, action: str, nth: int) -> None:
    one_registration(bench)
    attend(bench.connection, 1, 1, minute=30)
    bench.fault(kind, action, nth=nth)
    for _ in range(4):
        bench.cycle()
    assert len(bench.records("Lead")) == 1
    assert sorted(event["Subject"] for event in bench.records("Event")) == [
        "Webinar Attendance",
        "Webinar Registration",
    ]
    assert set(bench.states().values()) == {"done"}


def test_locked_rows_are_sent_again_one_request_at_a_time(bench: Bench) -> None:
    for number in range(1, 4):
        add_person(bench.connection, number)
        register(bench.connection, number, number)
    bench.fault("collections.create", "lock", nth=1, rows=[2])
    report = bench.cycle()
    assert report.state == "Complete"
    assert len(bench.records("Lead")) == 3
    assert report.tally.overall("failed") == 0


def test_a_record_that_a_rule_refuses_waits_for_people_and_its_activity_for_it(
    bench: Bench,
) -> None:
    one_registration(bench)
    add_person(bench.connection, 2, country_code="Atlantis")
    register(bench.connection, 2, 2)
    report = bench.cycle()
    assert bench.states() == {
        "person:p1@example.com": "done",
        "person:p2@example.com": "exhausted",
        "registration:1": "done",
        "registration:2": "pending",
    }
    assert (report.counts.exhausted, report.counts.waiting) == (1, 1)


def test_five_tries_in_all_then_it_is_kept_for_support(bench: Bench) -> None:
    one_registration(bench)
    bench.fault("collections.create", "lock", times=100)
    states = []
    for _ in range(6):
        bench.cycle()
        states.append(bench.states()["person:p1@example.com"])
    assert states == ["failed"] * 4 + ["exhausted"] * 2
    row = bench.connection.execute(
        text(
            "SELECT attempts_left, error_code, error_message FROM crm.operation"
            " WHERE kind = 'person'"
        )
    ).one()
    assert (row.attempts_left, row.error_code) == (0, "UNABLE_TO_LOCK_ROW")
    assert bench.states()["registration:1"] == "pending", "it waits for its person"


def test_a_lead_converted_since_receives_its_activity_at_the_contact(bench: Bench) -> None:
    one_registration(bench)
    bench.cycle()
    [lead] = bench.records("Lead")
    contact_id = bench.admin("convert", lead_id=lead["Id"])["contact_id"]
    attend(bench.connection, 1, 1, minute=60)
    assert bench.cycle().state == "Complete"
    attended = [e for e in bench.records("Event") if e["Subject"] == "Webinar Attendance"]
    assert [event["WhoId"] for event in attended] == [contact_id]
    assert len(bench.records("Contact")) == 1
    assert len(bench.records("Lead")) == 1


def test_a_lead_merged_since_receives_its_activity_at_the_master(bench: Bench) -> None:
    one_registration(bench)
    bench.cycle()
    [lead] = bench.records("Lead")
    master = bench.seed("Lead", LastName="Master", Company="M", Email="other@example.com")
    bench.admin("merge", object="Lead", master_id=master, ids=[lead["Id"]])
    attend(bench.connection, 1, 1, minute=60)
    assert bench.cycle().state == "Complete"
    assert {event["WhoId"] for event in bench.records("Event")} == {master}
    assert len(bench.records("Lead")) == 1


def test_a_lead_deleted_since_is_created_anew_for_what_comes(bench: Bench) -> None:
    one_registration(bench)
    bench.cycle()
    [lead] = bench.records("Lead")
    lead["IsDeleted"] = True
    attend(bench.connection, 1, 1, minute=60)
    assert bench.cycle().state == "Complete"
    [new] = bench.records("Lead")
    assert new["Id"] != lead["Id"]
    attended = [e for e in bench.records("Event") if e["Subject"] == "Webinar Attendance"]
    assert [event["WhoId"] for event in attended] == [new["Id"]]


def test_the_day_s_requests_spent_pause_the_account(bench: Bench) -> None:
    one_registration(bench)
    bench.admin("settings", daily_api_requests=1, daily_api_requests_used=1)
    report = bench.cycle()
    assert report.state == "Paused"
    assert set(bench.states().values()) == {"pending"}


def test_one_cause_that_hits_all_rows_is_one_incident_and_ends_with_it(bench: Bench) -> None:
    for number in range(1, 61):
        add_person(bench.connection, number, country_code="Atlantis")
        register(bench.connection, number, number)
    report = bench.cycle()
    assert report.counts.incidents == 1
    assert "FIELD_CUSTOM_VALIDATION_EXCEPTION holds up 60 records" in report.notes
    assert (report.state, report.reason) == ("Complete", "")
    people = [state for key, state in bench.states().items() if key.startswith("person")]
    assert people == ["failed"] * 60
    calls = bench.cycle().counts.api_calls
    assert calls <= 2, "fifty are tried, not thousands"
    RULES[bench.org]["Lead"].clear()
    report = bench.cycle()
    assert report.counts.incidents == 0
    assert set(bench.states().values()) == {"done"}


def test_a_lost_activity_is_found_at_the_contact_that_its_lead_became(bench: Bench) -> None:
    one_registration(bench)
    bench.cycle()
    attend(bench.connection, 1, 1, minute=60)
    bench.fault("composite", "reset_after", nth=1)
    bench.cycle()
    assert bench.states()["attendance:1"] == "in_flight"
    [lead] = bench.records("Lead")
    bench.admin("convert", lead_id=lead["Id"])
    bench.cycle()
    assert bench.states()["attendance:1"] == "done"
    assert len(bench.records("Event")) == 2


def test_what_comes_of_a_person_whom_an_operator_gave_up_is_left_out_until_they_are_there(
    bench: Bench,
) -> None:
    add_person(bench.connection, 1, country_code="Atlantis")
    register(bench.connection, 1, 1)
    bench.cycle()
    bench.connection.execute(text("UPDATE crm.operation SET state = 'dropped'"))
    attend(bench.connection, 1, 1, minute=60)
    report = bench.cycle()
    assert bench.states()["attendance:1"] == "left_out"
    assert report.counts.waiting == 0
    bench.connection.execute(
        text("UPDATE warehouse.person SET country_code = 'DE', shipped_at = now()")
    )
    assert bench.cycle().state == "Complete"
    assert bench.states()["attendance:1"] == "done"
    assert len(bench.records("Lead")) == 1


def test_an_activity_that_a_salesperson_deleted_stays_deleted(bench: Bench) -> None:
    add_person(bench.connection, 1)
    attend(bench.connection, 1, 1)
    bench.cycle()
    [event] = bench.records("Event")
    event["IsDeleted"] = True
    chat(bench.connection, 1, 1, minute=90)
    report = bench.cycle()
    assert (report.state, bench.records("Event")) == ("Complete", [])
    assert bench.states()["attendance:1"] == "done"
    assert report.tally.overall("leads_created") == report.tally.overall("leads_updated") == 0


def test_a_lost_activity_that_was_deleted_since_does_not_come_again(bench: Bench) -> None:
    one_registration(bench)
    bench.cycle()
    attend(bench.connection, 1, 1, minute=60)
    bench.fault("composite", "reset_after", nth=1)
    bench.cycle()
    [attended] = [e for e in bench.records("Event") if e["Subject"] == "Webinar Attendance"]
    attended["IsDeleted"] = True
    bench.cycle()
    assert bench.states()["attendance:1"] == "done"
    assert [event["Subject"] for event in bench.records("Event")] == ["Webinar Registration"]


def test_a_lost_activity_that_went_with_its_lead_does_not_come_again_under_the_next_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_registration(bench)
    bench.cycle()
    patience(monkeypatch, "600")
    attend(bench.connection, 1, 1, minute=60)
    bench.fault("composite", "reset_after", nth=1)
    bench.cycle()
    assert len(bench.records("Event")) == 2
    for record in (*bench.records("Lead"), *bench.records("Event")):
        record["IsDeleted"] = True
    register(bench.connection, 2, 1, minute=120)
    bench.cycle()
    assert bench.states()["attendance:1"] == "in_flight"
    patience(monkeypatch, "0")
    bench.cycle()
    assert bench.states()["attendance:1"] == "done"
    assert [event["Subject"] for event in bench.records("Event")] == ["Webinar Registration"]


def test_a_refused_login_is_noticed_even_where_nothing_could_go(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_registration(bench)
    bench.fault("composite", "reset_after", nth=2)
    bench.cycle()
    assert bench.states()["person:p1@example.com"] == "in_flight"
    patience(monkeypatch, "600")
    bench.connection.execute(
        text("UPDATE warehouse.person SET job_title = 'Head', shipped_at = now()")
    )
    set_credentials(
        bench.connection, "acme", PasswordToken(username="api@acme.test", password="wrong")
    )
    assert bench.cycle().state == "Failed"
    logins = bench.org.meter.calls["login"]
    report = bench.cycle()
    assert "not tried again" in report.reason
    assert bench.org.meter.calls["login"] == logins


def test_a_cycle_that_retries_before_it_sends_logs_in_once(bench: Bench) -> None:
    bench.fault("collections.create", "lock", times=100)
    one_registration(bench)
    bench.cycle()
    bench.org.weather.faults.clear()
    add_person(bench.connection, 2)
    register(bench.connection, 2, 2, minute=1)
    logins, ended = bench.org.meter.calls["login"], bench.org.meter.calls["revoke"]
    report = bench.cycle()
    assert (report.state, report.tally.overall("retried")) == ("Complete", 1)
    assert len(bench.records("Lead")) == 2
    assert bench.org.meter.calls["login"] == logins + 1
    assert bench.org.meter.calls["revoke"] == ended + 1


def patience(monkeypatch: pytest.MonkeyPatch, seconds: str) -> None:
    """Sets how long an answer that was lost is waited for from now on."""
    monkeypatch.setenv("LOST_ANSWER_GRACE_SECONDS", seconds)
    settings.cache_clear()


@pytest.fixture
def one_phone_one_lead(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """An org that blocks a second Lead with the phone of another."""
    rule = {"object": "Lead", "match": ["Phone"], "action": "block", "on_update": True}
    org = {"name": "acme", **ORG, "duplicate_rules": [rule]}
    with bench_of(org, pipeline, monkeypatch) as made:
        yield made


def test_whom_a_duplicate_rule_stops_is_the_record_that_it_names(one_phone_one_lead: Bench) -> None:
    bench = one_phone_one_lead
    there = bench.seed("Lead", LastName="Lovelace", Company="Engines", Phone="0123")
    add_person(bench.connection, 1, phone_1="0123")
    register(bench.connection, 1, 1)

    report = bench.cycle()

    assert report.state == "Complete"
    assert [lead["Id"] for lead in bench.records("Lead")] == [there]
    assert [event["WhoId"] for event in bench.records("Event")] == [there]
    bench.cycle()
    assert len(bench.records("Event")) == 1


def test_an_update_that_a_duplicate_rule_stops_makes_no_second_record(
    one_phone_one_lead: Bench,
) -> None:
    bench = one_phone_one_lead
    bench.seed("Lead", LastName="Lovelace", Company="Engines", Phone="0123")
    known = bench.seed("Lead", LastName="One", Company="x", Email="p1@example.com")
    add_person(bench.connection, 1, phone_1="0123")
    register(bench.connection, 1, 1)

    report = bench.cycle()

    assert len(bench.records("Lead")) == 2
    assert bench.states() == {"person:p1@example.com": "exhausted", "registration:1": "done"}
    assert [event["WhoId"] for event in bench.records("Event")] == [known]
    assert report.tally.overall("failed") == 1
