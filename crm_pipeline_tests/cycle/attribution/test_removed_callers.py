"""A person who is known by a phone number only is removed by it, and does not come back."""

from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.inbound.keys import make_key
from crm_pipeline.inbound.scanning import places_of
from crm_pipeline.listener import access
from crm_pipeline.listener.server import Listener
from crm_pipeline_tests.cycle.attribution.conftest import ATTRIBUTION
from crm_pipeline_tests.cycle.attribution.deals import cycle, deal, deals, edit, of_lead, waits
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.cycle.test_removals import ask, receipt_of
from crm_pipeline_tests.flows.webinars.warehouse import track
from crm_pipeline_tests.listener.conftest import INBOUND, Desk

__all__ = ["deals"]

CALL: dict[str, Any] = {"kind": "call", "phone": "030 901820", "contact_name": "Canarina Bird"}


@pytest.mark.deep
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


@pytest.mark.deep
def test_what_a_removed_callers_record_becomes_in_the_org_is_known_as_theirs(deals: Bench) -> None:
    """It has no address by which one would know it; but what is somebody else's is theirs."""
    track(deals.connection, 1, **CALL)
    track(deals.connection, 2, email="bob@example.com", contact_name="Bob Babbage")
    cycle(deals)
    ids = {each.get("Email"): each["Id"] for each in deals.records("Lead")}
    bobs = deals.admin("convert", lead_id=ids["bob@example.com"])["contact_id"]
    cycle(deals)
    asked = ask(address="tel:+4930901820", in_org="leave")
    cycle(deals)
    receipt_of(asked)
    contact = deals.admin("convert", lead_id=ids[None])["contact_id"]
    made = deal(deals, contact)
    cycle(deals)
    winner = deals.seed("Contact", LastName="Winner")
    deals.admin("merge", object="Contact", master_id=winner, ids=[contact])
    cycle(deals)
    cycle(deals)
    assert waits(deals, made) == "nobody around it is a tracked lead"
    assert list(places_of(deals.connection.engine, "30901820")) == []
    # A merge into whom the account knows makes nobody of that one.
    edit(deals, bobs, Phone="030 901822")
    deals.admin("merge", object="Contact", master_id=bobs, ids=[winner])
    cycle(deals)
    cycle(deals)
    assert of_lead(deals, 2, made)["match"]["because"] == f"primary contact {bobs}"
    assert list(places_of(deals.connection.engine, "30901822")) != []
