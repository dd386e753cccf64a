from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from crm_pipeline_tests.local_org.records import LEAD, admin, create, read
from crm_pipeline_tests.local_org.wire import Caller


def status(acme: Caller, method: str, action: str, **options: Any) -> int:
    return requests.request(
        method, f"{acme.url}/_admin/{action}", timeout=30, **options
    ).status_code


def test_records_can_be_seeded_with_ids_dates_and_read_only_fields(acme):
    lead = {
        **LEAD,
        "Id": "00Q000000000001EAA",
        "CreatedDate": "2020-01-01T00:00:00Z",
        "IsConverted": True,
        "Ext__c": "1",
    }
    assert admin(acme, "seed", {"Lead": [lead], "Campaign": [{"Name": "x"}]})["Lead"] == [
        lead["Id"]
    ]
    row = read(acme, "Lead", "00Q000000000001")
    assert row["CreatedDate"] == row["SystemModstamp"] == "2020-01-01T00:00:00.000+0000"
    assert (row["IsConverted"], row["Name"], row["Ext__c"]) == (True, "Ada Lovelace", "1")
    assert admin(acme, "stats", method="GET")["rows_written"] == {}


def test_a_seed_is_all_or_nothing_and_says_what_is_wrong(acme):
    body = {"Lead": [LEAD, {"LastName": "x"}]}
    answer = requests.post(f"{acme.url}/_admin/seed", json=body, timeout=30)
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "REQUIRED_FIELD_MISSING: Lead 1: Required fields are missing: [Company]"
    }
    assert acme.org.table("Lead").rows == {}
    assert status(acme, "POST", "seed", json={"Nope": [{}]}) == 400
    assert status(acme, "POST", "seed", json={"Lead": 7}) == 400


def test_calls_are_counted_by_kind_and_rows_by_object(acme):
    lead = create(acme)
    acme.call("PATCH", f"sobjects/Lead/{lead}", json={"Title": "x"})
    acme.call("DELETE", f"sobjects/Lead/{lead}")
    acme.post("sobjects/Lead", json={})
    create(acme, "Campaign", Name="x")
    assert admin(acme, "stats", method="GET") == {
        "api_requests": 5,
        "calls": {"create": 3, "update": 1, "delete": 1},
        "rows_written": {
            "Lead": {"create": 1, "update": 1, "delete": 1},
            "Campaign": {"create": 1},
            "CampaignMemberStatus": {"create": 2},
        },
        "refused_logins": {},
    }
    empty = {"api_requests": 0, "calls": {}, "rows_written": {}, "refused_logins": {}}
    assert admin(acme, "stats/reset") == empty


def test_the_log_tells_the_last_calls(acme):
    create(acme)
    acme.get("nope")
    one, other = admin(acme, "log", method="GET")
    user = next(iter(acme.org.users.values())).id
    assert (one["kind"], one["method"], one["status"]) == ("create", "POST", 201)
    assert (one["path"], one["user_id"]) == ("/services/data/v66.0/sobjects/Lead", user)
    assert one["ms"] >= 0
    assert (other["kind"], other["status"]) == ("unknown", 404)


def test_an_org_can_be_put_back_to_a_snapshot(acme):
    lead = create(acme, Email="ada@example.com")
    admin(acme, "snapshot")
    admin(acme, "snapshot", {"name": "again"})
    acme.call("PATCH", f"sobjects/Lead/{lead}", json={"Email": "other@example.com"})
    later = create(acme)
    admin(acme, "restore")
    assert read(acme, "Lead", lead)["Email"] == "ada@example.com"
    assert acme.values("SELECT Id FROM Lead WHERE Email = 'ada@example.com'") == [lead]
    assert acme.get(f"sobjects/Lead/{later}").status_code == 404
    assert create(acme) == later
    assert status(acme, "POST", "restore", json={"name": "nope"}) == 404


