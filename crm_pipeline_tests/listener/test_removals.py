"""Removals by three doors: the listener's address, OpenDSR, an outbound message."""

import threading
import time
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from crm_pipeline.database.statements import statement
from crm_pipeline_tests.listener.conftest import ORG, Desk

TOM = "tom@example.com"


def dsr(address: str = TOM, number: str | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "subject_request_id": number or str(uuid4()),
        "subject_request_type": "erasure",
        "submitted_time": "2026-11-29T12:00:00Z",
        "regulation": "gdpr",
        "api_version": "2.0",
        "subject_identities": [
            {"identity_type": "email", "identity_value": address, "identity_format": "raw"}
        ],
        **changes,
    }


def message(*addresses: str, org: str = ORG, first: int = 1) -> str:
    notifications = "".join(
        f"<Notification><Id>04l{n:012}AAA</Id>"
        '<sObject xsi:type="sf:Lead" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">'
        f"<sf:Id>00Q000000000001</sf:Id><sf:Email>{address}</sf:Email></sObject></Notification>"
        for n, address in enumerate(addresses, first)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
        '<notifications xmlns="http://soap.sforce.com/2005/09/outbound">'
        f"<OrganizationId>{org}</OrganizationId><ActionId>04k000000000001</ActionId>"
        "<SessionId>SECRET-SESSION</SessionId><EnterpriseUrl>https://x</EnterpriseUrl>"
        f"<PartnerUrl>https://x</PartnerUrl>{notifications}</notifications>"
        "</soapenv:Body></soapenv:Envelope>"
    )


def send(desk: Desk, body: str, listener: str = "gdpr", **how: Any) -> Any:
    path = f"/api/v1/outboundMessages/{desk.key}/{listener}"
    return desk.post(path, key=None, data=body, headers={"Content-Type": "text/xml"}, **how)


def requests_of(desk: Desk) -> list[Any]:
    return desk.rows("SELECT kind, door, name, state, address FROM crm.request ORDER BY seq")


def tombstones(desk: Desk) -> list[Any]:
    return desk.rows("SELECT verb, expires_at IS NULL AS holds FROM crm.erased ORDER BY seq")


def test_a_user_of_the_platform_is_removed(desk: Desk):
    desk.user("7", TOM)
    answer = desk.remove("Tom@Example.com")
    assert answer.status_code == 202
    assert answer.json()["status"] == "accepted"
    assert answer.headers["Location"] == f"/requests/{answer.json()['id']}"
    assert requests_of(desk) == [("removal", "listener", "gdpr", "pending", TOM)]
    assert tombstones(desk) == [("erase", True)]
    [row] = desk.rows("SELECT body FROM crm.request")
    assert row.body == {"does": "erase", "in_org": "delete"}
    status = desk.ask("GET", answer.headers["Location"]).json()
    assert (status["status"], status["request_status"]) == ("pending", "pending")


def test_somebody_whom_only_the_ledger_knows_is_removed(desk: Desk):
    desk.run(
        "INSERT INTO crm.person (account_id, address, as_of)"
        " VALUES ('acme', 'tom@example.com', now())"
    )
    assert desk.remove(TOM).status_code == 202


def test_nobody_is_told_so_and_not_imported_for_a_while(desk: Desk):
    answer = desk.remove(TOM)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert TOM not in answer.text
    assert requests_of(desk) == []
    assert tombstones(desk) == [("suppress", False)]
    desk.user("7", TOM)
    assert desk.remove(TOM).status_code == 202, "known by now"
    assert tombstones(desk) == [("erase", True)]


def test_whoever_does_not_pass_the_filter_is_not_found(desk: Desk):
    desk.user("7", TOM, country_code="DE")
    desk.user("8", "ann@example.com", country_code="IE")
    assert desk.remove(TOM, "british").status_code == 404
    assert tombstones(desk) == []
    assert desk.remove("ann@example.com", "british").status_code == 202


def test_suppressed_and_told(desk: Desk):
    desk.user("7", TOM)
    told = desk.remove(TOM, "mail")
    assert told.status_code == 202
    assert desk.remove(TOM, "mail").json() == told.json()
    assert desk.remove(TOM, "pause").status_code == 202
    assert tombstones(desk) == [("suppress", True)]
    assert [row.kind for row in requests_of(desk)] == ["macro", "removal"]
    desk.user("9", "ann@example.com")
    assert desk.remove("bob@example.com", "mail").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "find=tony%2Bx%40example.com",
        "FIND=tony+x@example.com",
        "find=tony%20x%40example.com",
        "Find=%20tony%2bx@EXAMPLE.com&other=1",
    ],
)
def test_however_the_address_is_written(desk: Desk, query: str):
    desk.user("7", "tony+x@example.com")
    answer = desk.post(f"/api/v1/userMacroListeners/gdpr?{query}")
    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("find=", 400),
        ("find=nobody", 400),
        ("find=tom%40example.com&find=ann%40example.com", 400),
        ("find=tom%40example.com&FIND=tom%40example.com", 400),
        ("find=%ff%40example.com", 400),
        ("find=tom%40example.com&apiKey=wrong", 400),
    ],
)
def test_what_is_no_question(desk: Desk, query: str, status: int):
    assert desk.post(f"/api/v1/userMacroListeners/gdpr?{query}").status_code == status


