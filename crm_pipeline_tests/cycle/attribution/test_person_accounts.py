"""Opportunities of people who are accounts of their own: nobody needs a role in them."""

from typing import Any

import pytest
from sqlalchemy import Engine

from crm_pipeline.inbound.scanning import places_of
from crm_pipeline_tests.cycle.attribution.deals import (
    choose,
    cycle,
    deal,
    deals_of,
    edit,
    of_lead,
    role,
    waits,
)
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.cycle.test_removals import ask, receipt_of
from crm_pipeline_tests.flows.webinars.warehouse import track


def person(bench: Bench, **fields: Any) -> tuple[str, str]:
    """Somebody who is an account; its Id, and that of the contact who is kept of it."""
    made = bench.admin("create", object="Account", fields={"LastName": "Lovelace", **fields})["id"]
    return made, bench.org.table("Account").rows[made]["PersonContactId"]


@pytest.mark.deep
def test_an_opportunity_belongs_to_the_person_who_is_its_account(
    pipeline: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with deals_of(
        pipeline, monkeypatch, person_accounts=True, merge_stamps_children=False
    ) as bench:
        track(bench.connection, 1, contact_name="Ada Lovelace", email="ada@example.com")
        track(bench.connection, 2, kind="call", phone="+49 30 901820")
        cycle(bench)
        ada, contact = person(bench)
        caller, _ = person(bench, Phone="030 901820")
        named, _ = person(bench, Tracker_Id__pc="2")
        company = bench.seed("Account", Name="Engines")
        made = deal(bench, AccountId=ada)
        of_company = deal(bench, AccountId=company)
        of_caller, of_named = deal(bench, AccountId=caller), deal(bench, AccountId=named)
        cycle(bench)
        assert waits(bench, made) == "nobody around it is a tracked lead"
        assert "no contact has a role" in str(waits(bench, of_company))
        assert of_lead(bench, 2, of_caller)["match"]["rule"] == "phone"
        assert of_lead(bench, 2, of_named)["match"]["rule"] == "id_on_contact"

        edit(bench, ada, PersonEmail="ada@example.com")
        cycle(bench)
        match = of_lead(bench, 1, made)["match"]
        assert (match["rule"], match["because"]) == ("email", f"email address of contact {contact}")

        # The account becomes a company's, and the person's again.
        edit(bench, made, AccountId=company)
        cycle(bench)
        assert of_lead(bench, 1, made)["standing"] == "withdrawn"
        edit(bench, made, AccountId=ada)
        cycle(bench)
        assert of_lead(bench, 1, made)["standing"] == "open"

        # Merged without a stamp at the opportunity, and into somebody with another address.
        winner, kept = person(bench, PersonEmail="lovelace@example.com")
        bench.admin("merge", object="Account", master_id=winner, ids=[ada])
        cycle(bench)
        assert of_lead(bench, 1, made)["standing"] == "withdrawn"
        edit(bench, winner, PersonEmail="ada@example.com")
        cycle(bench)
        match = of_lead(bench, 1, made)["match"]
        assert match["because"] == f"email address of contact {kept}"

        # Whoever has a role besides comes first.
        buyer = bench.seed("Contact", LastName="Buyer", Tracker_Id__c="2", AccountId=company)
        bench.admin("delete", ids=[caller])
        role(bench, made, buyer, primary=True)
        cycle(bench)
        cycle(bench)
        assert of_lead(bench, 2, made)["match"]["because"].endswith(buyer)
        assert of_lead(bench, 2, of_caller)["standing"] == "deleted"


@pytest.mark.deep
def test_a_lead_that_became_a_person_without_a_company(
    pipeline: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Known by the record that it was; also opportunities of before the first reading."""
    with deals_of(pipeline, monkeypatch, person_accounts=True) as bench:
        track(bench.connection, 1, contact_name="Ada Lovelace", email="ada@example.com")
        cycle(bench)
        [lead] = bench.records("Lead")
        edit(bench, lead["Id"], Company=None)
        became = bench.admin("convert", lead_id=lead["Id"])
        made = deal(bench, AccountId=became["account_id"])
        cycle(bench)
        match = of_lead(bench, 1, made)["match"]
        assert match["because"].startswith(f"person account, contact {became['contact_id']}")
        bench.admin("delete", ids=[made])
        cycle(bench)
        assert of_lead(bench, 1, made)["standing"] == "deleted"
        bench.admin("undelete", ids=[made])
        cycle(bench)
        assert of_lead(bench, 1, made)["standing"] == "open"

        # Removed, and left in the org: the opportunity is another lead's, and read as before.
        asked = ask(address="ada@example.com", in_org="leave")
        track(bench.connection, 2, kind="call", phone="+49 30 901820")
        cycle(bench)
        receipt_of(asked)
        role(bench, made, bench.seed("Contact", LastName="Caller", Phone="030 901820"))
        edit(bench, made, Amount=7)
        cycle(bench)
        choose(bench, triggers=["matching_filter"], opportunity_filter=[{"field": "Region__c"}])
        for _ in range(2):
            cycle(bench)
        assert of_lead(bench, 2, made)["amount"] == "7.00"
        assert list(places_of(bench.connection.engine, "ada@example.com")) == []
