"""From a request by HTTP to the platform: users, feedback, data, macros; and a whole removal."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.inbound.keys import make_key
from crm_pipeline.inbound.scanning import places_of
from crm_pipeline.listener import access
from crm_pipeline.listener.server import Listener
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.flows.webinars.warehouse import LONG_AGO, add_person, register
from crm_pipeline_tests.listener.conftest import INBOUND, Desk

REQUESTS = frozenset(("removals", "platform_users", "feedback", "user_data", "macros"))


@pytest.fixture
def desk(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(access, "REMEMBERED_SECONDS", 0.0)
    bench.settings(inbound=INBOUND)
    key = make_key(bench.connection, ACCOUNT)
    bench.connection.commit()
    database = bench.connection.engine
    with Listener(database) as listener:
        yield Desk(listener.url, key, database)


def told(bench: Bench, topic: str) -> list[Any]:
    bench.connection.rollback()
    return list(
        bench.connection.scalars(
            text(
                "SELECT body FROM platform_inbox.message WHERE topic = :topic ORDER BY written_at"
            ),
            {"topic": topic},
        )
    )


def test_users_are_known_after_a_cycle_and_follow_their_addresses(bench: Bench, desk: Desk):
    add_person(bench.connection, 7, "Tom@example.com", country_code="GB")
    add_person(bench.connection, 8, "no address")
    report = bench.cycle()
    assert report.tally["platform_users", "users_read"] == 2
    rows = desk.rows("SELECT user_id, columns FROM crm.platform_user")
    assert rows == [("7", {"country_code": "GB"})]
    assert not list(places_of(desk.database, "tom@example.com"))
    bench.connection.execute(
        text("UPDATE warehouse.person SET email = 'tim@example.com', shipped_at = :at"),
        {"at": LONG_AGO.replace(minute=5)},
    )
    bench.cycle()
    assert desk.remove("tom@example.com", "mail").status_code == 404
    assert desk.remove("tim@example.com", "british").status_code == 202


def test_an_account_without_requests_reads_no_users(bench: Bench):
    add_person(bench.connection, 7, "tom@example.com")
    assert bench.cycle().tally["platform_users", "users_read"] == 0


def test_feedback_data_and_macros_reach_the_platform_once(bench: Bench, desk: Desk):
    bench.settings(redaction=["cards"])
    add_person(bench.connection, 7, "tom@example.com")
    bench.cycle()
    bugs = "/api/v1/externalSources/bugs"
    feedback = {"Subject": "4111 1111 1111 1111 breaks", "Email": "tom@example.com"}
    taken = desk.post(bugs, json=feedback).json()
    desk.post(bugs, json=feedback)
    plan = {"params": {"find": "tom@example.com"}}
    desk.post("/api/v1/userData/plan", json={"Plan__c": "silver"}, **plan)
    desk.post("/api/v1/userData/plan", json={"Plan__c": "gold 5500000000000004"}, **plan)
    desk.remove("tom@example.com", "mail")
    reports = [bench.cycle(REQUESTS) for _ in range(2)]
    assert [each.state for each in reports] == ["Complete"] * 2
    assert reports[0].notes.count("Taken out of what people wrote: 1 of cards") == 2
    assert reports[0].tally["feedback", "redacted"] == 1
    [ticket] = told(bench, "feedback")
    assert (ticket["ticket_id"], ticket["submitter"]) == (taken["id"], "7")
    assert ticket["fields"] == {"title": "[removed] breaks"}
    assert told(bench, "user_data")[-1]["data"] == {"plan": "gold [removed]"}
    assert told(bench, "macros") == [{"macro": "Send mail", "user_ids": ["7"]}]
    status = desk.ask("GET", f"/requests/{taken['id']}").json()
    assert status["status"] == "done"
    assert desk.rows("SELECT 1 FROM crm.request WHERE body IS NOT NULL") == []


@pytest.mark.deep
def test_a_person_is_removed_from_the_request_to_the_receipt(bench: Bench, desk: Desk):
    canary = "canary@example.com"
    add_person(bench.connection, 1, canary, first_name="Canarina")
    add_person(bench.connection, 2)
    for number in (1, 2):
        register(bench.connection, number, number)
    bench.cycle()
    desk.post("/api/v1/externalSources/bugs", json={"Subject": "by Canarina", "Email": canary})
    answer = desk.remove(canary)
    assert answer.status_code == 202
    report = bench.cycle(REQUESTS)
    assert report.state == "Complete", report.reason
    assert told(bench, "feedback") == [], "what was not told yet is told no more"
    assert [lead["Email"] for lead in bench.records("Lead")] == ["p2@example.com"]
    for said in ("canary@", "Canarina"):
        assert list(places_of(desk.database, said)) == []
    status = desk.ask("GET", answer.headers["Location"]).json()
    assert status["request_status"] == "completed"
    assert "canary" not in json.dumps(status).lower()
    assert {each["place"] for each in status["receipt"]["places"]} >= {
        "org/Lead",
        "crm.person",
        "crm.platform_user",
    }
    again = desk.remove(canary)
    assert (again.status_code, again.json()) == (202, answer.json())
    bench.cycle()
    assert list(places_of(desk.database, "canary@")) == []
