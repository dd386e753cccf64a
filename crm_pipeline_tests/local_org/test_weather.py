"""Faults, row locks, maintenance, latency and limits, each over the wire."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests

from crm_pipeline_tests.local_org.records import LEAD, admin, create, error, read
from crm_pipeline_tests.local_org.wire import VERSION, Caller, serving

DATA = f"/services/data/v{VERSION}"
LEADS = {"records": [{"attributes": {"type": "Lead"}, **LEAD}] * 3}


def fault(acme: Caller, action: str, kind: str = "*", **more: Any) -> None:
    admin(acme, "faults", {"kind": kind, "action": action, **more})


def leads(acme: Caller) -> int:
    return len(acme.org.table("Lead").rows)


def test_the_third_collections_create_is_committed_and_its_answer_lost(acme):
    fault(acme, "reset_after", "collections.create", nth=3)
    for _ in range(2):
        assert acme.post("composite/sobjects", json=LEADS).status_code == 200
    create(acme)
    with pytest.raises(requests.ConnectionError):
        acme.post("composite/sobjects", json=LEADS)
    assert leads(acme) == 10
    assert acme.post("composite/sobjects", json=LEADS).status_code == 200


def test_a_reset_before_the_work_leaves_nothing_done(acme):
    fault(acme, "reset_before", "create", times=2)
    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            acme.post("sobjects/Lead", json=LEAD)
    assert leads(acme) == 0
    create(acme)
    assert [each["status"] for each in admin(acme, "log", method="GET")] == [0, 0, 201]


@pytest.mark.parametrize(("action", "done"), [("html_503", 0), ("html_503_after", 1)])
def test_an_unavailable_server_answers_with_a_page(acme, action, done):
    fault(acme, action, "create", nth=1)
    answer = acme.post("sobjects/Lead", json=LEAD)
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert "<html>" in answer.text
    assert leads(acme) == done


def test_an_answer_may_be_cut_off_in_two_ways(acme):
    fault(acme, "truncate", "create", nth=1)
    answer = acme.post("sobjects/Lead", json=LEAD)
    assert answer.status_code == 201
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()
    fault(acme, "wrong_length", "create", nth=1)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        acme.post("sobjects/Lead", json=LEAD)
    assert leads(acme) == 2


@pytest.mark.parametrize("action", ["hang", "hang_after", "slow"])
def test_an_answer_may_be_late(acme, action):
    fault(acme, action, "create", nth=1, seconds=0.3)
    started = time.monotonic()
    create(acme)
    assert time.monotonic() - started >= 0.25


def test_a_request_that_hangs_does_its_work_although_the_client_has_gone(acme):
    fault(acme, "hang", "create", nth=1, seconds=60)
    with pytest.raises(requests.exceptions.ReadTimeout):
        acme.http.post(acme.url + f"{DATA}/sobjects/Lead", json=LEAD, timeout=0.1)
    assert leads(acme) == 0
    admin(acme, "faults", method="DELETE")
    deadline = time.monotonic() + 60
    while leads(acme) == 0:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert leads(acme) == 1


def test_any_error_can_be_asked_for(acme):
    timeout = {"code": "QUERY_TIMEOUT", "message": "Your query timed out"}
    fault(acme, "error", "query", nth=1, status=400, **timeout)
    answer = acme.get("query", params={"q": "SELECT Id FROM Lead"})
    assert answer.status_code == 400
    assert error(answer) == {"errorCode": timeout["code"], "message": timeout["message"]}


def test_a_session_may_expire_in_the_middle_of_work(acme):
    fault(acme, "expire_session", "create", nth=2)
    create(acme)
    answer = acme.post("sobjects/Lead", json=LEAD)
    assert (answer.status_code, error(answer)["errorCode"]) == (401, "INVALID_SESSION_ID")
    assert leads(acme) == 1


def test_chosen_rows_are_locked(acme):
    fault(acme, "lock", "collections.create", nth=1, rows=[2])
    results = acme.post("composite/sobjects", json=LEADS).json()
    assert [each["success"] for each in results] == [True, False, True]
    (only,) = results[1]["errors"]
    assert only["statusCode"] == "UNABLE_TO_LOCK_ROW"
    assert only["message"].startswith(
        "unable to obtain exclusive access to this record or 1 records: "
    )


def test_rows_locked_at_random_are_the_same_for_the_same_seed(acme):
    outcomes = []
    for _ in range(2):
        admin(acme, "faults", method="DELETE")
        fault(acme, "lock", "collections.create", probability=0.5, seed=7)
        results = acme.post("composite/sobjects", json={"records": LEADS["records"] * 10}).json()
        outcomes.append([each["success"] for each in results])
    assert outcomes[0] == outcomes[1]
    assert 5 < sum(outcomes[0]) < 25


def test_calls_at_random_are_the_same_for_the_same_seed(acme):
    outcomes = []
    for _ in range(2):
        admin(acme, "faults", method="DELETE")
        fault(acme, "html_503", "create", probability=0.5, seed=3)
        outcomes.append([acme.post("sobjects/Lead", json=LEAD).ok for _ in range(20)])
    assert outcomes[0] == outcomes[1]
    assert {True, False} == set(outcomes[0])


def test_writes_under_one_parent_at_the_same_time_lock_each_other_out(acme):
    campaign = create(acme, "Campaign", Name="Webinar")
    people = [create(acme), create(acme)]
    admin(acme, "settings", {"lock_parents": True, "latency_ms": 300})

    def join(lead: str) -> Any:
        record = {"attributes": {"type": "CampaignMember"}, "CampaignId": campaign, "LeadId": lead}
        answer = requests.post(
            f"{acme.url}{DATA}/composite/sobjects",
            json={"records": [record]},
            headers=dict(acme.http.headers),
            timeout=30,
        )
        return answer.json()[0]

    with ThreadPoolExecutor(2) as pool:
        results = sorted(pool.map(join, people), key=lambda each: each["success"])
    assert [each["success"] for each in results] == [False, True]
    assert results[0]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"
    assert campaign in results[0]["errors"][0]["message"]
    failed = next(
        each for each in people if not acme.org.table("CampaignMember").lookup("LeadId", each)
    )
    assert join(failed)["success"] is True


MASTER = {"type": "master_detail", "reference_to": "Box__c", "child_relationship_name": "Masters"}
LOOKUP = {"reference_to": "Box__c", "child_relationship_name": "Lookups"}


@pytest.mark.parametrize(
    ("field", "more", "locks"),
    [
        (MASTER, {}, True),
        (LOOKUP, {}, False),
        ({**LOOKUP, "on_delete": "restrict"}, {}, True),
        (LOOKUP, {"emptied_lookups_lock": True}, True),
    ],
)
def test_which_records_a_new_row_locks(field: Any, more: Any, locks: bool) -> None:
    """Salesforce, Record Locking Cheat Sheet; by an older article each lookup locks."""
    objects = {"Box__c": {"fields": {}}, "Thing__c": {"fields": {"Box__c": field}}}
    with serving(objects=objects, lock_parents=True, latency_ms=200, **more) as caller:
        box = create(caller, "Box__c", Name="Box")

        def make(_: int) -> int:
            url, headers = f"{caller.url}{DATA}/sobjects/Thing__c", dict(caller.http.headers)
            return requests.post(url, json={"Box__c": box}, headers=headers, timeout=30).status_code

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(make, range(2))) == [201, 400 if locks else 201]


def composite(*subrequests: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"compositeRequest": subrequests, **more}


ACCOUNT = {
    "method": "POST",
    "url": f"{DATA}/sobjects/Account",
    "referenceId": "account",
    "body": {"Name": "Acme"},
}
MANY = {
    "method": "POST",
    "url": f"{DATA}/composite/sobjects",
    "referenceId": "many",
    "body": LEADS,
}


def test_leads_of_one_record_type_do_not_lock_each_other_out():
    objects = {"Lead": {"record_types": [{"name": "Partner"}]}}
    with serving(objects=objects, lock_parents=True, latency_ms=300) as caller:

        def make() -> int:
            url, headers = f"{caller.url}{DATA}/sobjects/Lead", dict(caller.http.headers)
            (record_type,) = record_types
            body = {**LEAD, "RecordTypeId": record_type}
            return requests.post(url, json=body, headers=headers, timeout=30).status_code

        record_types = caller.values("SELECT Id FROM RecordType")
        with ThreadPoolExecutor() as pool:
            made = [pool.submit(make) for _ in range(2)]
            assert [each.result() for each in made] == [201, 201]


def test_calls_inside_a_composite_meet_the_weather_too(acme):
    fault(acme, "lock", "collections.create", nth=1, rows=[1, 3])
    answer = acme.post("composite", json=composite(ACCOUNT, MANY)).json()
    results = answer["compositeResponse"][1]["body"]
    assert [each["success"] for each in results] == [False, True, False]
    fault(acme, "error", "create", nth=1, status=500, code="UNKNOWN_EXCEPTION")
    answer = acme.post("composite", json=composite(ACCOUNT, MANY)).json()
    assert [each["httpStatusCode"] for each in answer["compositeResponse"]] == [500, 200]


@pytest.mark.parametrize(
    ("action", "kept"), [("reset_before", 0), ("reset_after", 1), ("html_503", 0)]
)
def test_a_fault_inside_a_composite_strikes_the_whole(acme, action, kept):
    fault(acme, action, "collections.create", nth=1)
    if action == "html_503":
        assert acme.post("composite", json=composite(ACCOUNT, MANY)).status_code == 503
    else:
        with pytest.raises(requests.ConnectionError):
            acme.post("composite", json=composite(ACCOUNT, MANY))
    assert len(acme.org.table("Account").rows) == kept
    assert leads(acme) == 3 * kept


def test_a_fault_of_a_family_of_kinds(acme):
    fault(acme, "html_503", "collections.*")
    assert acme.post("composite/sobjects", json=LEADS).status_code == 503
    assert acme.call("DELETE", "composite/sobjects?ids=x").status_code == 503
    create(acme)


def test_maintenance_stops_all_or_only_writes(acme):
    lead = create(acme)
    admin(acme, "settings", {"maintenance": "down"})
    assert acme.get("sobjects").status_code == 503
    assert "<html>" in acme.get(f"sobjects/Lead/{lead}").text
    admin(acme, "settings", {"maintenance": "read_only"})
    assert read(acme, "Lead", lead)["Id"] == lead
    answer = acme.post("sobjects/Lead", json=LEAD)
    assert answer.status_code == 503
    code = "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"
    assert error(answer)["errorCode"] == code
    assert acme.post("composite/sobjects", json=LEADS).json()[0]["errors"][0]["statusCode"] == code
    admin(acme, "settings", {"maintenance": "none"})
    create(acme)


def test_requests_wait_out_their_latency_beside_each_other(acme):
    admin(acme, "settings", {"latency_ms": 500})
    headers = dict(acme.http.headers)

    def ask(_: int) -> int:
        return requests.get(f"{acme.url}{DATA}/limits", headers=headers, timeout=30).status_code

    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {200}
    assert 0.5 <= time.monotonic() - started < 8 * 0.5


# --- limits ---


def test_every_api_request_is_counted_and_told(acme):
    answer = acme.get("limits")
    assert answer.headers["Sforce-Limit-Info"] == "api-usage=1/15000"
    assert answer.json()["DailyApiRequests"] == {"Max": 15_000, "Remaining": 14_999}
    assert answer.json()["DailyBulkApiBatches"] == {"Max": 15_000, "Remaining": 15_000}
    assert "DailyBulkV2QueryJobs" in answer.json()
    requests.get(f"{acme.url}/services/data", timeout=30)
    assert acme.post("sobjects/Lead", json={}).headers["Sforce-Limit-Info"] == "api-usage=2/15000"


def test_no_request_is_answered_once_the_day_is_used_up(acme):
    admin(acme, "settings", {"daily_api_requests": 100, "daily_api_requests_used": 99})
    create(acme)
    answer = acme.post("sobjects/Lead", json=LEAD)
    assert answer.status_code == 403
    assert answer.json() == [
        {"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}
    ]
    assert answer.headers["Sforce-Limit-Info"] == "api-usage=100/100"
    assert leads(acme) == 1


def test_requests_of_yesterday_are_not_counted_any_more(acme):
    admin(acme, "settings", {"daily_api_requests": 100, "daily_api_requests_used": 100})
    assert acme.get("limits").status_code == 403
    acme.org.clock_shift = timedelta(hours=25)
    assert acme.get("limits").json()["DailyApiRequests"]["Remaining"] == 99


def test_too_many_long_requests_at_a_time_are_refused(acme):
    admin(acme, "settings", {"concurrent_long_requests": 1, "long_request_seconds": 0.1})
    fault(acme, "hang_after", "create", nth=1, seconds=60)
    slow = threading.Thread(target=create, args=(acme,))
    slow.start()
    headers = dict(acme.http.headers)
    deadline = time.monotonic() + 60
    while (answer := requests.get(f"{acme.url}{DATA}/limits", headers=headers, timeout=30)).ok:
        assert time.monotonic() < deadline
    admin(acme, "faults", method="DELETE")
    slow.join()
    assert answer.status_code == 403
    assert error(answer) == {
        "message": "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
        "errorCode": "REQUEST_LIMIT_EXCEEDED",
    }
    assert acme.get("limits").status_code == 200
