"""A person who is known by a phone number only is removed by it, and does not come back."""

from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.inbound.keys import make_key
from crm_pipeline.inbound.scanning import places_of
from crm_pipeline.listener import access
from crm_pipeline.listener.server import Listener
from crm_pipeline_tests.cycle.attribution.conftest import ATTRIBUTION
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.flows.webinars.warehouse import track
from crm_pipeline_tests.listener.conftest import INBOUND, Desk

CALL: dict[str, Any] = {"kind": "call", "phone": "030 901820", "contact_name": "Canarina Bird"}


def test_a_caller_is_removed_by_the_number(shop: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(access, "REMEMBERED_SECONDS", 0.0)
    shop.settings(attribution=ATTRIBUTION, inbound=INBOUND)
    key = make_key(shop.connection, ACCOUNT)
    track(shop.connection, 2, kind="call", phone="030 901821")
    # Two others give the same number, so whoever only called is neither.
    track(shop.connection, 3, phone="030 901820", email="family@example.com")
    track(shop.connection, 4, phone="030 901820", email="other@example.com")
    shop.cycle()
    track(shop.connection, 1, minute=10, **CALL)
    assert shop.cycle().state == "Complete"
    before = len(shop.records("Lead"))
    with Listener(shop.connection.engine) as listener:
        desk = Desk(listener.url, key, shop.connection.engine)
        plan = {"params": {"find": "+4930901820"}, "json": {"Plan__c": "gold"}}
        assert desk.post("/api/v1/userData/plan", **plan).status_code == 404, "no user has it"
        assert desk.remove("+4930901899").status_code == 404
        assert desk.remove("030 901820").status_code == 400, "of which country"
        answer = desk.remove("+4930901820")
        assert answer.status_code == 202, answer.text
        assert desk.remove("tel:+4930901820").json() == answer.json()
        report = shop.cycle()
        assert report.state == "Complete", report.reason
        status = desk.ask("GET", answer.headers["Location"]).json()
    assert status["status"] == "done"
    assert len(shop.records("Lead")) == before - 1
    assert "family@example.com" in {lead.get("Email") for lead in shop.records("Lead")}
    told = shop.connection.scalar(
        text("SELECT body FROM platform_inbox.message WHERE topic = 'removals'")
    )
    assert told == {"remove": True, "user_ids": [], "lead_ids": ["1"]}
    track(shop.connection, 5, minute=60, **CALL)
    assert shop.cycle().state == "Complete"
    assert len(shop.records("Lead")) == before - 1
    shop.connection.rollback()
    assert list(places_of(shop.connection.engine, "Canarina")) == []
