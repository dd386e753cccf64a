"""Platform events: published by every way in, and taken by the subscribers of the file."""

import time
from typing import Any
from uuid import UUID

import pytest
import requests

from crm_pipeline.local_org.config import OrgConfigError
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline_tests.local_org.records import admin, create, error, read
from crm_pipeline_tests.local_org.wire import Caller, serving_afresh

OBJECTS = {
    "Match__e": {
        "fields": {
            "Email__c": {"type": "email", "required": True},
            "Prospect__c": {"type": "string", "length": 20},
            "Score__c": {"type": "double"},
        }
    },
    "Log__e": {"publish": "immediately", "fields": {"Text__c": {"type": "string"}}},
    "Lead": {
        "fields": {
            "Prospect__c": {"type": "string", "external_id": True},
            "Score__c": {"type": "double", "scale": 2},
        }
    },
}
MATCH = {
    "event": "Match__e",
    "object": "Lead",
    "match": {"Email": "Email__c"},
    "set": {"Prospect__c": "Prospect__c", "Score__c": "Score__c"},
}
RULE = {"object": "Lead", "error": "Too much", "when": "Score__c > 100"}


@pytest.fixture(scope="module")
def fresh():
    config = {"objects": OBJECTS, "subscribers": [MATCH], "validation_rules": [RULE]}
    with serving_afresh(**config) as afresh:
        yield afresh


@pytest.fixture
def org(fresh):
    return fresh()


def event(**fields: Any) -> dict[str, Any]:
    return {"Email__c": "ada@example.com", "Prospect__c": "p-1", "Score__c": 5, **fields}


def record(**fields: Any) -> dict[str, Any]:
    return {"attributes": {"type": "Match__e"}, **event(**fields)}


def published(caller: Caller, total: int = 1) -> list[dict[str, Any]]:
    body = admin(caller, "events", method="GET")
    assert body["total"] == total
    events: list[dict[str, Any]] = body["events"]
    return events


def uuid_in(result: dict[str, Any]) -> str:
    """The UUID of an event, as its publisher is told."""
    assert result["success"] is True
    (only,) = result["errors"]
    assert (only["statusCode"], only["fields"]) == ("OPERATION_ENQUEUED", [])
    return str(UUID(only["message"]))


def test_a_published_event_is_a_success_with_something_in_errors(org):
    answer = org.post("sobjects/Match__e", json=event())
    assert answer.status_code == 201
    assert answer.json()["id"].startswith("e0")
    (only,) = published(org)
    assert only["uuid"] == uuid_in(answer.json())
    assert (only["object"], only["fields"]["Prospect__c"]) == ("Match__e", "p-1")
    assert only["published_by"] == next(iter(org.org.users.values())).id


def test_the_id_that_a_publisher_gets_names_no_event(org):
    ids = {org.post("sobjects/Match__e", json=event()).json()["id"] for _ in range(2)}
    assert len(ids) == 1
    assert len({each["uuid"] for each in published(org, 2)}) == 2


