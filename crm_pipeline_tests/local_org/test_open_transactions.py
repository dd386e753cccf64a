"""Transactions that stay open: stamped when saved, seen when they end."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from crm_pipeline.local_org.open_transactions import OPEN
from crm_pipeline_tests.local_org.records import LEAD, admin, create, error, read, update
from crm_pipeline_tests.local_org.wire import VERSION, Caller

DATA = f"/services/data/v{VERSION}"


def hold(acme: Caller, kind: str, seconds: float = 3_600, nth: int = 1) -> None:
    admin(acme, "faults", {"kind": kind, "action": "hold", "seconds": seconds, "nth": nth})


def in_background(acme: Caller, path: str, body: Any) -> Callable[[], requests.Response]:
    """Sends a request that is answered late; what it returns waits for the answer."""
    answers: list[requests.Response] = []
    url, headers = f"{acme.url}{DATA}/{path}", dict(acme.http.headers)
    known = len(OPEN[acme.org])

    def send() -> None:
        answers.append(requests.post(url, json=body, headers=headers, timeout=20))

    thread = threading.Thread(target=send)
    thread.start()
    deadline = time.monotonic() + 60
    while len(OPEN[acme.org]) == known and time.monotonic() < deadline:
        time.sleep(0.005)

    def answer() -> requests.Response:
        thread.join(timeout=20)
        return answers[0]

    return answer


def covered(acme: Caller, sobject: str = "Lead") -> dict[str, Any]:
    now = datetime.now(UTC) + acme.org.clock_shift
    window = {
        "start": (now - timedelta(hours=12)).isoformat(timespec="seconds"),
        "end": (now + timedelta(minutes=5)).isoformat(timespec="seconds"),
    }
    answer = acme.get(f"sobjects/{sobject}/updated", params=window)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_a_record_of_a_long_transaction_appears_late_with_its_early_stamp(acme):
    hold(acme, "create")
    late = in_background(acme, "sobjects/Lead", {**LEAD, "Email": "late@example.com"})
    admin(acme, "settings", {"clock_shift_seconds": 60})
    early = create(acme, Email="early@example.com")
    by_stamp = "SELECT Id FROM Lead ORDER BY SystemModstamp"
    assert acme.values(by_stamp) == [early]
    admin(acme, "settings", {"clock_shift_seconds": 3_700})
    found = late().json()["id"]
    assert acme.values(by_stamp) == [found, early]
    assert read(acme, "Lead", found)["SystemModstamp"] < read(acme, "Lead", early)["SystemModstamp"]


def test_updated_says_how_far_it_is_safe_to_read(acme):
    hold(acme, "create")
    late = in_background(acme, "sobjects/Lead", LEAD)
    (transaction,) = admin(acme, "transactions", method="GET")
    admin(acme, "settings", {"clock_shift_seconds": 600})
    create(acme)
    for sobject in ("Lead", "Contact"):
        assert covered(acme, sobject)["latestDateCovered"] <= transaction["started"]
    assert transaction["started"] < transaction["ends_at"]
    assert admin(acme, "transactions/end") == {"ended": 1}
    assert late().status_code == 201
    assert covered(acme)["latestDateCovered"] > transaction["started"]


def test_a_change_and_a_deletion_of_a_long_transaction_are_seen_when_it_ends(acme):
    changed, gone = create(acme, Title="old"), create(acme)
    hold(acme, "composite")
    requests_ = [
        {
            "method": "PATCH",
            "url": f"{DATA}/sobjects/Lead/{changed}",
            "referenceId": "a",
            "body": {"Title": "new"},
        },
        {"method": "DELETE", "url": f"{DATA}/sobjects/Lead/{gone}", "referenceId": "b"},
    ]
    late = in_background(acme, "composite", {"compositeRequest": requests_})
    assert acme.query("SELECT Title FROM Lead ORDER BY Id") == [{"Title": "old"}, {"Title": None}]
    admin(acme, "transactions/end")
    parts = late().json()["compositeResponse"]
    assert [each["httpStatusCode"] for each in parts] == [204, 204]
    assert acme.query("SELECT Title FROM Lead") == [{"Title": "new"}]
    assert admin(acme, "stats", method="GET")["rows_written"]["Lead"]["delete"] == 1


def test_a_fault_inside_a_composite_holds_the_whole(acme):
    hold(acme, "collections.create")
    record = {"attributes": {"type": "Lead"}, **LEAD}
    parts = [
        {
            "method": "POST",
            "url": f"{DATA}/composite/sobjects",
            "referenceId": name,
            "body": {"records": [record]},
        }
        for name in ("a", "b")
    ]
    late = in_background(acme, "composite", {"compositeRequest": parts})
    assert acme.values("SELECT Id FROM Lead") == []
    admin(acme, "transactions/end")
    assert len(late().json()["compositeResponse"]) == 2
    assert len(acme.values("SELECT Id FROM Lead")) == 2


def test_what_a_long_transaction_writes_is_locked_for_others(acme):
    held, free = create(acme), create(acme)
    hold(acme, "update")
    requests_ = {"records": [{"attributes": {"type": "Lead"}, "id": held, "Title": "x"}]}
    url, headers = f"{acme.url}{DATA}/sobjects/Lead/{held}", dict(acme.http.headers)
    thread = threading.Thread(
        target=lambda: requests.patch(url, json={"Title": "first"}, headers=headers, timeout=20)
    )
    thread.start()
    deadline = time.monotonic() + 60
    while not OPEN[acme.org] and time.monotonic() < deadline:
        time.sleep(0.005)
    (result,) = acme.call("PATCH", "composite/sobjects", json=requests_).json()
    assert result["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"
    answer = acme.call("DELETE", f"sobjects/Lead/{held}")
    assert error(answer)["errorCode"] == "UNABLE_TO_LOCK_ROW"
    update(acme, "Lead", free, Title="y")
    admin(acme, "transactions/end")
    thread.join(timeout=20)
    assert read(acme, "Lead", held)["Title"] == "first"


def test_a_unique_value_of_a_long_transaction_is_locked_too(acme):
    hold(acme, "create")
    late = in_background(acme, "sobjects/Webinar__c", {"Key__c": "K1"})
    answer = acme.post("sobjects/Webinar__c", json={"Key__c": "k1"})
    assert error(answer)["errorCode"] == "UNABLE_TO_LOCK_ROW"
    create(acme, "Webinar__c", Key__c="K2")
    admin(acme, "transactions/end")
    assert late().status_code == 201
    answer = acme.post("sobjects/Webinar__c", json={"Key__c": "k1"})
    assert error(answer)["errorCode"] == "DUPLICATE_VALUE"


@pytest.mark.parametrize("seconds", [0.2])
def test_a_long_transaction_ends_by_itself(acme, seconds):
    hold(acme, "create", seconds=seconds)
    started = time.monotonic()
    lead = create(acme)
    assert time.monotonic() - started >= seconds
    assert acme.values("SELECT Id FROM Lead") == [lead]


def test_a_bulk_job_waits_for_its_long_chunk(acme):
    hold(acme, "bulk2.process")
    job = acme.post("jobs/ingest", json={"object": "Lead", "operation": "insert"}).json()["id"]
    csv = "LastName,Company\n" + "a,b\n" * 201
    acme.call("PUT", f"jobs/ingest/{job}/batches", data=csv, headers={"Content-Type": "text/csv"})
    acme.call("PATCH", f"jobs/ingest/{job}", json={"state": "UploadComplete"})
    deadline = time.monotonic() + 60
    while not OPEN[acme.org] and time.monotonic() < deadline:
        time.sleep(0.005)
    assert acme.get(f"jobs/ingest/{job}").json()["state"] == "InProgress"
    assert acme.values("SELECT Id FROM Lead") == []
    admin(acme, "transactions/end")
    while acme.get(f"jobs/ingest/{job}").json()["state"] != "JobComplete":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert len(acme.values("SELECT Id FROM Lead")) == 201


def test_a_reset_forgets_open_transactions(acme):
    hold(acme, "create")
    late = in_background(acme, "sobjects/Lead", LEAD)
    admin(acme, "reset")
    assert late().status_code == 201
    assert acme.values("SELECT Id FROM Lead") == []