def test_settings_can_be_read_and_changed_while_the_org_runs(acme):
    before = admin(acme, "settings", method="GET")
    assert before["maintenance"] == "none"
    assert before["daily_api_requests"] == 15_000
    after = admin(
        acme,
        "settings",
        {"query_batch_size": 500, "hidden_fields": ["Lead.Title"], "clock_shift_seconds": 60},
    )
    assert after == {
        **before,
        "query_batch_size": 500,
        "hidden_fields": ["Lead.Title"],
        "clock_shift_seconds": 60.0,
    }
    admin(acme, "reset")
    assert admin(acme, "settings", method="GET") == before


def test_answers_are_dated_by_the_org_s_clock(acme):
    hour = 3_600
    admin(acme, "settings", {"clock_shift_seconds": -hour})
    said = parsedate_to_datetime(acme.get("limits").headers["Date"])
    assert abs((datetime.now(UTC) - said).total_seconds() - hour) < hour / 2


@pytest.mark.parametrize(
    ("method", "action", "body", "expected"),
    [
        ("POST", "settings", {"latency_ms": -1}, 400),
        ("POST", "settings", {"nope": 1}, 400),
        ("POST", "settings", {"latency_ms": "inf"}, 400),
        ("POST", "settings", {"clock_shift_seconds": 1e308}, 400),
        ("POST", "settings", {"clock_shift_seconds": "1e400"}, 400),
        ("POST", "settings", {"daily_api_requests": 2**62}, 400),
        ("POST", "settings", {"bulk_seconds": 1e300}, 400),
        ("POST", "faults", {"action": "hold", "seconds": 1e300}, 400),
        ("POST", "faults", {"action": "error", "status": 9999}, 400),
        ("POST", "settings", {"hidden_fields": ["Lead.Nope"]}, 404),
        ("POST", "faults", {"action": "nope"}, 400),
        ("POST", "faults", {"action": "hang", "nth": 0}, 400),
        ("POST", "convert", {}, 400),
        ("POST", "nope", {}, 404),
        ("GET", "nope", None, 404),
        ("GET", "records/Nope", None, 404),
        ("GET", "records/Lead?limit=x", None, 400),
        ("PUT", "settings", {}, 405),
        ("POST", "reset", {"keep": "logins"}, 400),
        ("POST", "refresh", {"name": "other"}, 400),
        ("POST", "refresh?name=other", {}, 400),
        ("POST", "stats/reset", {"kind": "query"}, 400),
        ("DELETE", "faults", {"kind": "query"}, 400),
        ("POST", "sessions/expire", ["00D"], 400),
        ("POST", "transactions/end", {"id": 1}, 400),
    ],
)
def test_what_the_admin_path_does_not_take_is_refused(acme, method, action, body, expected):
    assert status(acme, method, action, json=body) == expected


def test_a_body_that_is_no_json_is_refused(acme):
    for action in ("faults", "settings", "seed"):
        assert status(acme, "POST", action, data=b"{") == 400


def test_the_admin_path_is_never_under_services(acme):
    for path in ("/services/_admin/stats", "/services/data/v66.0/_admin/stats"):
        assert acme.http.get(acme.url + path, timeout=30).status_code == 404


def test_faults_are_listed_with_how_often_they_struck(acme):
    admin(acme, "faults", [{"kind": "create", "action": "html_503", "nth": 2}])
    create(acme)
    (only,) = admin(acme, "faults", method="GET")
    assert (only["kind"], only["seen"], only["fired"]) == ("create", 1, 0)
    assert admin(acme, "faults", method="DELETE") == []


def test_the_page_for_people_is_served_and_finds_what_it_shows(acme, org_server):
    lead = create(acme)
    for url in (org_server.url, f"{org_server.url}/_admin", acme.url):
        answer = requests.get(url, timeout=30)
        assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"
        assert "Local Salesforce" in answer.text
    (org,) = requests.get(f"{org_server.url}/_admin/orgs", timeout=30).json()
    assert (org["name"], org["company"], org["objects"]["Lead"]) == ("acme", "Acme Inc.", 1)
    records = admin(acme, "records/Lead?limit=5", method="GET")
    assert (records["total"], records["records"][0]["Id"]) == (1, lead)