def test_asked_for_again_it_is_the_same_request(desk: Desk):
    desk.user("7", TOM)
    first = desk.remove(TOM)
    assert desk.remove("TOM@example.com").json() == first.json()
    desk.run("UPDATE crm.request SET state = 'done', address = NULL")
    desk.run("DELETE FROM crm.platform_user")
    again = desk.remove(TOM)
    assert (again.status_code, again.json()) == (202, first.json())
    assert len(requests_of(desk)) == 1


def test_the_three_doors_lead_to_one_removal(desk: Desk):
    desk.user("7", TOM)
    by_listener = desk.remove(TOM)
    asked = dsr()
    by_dsr = desk.post("/requests", json=asked)
    by_message = send(desk, message(TOM))
    assert [a.status_code for a in (by_listener, by_dsr, by_message)] == [202, 201, 200]
    assert b"<Ack>true</Ack>" in by_message.content
    assert len(requests_of(desk)) == 1
    assert by_dsr.headers["Location"] == by_listener.headers["Location"]
    status = desk.ask("GET", f"/requests/{asked['subject_request_id']}").json()
    assert status["id"] == by_listener.json()["id"]
    assert status["subject_request_id"] == asked["subject_request_id"]


def test_the_same_key_with_something_else_is_refused(desk: Desk):
    desk.user("7", TOM)
    desk.user("8", "ann@example.com")
    keyed: dict[str, Any] = {"headers": {"Idempotency-Key": '"abc"'}}
    first = desk.remove(TOM, **keyed)
    assert first.status_code == 202
    assert desk.remove(TOM, **keyed).json() == first.json()
    assert desk.remove("ann@example.com", **keyed).status_code == 422
    assert desk.remove(TOM, headers={"Idempotency-Key": "a b"}).status_code == 400
    asked = dsr()
    assert desk.post("/requests", json=asked).status_code == 201
    assert (
        desk.post("/requests", json=dsr("ann@example.com", asked["subject_request_id"])).status_code
        == 422
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"subject_request_type": "access"}, "subject_request_type"),
        ({"subject_request_type": "portability"}, "subject_request_type"),
        ({"subject_request_id": "1"}, "subject_request_id"),
        ({"subject_identities": []}, "subject_identities"),
        (
            {
                "subject_identities": [
                    {"identity_type": "email", "identity_value": "x", "identity_format": "sha256"}
                ]
            },
            "subject_identities",
        ),
        ({"status_callback_urls": ["https://example.com"]}, "status_callback_urls"),
        ({"submitted_time": "yesterday"}, "submitted_time"),
    ],
)
def test_what_of_open_dsr_is_not_supported(desk: Desk, changes: dict[str, Any], field: str):
    answer = desk.post("/requests", json=dsr(**changes))
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]


def test_open_dsr_says_what_it_speaks(desk: Desk):
    assert desk.ask("GET", "/discovery").json()["supported_subject_request_types"] == ["erasure"]
    assert desk.post("/requests", json=dsr("nobody@example.com")).status_code == 404
    desk.settings(open_dsr=None)
    assert desk.post("/requests", json=dsr()).status_code == 409


def test_an_outbound_message_is_acknowledged_whoever_it_is_about(desk: Desk):
    desk.user("7", TOM)
    answer = send(desk, message(TOM, "nobody@example.com", "no address"))
    assert answer.status_code == 200
    assert [row.address for row in requests_of(desk)] == [TOM]
    assert send(desk, message(TOM, "nobody@example.com")).status_code == 200
    assert len(requests_of(desk)) == 1
    stored = desk.rows("SELECT r::text AS said FROM crm.request AS r")
    assert "SECRET-SESSION" not in str(stored)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (message(TOM, org="00D000000000002EAA"), 401),
        ("no XML", 400),
        ("<a/>", 400),
        (message(), 400),
        ('<!DOCTYPE a [<!ENTITY b "c">]>' + message(TOM), 400),
        (message(*["tom@example.com"] * 101), 400),
    ],
)
def test_what_is_no_outbound_message_of_ours(desk: Desk, body: str, status: int):
    assert send(desk, body).status_code == status


def test_messages_of_no_org_are_taken_while_none_is_named(desk: Desk):
    desk.settings(organization_id=None)
    assert send(desk, message(TOM)).status_code == 409


WAITING = text(
    "SELECT count(*) FROM pg_locks JOIN pg_database AS d ON d.oid = database"
    " WHERE locktype = 'advisory' AND NOT granted AND d.datname = current_database()"
)


def test_a_removal_waits_for_requests_that_go_out_but_not_long(desk: Desk):
    desk.user("7", TOM)
    look = {"account_id": "acme", "after": 0}
    with desk.database.connect() as sending:
        sending.execute(statement("inbound/hold_tombstones"), look)
        begun = time.monotonic()
        refused = desk.remove(TOM)
        assert refused.status_code == 503
        assert refused.headers["Retry-After"] == "1"
        assert time.monotonic() - begun < 3
        assert requests_of(desk) == []
        answers: list[int] = []
        asking = threading.Thread(target=lambda: answers.append(desk.remove(TOM).status_code))
        asking.start()
        # It waits for a second.
        while not sending.scalar(WAITING):
            assert asking.is_alive()
        assert answers == []
        sending.execute(statement("inbound/release_tombstones"), {"account_id": "acme"})
        sending.commit()
        asking.join(30)
        assert answers == [202]


def test_of_many_who_ask_at_once_one_is_first(desk: Desk):
    desk.user("7", TOM)
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(desk.remove(TOM))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(requests_of(desk)) == 1