def test_a_collection_publishes_each_by_itself(org):
    records = [record(), {"attributes": {"type": "Match__e"}}, record(Prospect__c="p-2")]
    first, wrong, last = org.post("composite/sobjects", json={"records": records}).json()
    assert wrong["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert [uuid_in(each) for each in (first, last)] == [each["uuid"] for each in published(org, 2)]


def test_all_or_none_publishes_nothing_if_one_is_wrong(org):
    records = [record(), {"attributes": {"type": "Match__e"}}]
    org.post("composite/sobjects", json={"allOrNone": True, "records": records})
    published(org, 0)


def test_an_event_that_goes_out_at_once_survives_a_rollback(org):
    log = {"attributes": {"type": "Log__e"}, "Text__c": "x"}
    records = [log, record(), {"attributes": {"type": "Match__e"}}]
    results = org.post("composite/sobjects", json={"allOrNone": True, "records": records}).json()
    assert [each["success"] for each in results] == [False] * 3
    assert [each["object"] for each in published(org)] == ["Log__e"]


def test_a_composite_publishes_when_it_is_committed(org):
    parts = [
        {
            "method": "POST",
            "url": "/services/data/v66.0/sobjects/Match__e",
            "referenceId": "a",
            "body": event(),
        },
        {
            "method": "POST",
            "url": "/services/data/v66.0/composite/sobjects",
            "referenceId": "b",
            "body": {"records": [record()]},
        },
    ]
    body = org.post("composite", json={"compositeRequest": parts}).json()
    one, several = (each["body"] for each in body["compositeResponse"])
    uuids = [uuid_in(one), uuid_in(several[0])]
    assert uuids == [each["uuid"] for each in published(org, 2)]
    bad = {**parts[0], "referenceId": "c", "body": {}}
    org.post("composite", json={"allOrNone": True, "compositeRequest": [parts[0], bad]})
    published(org, 2)


def test_a_bulk_job_publishes(org):
    job = org.post("jobs/ingest", json={"object": "Match__e", "operation": "insert"}).json()["id"]
    csv = "Email__c,Prospect__c\na@example.com,p-1\nnope,p-2\n"
    org.call("PUT", f"jobs/ingest/{job}/batches", data=csv, headers={"Content-Type": "text/csv"})
    org.call("PATCH", f"jobs/ingest/{job}", json={"state": "UploadComplete"})
    deadline = time.monotonic() + 60
    while org.get(f"jobs/ingest/{job}").json()["state"] != "JobComplete":
        assert time.monotonic() < deadline
    done = org.get(f"jobs/ingest/{job}/successfulResults").text.splitlines()
    assert len(done) == 2
    assert '"true","a@example.com","p-1"' in done[1]
    assert "INVALID_EMAIL_ADDRESS" in org.get(f"jobs/ingest/{job}/failedResults").text
    assert published(org)[0]["fields"]["Prospect__c"] == "p-1"


def test_events_cannot_be_read_changed_or_deleted(org):
    record_id = org.post("sobjects/Match__e", json=event()).json()["id"]
    error_code = org.refused("SELECT Prospect__c FROM Match__e")["errorCode"]
    assert error_code == "INVALID_TYPE_FOR_OPERATION"
    for method in ("GET", "PATCH", "DELETE"):
        assert org.call(method, f"sobjects/Match__e/{record_id}", json={}).status_code == 404
    window = {"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"}
    answer = org.get("sobjects/Match__e/updated", params=window)
    assert error(answer)["errorCode"] == "INVALID_TYPE_FOR_OPERATION"
    describe = org.get("sobjects/Match__e/describe").json()
    assert (describe["createable"], describe["queryable"]) == (True, False)
    assert [each["name"] for each in describe["fields"]][:2] == ["ReplayId", "EventUuid"]


# --- subscribers ---


def test_a_subscriber_applies_an_event_to_the_records_that_match(org):
    one, other = create(org, Email="ADA@example.com"), create(org, Email="b@example.com")
    org.post("sobjects/Match__e", json=event())
    row = read(org, "Lead", one)
    assert (row["Prospect__c"], row["Score__c"]) == ("p-1", 5.0)
    (user,) = org.query(f"SELECT Name, UserType FROM User WHERE Id = '{row['LastModifiedById']}'")
    assert user == {"Name": "Automated Process", "UserType": "AutomatedProcess"}
    assert read(org, "Lead", other)["Prospect__c"] is None
    assert published(org)[0]["outcomes"] == ["updated 1"]


def test_an_event_that_the_orgs_rules_refuse_is_lost(org):
    lead = create(org, Email="ada@example.com")
    org.post("sobjects/Match__e", json=event(Score__c=200))
    assert read(org, "Lead", lead)["Prospect__c"] is None
    (outcome,) = published(org)[0]["outcomes"]
    assert outcome.startswith("failed: FIELD_CUSTOM_VALIDATION_EXCEPTION")


def test_an_event_of_a_long_transaction_goes_out_when_that_ends(org):
    lead = create(org, Email="ada@example.com")
    fields = {"object": "Match__e", "fields": event(), "hold_seconds": 600}
    admin(org, "create", fields)
    published(org, 0)
    admin(org, "transactions/end")
    published(org, 1)
    assert read(org, "Lead", lead)["Prospect__c"] == "p-1"


def test_a_share_of_the_events_gets_lost_the_same_each_time():
    subscriber = {**MATCH, "drops": 0.5, "seed": 3, "create": True, "set": {}}
    subscriber["match"] = {"Email": "Email__c", "LastName": "Prospect__c", "Company": "Prospect__c"}
    outcomes = []
    with serving_afresh(objects=OBJECTS, subscribers=[subscriber]) as afresh:
        for _ in range(2):
            caller = afresh()
            records = [record(Prospect__c=str(number)) for number in range(40)]
            caller.post("composite/sobjects", json={"records": records})
            outcomes.append([each["outcomes"] for each in published(caller, 40)])
            made = len(caller.values("SELECT Id FROM Lead"))
            assert 10 < made == outcomes[-1].count(["created 1"]) < 30
    assert outcomes[0] == outcomes[1]


def test_a_subscriber_may_take_its_time():
    subscriber = {**MATCH, "delay_seconds": 0.3}
    with serving_afresh(objects=OBJECTS, subscribers=[subscriber]) as afresh:
        caller = afresh()
        lead = create(caller, Email="ada@example.com")
        caller.post("sobjects/Match__e", json=event())
        assert read(caller, "Lead", lead)["Prospect__c"] is None
        deadline = time.monotonic() + 60
        while read(caller, "Lead", lead)["Prospect__c"] is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"event": "Nope__e"}, "there is no object Nope__e"),
        ({"event": "Lead", "match": {"Email": "Email"}, "set": {}}, "no platform event"),
        ({"match": {"Nope__c": "Email__c"}}, "there is no field Lead.Nope__c"),
        ({"set": {"Title": "Nope__c"}}, "there is no field Match__e.Nope__c"),
    ],
)
def test_a_subscriber_that_makes_no_sense_is_named(changes, message):
    config = {"name": "x", "objects": OBJECTS, "subscribers": [{**MATCH, **changes}]}
    with pytest.raises(OrgConfigError, match=message), LocalOrgServer(config):
        pass


def test_events_are_not_kept_in_the_file_of_an_org(tmp_path):
    config = {"name": "acme", "objects": OBJECTS, "file": str(tmp_path / "acme.org")}
    for leads in (0, 1):
        with LocalOrgServer(config) as server, requests.Session() as http:
            org = server.org("acme")
            token = org.open_session(next(iter(org.users.values())).id, None).token
            http.headers["Authorization"] = f"Bearer {token}"
            caller = Caller(org, server.url_of("acme"), http)
            assert len(caller.values("SELECT Id FROM Lead")) == leads
            caller.post("sobjects/Match__e", json=event())
            create(caller)
            published(caller)
