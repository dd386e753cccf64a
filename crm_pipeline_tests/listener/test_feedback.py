"""Feedback and data for users: checked against the form, and taken once."""

from typing import Any

import pytest

from crm_pipeline_tests.listener.conftest import Desk

BUGS = "/api/v1/externalSources/bugs"


def test_feedback_is_taken_with_its_submitter(desk: Desk):
    desk.user("7", "tom@example.com")
    said = {
        "Subject": "It breaks",
        "Severity__c": "high",
        "Seen__c": "2026-11-29",
        "At__c": "2026-11-29T12:00:00Z",
        "Count__c": 3,
        "Again__c": True,
        "Reply__c": "tom@example.com",
        "Email": "Tom@example.com",
    }
    answer = desk.post(BUGS, json=said)
    assert answer.status_code == 202
    [row] = desk.rows("SELECT kind, name, body, address, digest FROM crm.request")
    assert (row.kind, row.name, row.address) == ("feedback", "bugs", None)
    assert row.digest is not None, "a removal finds it"
    assert row.body == {
        "project": "Beta",
        "feedback_type": "Bug",
        "team": "Participants",
        "status": "New",
        "submitter": "7",
        "fields": {
            "title": "It breaks",
            "severity": "high",
            "seen": "2026-11-29",
            "at": "2026-11-29T12:00:00Z",
            "count": 3,
            "again": True,
            "reply_to": "tom@example.com",
        },
    }


def test_of_an_unknown_submitter_the_default_one_else_none(desk: Desk):
    assert desk.post(BUGS, json={"Subject": "a", "Email": "x@example.com"}).status_code == 202
    assert desk.rows("SELECT body ->> 'submitter' FROM crm.request") == [("17",)]
    refused = desk.post("/api/v1/externalSources/strict", json={"Subject": "a", "Email": "x@y.zz"})
    assert refused.status_code == 422
    assert refused.json()["errors"] == [{"field": "Email", "problem": "no known submitter"}]


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"Subject": None}, "Subject", "missing"),
        ({"Subject": ""}, "Subject", "missing"),
        ({"Subject": " \t"}, "Subject", "missing"),
        ({"Email": 5}, "Email", "not of the type email"),
        ({"Subject": 5}, "Subject", "not of the type text"),
        ({"Severity__c": "medium"}, "Severity__c", "none of the choices"),
        ({"Seen__c": "29.11.2026"}, "Seen__c", "not of the type date"),
        ({"Seen__c": "20261129T0"}, "Seen__c", "not of the type date"),
        ({"At__c": "2026-11-29T12:00:00"}, "At__c", "not of the type datetime"),
        ({"Count__c": "3"}, "Count__c", "not of the type number"),
        ({"Count__c": True}, "Count__c", "not of the type number"),
        ({"Again__c": "yes"}, "Again__c", "not of the type boolean"),
        ({"Reply__c": "nobody"}, "Reply__c", "not of the type email"),
        ({"Color__c": "red"}, "Color__c", "unknown"),
    ],
)
def test_a_field_that_does_not_fit_is_named(
    desk: Desk, changes: dict[str, Any], field: str, problem: str
):
    answer = desk.post(BUGS, json={"Subject": "a", **changes})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": field, "problem": problem}]
    assert desk.rows("SELECT 1 FROM crm.request") == []


def test_the_same_feedback_is_one_ticket_within_a_day(desk: Desk):
    first = desk.post(BUGS, json={"Subject": "a", "Count__c": 1})
    assert desk.post(BUGS, json={"Count__c": 1, "Subject": "a"}).json() == first.json()
    desk.run("UPDATE crm.request SET received_at = now() - interval '25 hours'")
    assert desk.post(BUGS, json={"Subject": "a", "Count__c": 1}).json() != first.json()
    assert len(desk.rows("SELECT 1 FROM crm.request")) == 2


def test_with_a_key_the_key_tells(desk: Desk):
    def post(key: str, subject: str) -> Any:
        return desk.post(BUGS, json={"Subject": subject}, headers={"Idempotency-Key": key})

    first = post("k1", "a")
    assert post("k2", "a").json() != first.json()
    assert post("k1", "a").json() == first.json()
    assert post("k1", "b").status_code == 422


def test_data_is_stored_with_a_known_user_only(desk: Desk):
    desk.user("7", "tom@example.com")
    path = "/api/v1/userData/plan"

    def post(address: str, **said: Any) -> Any:
        return desk.post(path, params={"find": address}, json=said)

    assert post("tom@example.com", Plan__c="gold", Seats__c=5).status_code == 202
    [row] = desk.rows("SELECT kind, body FROM crm.request")
    assert row == ("user_data", {"user_ids": ["7"], "data": {"plan": "gold", "seats": 5}})
    assert post("nobody@example.com", Plan__c="gold").status_code == 404
    unknown = post("tom@example.com", Plan__c="gold", Color__c="red")
    assert unknown.json()["errors"] == [{"field": "Color__c", "problem": "unknown"}]
    assert post("tom@example.com", Plan__c={"a": 1}).status_code == 422
    assert post("tom@example.com").status_code == 422
    assert desk.post("/api/v1/userData/none", params={"find": "a@b.cc"}, json={}).status_code == 404


def test_whoever_is_removed_has_nothing_stored(desk: Desk):
    desk.user("7", "tom@example.com")
    desk.remove("tom@example.com")
    answer = desk.post(
        "/api/v1/userData/plan", params={"find": "tom@example.com"}, json={"Plan__c": "gold"}
    )
    assert answer.status_code == 404
    desk.post(BUGS, json={"Subject": "a", "Email": "tom@example.com"})
    [row] = desk.rows("SELECT body ->> 'submitter' AS who FROM crm.request WHERE kind = 'feedback'")
    assert row.who == "17"
