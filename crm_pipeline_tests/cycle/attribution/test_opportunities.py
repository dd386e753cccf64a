"""Opportunities come back: to which lead, and what the platform is told when things change."""

import copy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import requests
from sqlalchemy import Engine, text

from crm_pipeline.accounts.store import get_account
from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline.declaration import Watched
from crm_pipeline.inbound.erasing import erase, traces_of
from crm_pipeline.inbound.tombstones import bury, hasher_of
from crm_pipeline.ledger.anew import start_anew
from crm_pipeline.local_org.ids import long_id
from crm_pipeline_tests.cycle.attribution.deals import (
    DEAL_ORG,
    ID_ON_OPPORTUNITY,
    choose,
    cycle,
    deal,
    deals,
    deals_of,
    edit,
    messages,
    of_lead,
    role,
    sums,
    told,
    waits,
)
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench, account_of
from crm_pipeline_tests.flows.webinars.warehouse import (
    CLIENT,
    add_person,
    register,
    track,
)
from crm_pipeline_tests.small_flow.badges import badges_flow

__all__ = ["deals"]

ADA: dict[str, Any] = {"contact_name": "Ada Lovelace", "email": "ada@example.com"}
BOB: dict[str, Any] = {"contact_name": "Bob Babbage", "email": "bob@example.com"}
CALLER: dict[str, Any] = {"kind": "call", "phone": "030 901820", "contact_name": "Cy Caller"}


def contact(bench: Bench, **fields: Any) -> str:
    """A contact that was always there."""
    return bench.seed("Contact", **{"LastName": "Contact", **fields})


def sweep(bench: Bench) -> None:
    """Two days later everything that is held is looked for."""
    bench.connection.execute(
        text("UPDATE crm.org_sweep SET begun_at = begun_at - interval '2 days'")
    )
    cycle(bench)


def rule_of(bench: Bench, lead: int, opportunity: str) -> str:
    return str(of_lead(bench, lead, opportunity)["match"]["rule"])


def test_a_contact_that_we_hold(deals: Bench) -> None:
    ada = contact(deals, Email="ada@example.com")
    track(deals.connection, 1, **ADA)
    cycle(deals)
    made = deal(deals, ada)
    cycle(deals)
    assert rule_of(deals, 1, made) == "contact_role"
    assert of_lead(deals, 1, made)["match"]["because"] == f"primary contact {ada}"


def test_opportunities_of_another_org_are_not_taken_for_those_that_were_read(
    deals: Bench,
) -> None:
    deal(deals)
    cycle(deals)
    deals.org.id = str(long_id("00DREFRESHED000"))
    deal(deals)
    report = deals.cycle()
    assert report.state == "Failed"
    assert "The login leads to org 00DREFRESHED000" in report.reason
    assert report.tally["opportunities", "examined"] == 0


def test_the_id_on_the_opportunity(deals: Bench) -> None:
    track(deals.connection, 1, **ADA)
    cycle(deals)
    made = deal(deals, **{ID_ON_OPPORTUNITY: "1"})
    cycle(deals)
    assert rule_of(deals, 1, made) == "id_on_opportunity"


def test_the_id_on_the_contact(deals: Bench) -> None:
    other = contact(deals, Tracker_Id__c="1")
    track(deals.connection, 1, **ADA)
    cycle(deals)
    made = deal(deals, other)
    cycle(deals)
    assert rule_of(deals, 1, made) == "id_on_contact"


@pytest.mark.parametrize(
    ("fields", "lead", "rule"),
    [
        ({"Email": "ADA@example.com "}, ADA, "email"),
        ({"Phone": "+49 (0)30 / 90 18 20"}, CALLER, "phone"),
        ({"MobilePhone": "0049 30 901820"}, CALLER, "phone"),
    ],
)
def test_how_a_contact_may_be_reached(
    deals: Bench, fields: dict[str, Any], lead: dict[str, Any], rule: str
) -> None:
    """The contact is made after the lead of the tracker, which has a Lead of its own in the org."""
    track(deals.connection, 1, **lead)
    cycle(deals)
    made = deal(deals, contact(deals, **fields))
    cycle(deals)
    assert rule_of(deals, 1, made) == rule


@pytest.mark.deep
def test_an_id_that_the_org_keeps_as_a_number_is_the_trackers_all_the_same(
    pipeline: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = {"type": "double", "scale": 0}
    objects: dict[str, Any] = copy.deepcopy(DEAL_ORG["objects"])
    for sobject, field in (
        ("Lead", "Tracker_Id__c"),
        ("Contact", "Tracker_Id__c"),
        ("Opportunity", ID_ON_OPPORTUNITY),
    ):
        objects[sobject]["fields"][field] = number
    with deals_of(pipeline, monkeypatch, objects=objects) as bench:
        other = contact(bench, Tracker_Id__c=2)
        track(bench.connection, 1, **ADA)
        track(bench.connection, 2, **BOB)
        cycle(bench)
        named: dict[str, Any] = {ID_ON_OPPORTUNITY: 1}
        made, by_contact = deal(bench, **named), deal(bench, other)
        cycle(bench)
        assert rule_of(bench, 1, made) == "id_on_opportunity"
        assert rule_of(bench, 2, by_contact) == "id_on_contact"

        # Deleted and undeleted between two readings it is as it was; below zero it is told so.
        before = messages(bench)
        bench.admin("delete", ids=[made])
        bench.admin("undelete", ids=[made])
        cycle(bench)
        assert messages(bench) == before
        edit(bench, made, Amount=-0.01)
        cycle(bench)
        assert of_lead(bench, 1, made)["amount"] == "-0.01"


def test_a_number_that_two_contacts_have_matches_neither(deals: Bench) -> None:
    track(deals.connection, 1, **CALLER)
    cycle(deals)
    one, two = contact(deals, Phone="+4930901820"), contact(deals, Phone="030 901820")
    made, other = deal(deals, one), deal(deals, two)
    assert cycle(deals) == {}
    assert waits(deals, made) == waits(deals, other)
    assert "several people" in str(waits(deals, made))


def test_a_number_that_another_contact_has_without_any_role(deals: Bench) -> None:
    """The index of the org's numbers knows of it."""
    track(deals.connection, 1, **CALLER)
    cycle(deals)
    one = contact(deals, Phone="+4930901820")
    contact(deals, Phone="030 901820")
    made = deal(deals, one)
    cycle(deals)
    assert "several people" in str(waits(deals, made))


def test_a_lead_that_the_tracker_tells_later(deals: Bench) -> None:
    made = deal(deals, contact(deals, Email="ada@example.com"))
    cycle(deals)
    assert waits(deals, made) == "nobody around it is a tracked lead"
    track(deals.connection, 1, **ADA)
    cycle(deals)
    cycle(deals)
    assert waits(deals, made) is None
    assert told(deals)


def test_a_contact_whose_address_is_told_later(deals: Bench) -> None:
    ada = contact(deals)
    made = deal(deals, ada)
    track(deals.connection, 1, **ADA)
    cycle(deals)
    assert waits(deals, made) == "nobody around it is a tracked lead"
    edit(deals, ada, Email="ada@example.com")
    cycle(deals)
    assert rule_of(deals, 1, made) == "email"


def test_an_opportunity_older_than_the_first_reading_that_a_lead_is_converted_into(
    deals: Bench,
) -> None:
    fields = {"Name": "Old", "StageName": "Prospecting", "CloseDate": "2025-01-01", "Amount": 9}
    old = deals.seed("Opportunity", **fields, CreatedDate="2020-01-01T00:00:00.000+0000",
                     SystemModstamp="2020-01-01T00:00:00.000+0000")  # fmt: skip
    track(deals.connection, 1, **ADA)
    assert cycle(deals) == {}
    [lead] = deals.records("Lead")
    deals.admin("convert", lead_id=lead["Id"], opportunity_id=old)
    cycle(deals)
    assert rule_of(deals, 1, old) == "converted_lead"
    assert of_lead(deals, 1, old)["fired"] == {"updated": 1}


def test_roles_and_conversions_older_than_the_first_reading(deals: Bench) -> None:
    track(deals.connection, 1, **ADA)
    track(deals.connection, 2, **BOB)
    deals.settings(attribution={"triggers": []})
    cycle(deals)
    ada, bob = sorted(deals.records("Lead"), key=lambda each: each["Email"])
    made = deals.admin("convert", lead_id=ada["Id"], opportunity_name="By Ada")["opportunity_id"]
    became = deals.admin("convert", lead_id=bob["Id"])["contact_id"]
    with_role = deal(deals, became)
    choose(deals)
    cycle(deals)
    assert rule_of(deals, 1, made) == "converted_lead"
    assert rule_of(deals, 2, with_role) == "contact_role"


def test_who_looks_further_back_later_has_what_is_older_read_too(deals: Bench) -> None:
    track(deals.connection, 1, **ADA)
    choose(deals, first_reading_days=1)
    cycle(deals)
    deals.admin("settings", clock_shift_seconds=-30 * 86_400)
    old = deal(deals, **{ID_ON_OPPORTUNITY: "1"})
    deals.admin("settings", clock_shift_seconds=0)
    assert cycle(deals) == {}
    choose(deals, first_reading_days=60)
    cycle(deals)
    assert of_lead(deals, 1, old)["fired"] == {"updated": 1}
    deals.cycle()
    assert deals.cycle().counts.api_calls == 1


def test_a_flow_that_is_turned_on_later_looks_back_as_far_as_it_wants(deals: Bench) -> None:
    """Another one that looks back less far has read the object before."""
    track(deals.connection, 1, **ADA)
    deals.connection.commit()
    deals.admin("settings", clock_shift_seconds=-30 * 86_400)
    old = deal(deals, **{ID_ON_OPPORTUNITY: "1"})
    deals.admin("settings", clock_shift_seconds=0)
    only_new = badges_flow([], watches=(Watched("Opportunity", ("Name",), held_only=False),))
    topics = frozenset(topic.name for topic in only_new.topics)
    report = sync_account(ACCOUNT, run_id="test", steps=topics, flows=[only_new])
    assert (report.state, report.counts.api_calls > 0) == ("Complete", True)
    cycle(deals)
    assert of_lead(deals, 1, old)["standing"] == "open"


@pytest.mark.deep
def test_an_opportunity_that_comes_to_another_lead(deals: Bench) -> None:
    track(deals.connection, 1, **ADA)
    track(deals.connection, 2, **BOB)
    cycle(deals)
    made = deal(deals, **{ID_ON_OPPORTUNITY: "1"})
    cycle(deals)
    edit(deals, made, **{ID_ON_OPPORTUNITY: "2"})
    cycle(deals)
    gone = of_lead(deals, 1, made)
    assert (gone["standing"], gone["amount"], gone["match"]) == ("withdrawn", None, None)
    assert of_lead(deals, 2, made)["amount"] == "100.00"
    assert sums(deals) == {"USD": Decimal(100)}
    edit(deals, made, **{ID_ON_OPPORTUNITY: "1"})
    cycle(deals)
    assert of_lead(deals, 1, made)["standing"] == "open"
    assert of_lead(deals, 2, made)["standing"] == "withdrawn"


def test_a_role_that_is_taken_away(deals: Bench) -> None:
    ada = contact(deals, Email="ada@example.com")
    track(deals.connection, 1, **ADA)
    cycle(deals)
    made = deal(deals)
    given = role(deals, made, ada)
    cycle(deals)
    assert rule_of(deals, 1, made) == "contact_role"
    deals.admin("delete", ids=[given])
    cycle(deals)
    assert of_lead(deals, 1, made)["standing"] == "withdrawn"
    assert waits(deals, made) == "no contact has a role in it, and no lead was converted into it"


def test_a_lead_that_turns_out_to_be_spam_loses_its_value(deals: Bench) -> None:
    track(deals.connection, 1, **ADA)
    cycle(deals)
    made = deal(deals, **{ID_ON_OPPORTUNITY: "1"})
    cycle(deals)
    track(deals.connection, 1, minute=5, is_spam=True)
    cycle(deals)
    assert of_lead(deals, 1, made)["standing"] == "withdrawn"


def test_several_leads_share_it_to_the_cent(deals: Bench) -> None:
    people = [ADA, BOB, {"contact_name": "Cy", "email": "cy@example.com"}]
    for number, each in enumerate(people, start=1):
        track(deals.connection, number, minute=number, **each)
    contacts = [contact(deals, Email=each["email"]) for each in people]
    cycle(deals)
    made = deal(deals, contacts[1], Amount=100)
    for other in (contacts[0], contacts[2]):
        role(deals, made, other)
    cycle(deals)
    assert [body["lead"] for body in told(deals).values()] == ["2"]
    choose(deals, split="equal")
    cycle(deals)
    assert [of_lead(deals, lead, made)["amount"] for lead in (2, 1, 3)] == [
        "33.34",
        "33.33",
        "33.33",
    ]
    assert of_lead(deals, 1, made)["match"]["part"] == "2/3"
    choose(deals, split="first_touch")
    cycle(deals)
    assert of_lead(deals, 1, made)["amount"] == "100.00"
    assert of_lead(deals, 2, made)["standing"] == of_lead(deals, 3, made)["standing"] == "withdrawn"
    assert sums(deals) == {"USD": Decimal(100)}


@pytest.mark.deep
@pytest.mark.parametrize("stamped", [True, False])
def test_a_merged_opportunity_goes_back_and_its_people_are_the_winners(
    pipeline: Engine, monkeypatch: pytest.MonkeyPatch, *, stamped: bool
) -> None:
    """Nobody could tell whether a merge stamps what it moves."""
    with deals_of(pipeline, monkeypatch, merge_stamps_children=stamped) as deals:
        merge_two(deals)


def merge_two(deals: Bench) -> None:
    ada = contact(deals, Email="ada@example.com")
    track(deals.connection, 1, **ADA)
    cycle(deals)
    loser, winner = deal(deals, ada, Amount=5), deal(deals, Amount=7)
    cycle(deals)
    assert waits(deals, winner) is not None
    deals.admin("merge", object="Opportunity", master_id=winner, ids=[loser])
    cycle(deals)
    assert of_lead(deals, 1, loser)["standing"] == "deleted"
    assert of_lead(deals, 1, winner)["amount"] == "7.00"
    assert sums(deals) == {"USD": Decimal(7)}


@pytest.mark.deep
def test_an_opportunity_erased_past_the_bin_goes_back_after_proof(deals: Bench) -> None:
    track(deals.connection, 1, **ADA)
    cycle(deals)
    made = deal(deals, **{ID_ON_OPPORTUNITY: "1"})
    deal(deals, **{ID_ON_OPPORTUNITY: "1"})
    cycle(deals)
    deals.admin("erase", ids=[made])
    sweep(deals)
    sweep(deals)
    assert of_lead(deals, 1, made)["standing"] == "open"
    sweep(deals)
    assert of_lead(deals, 1, made)["standing"] == "deleted"


def test_a_role_erased_past_the_bin_is_noticed(deals: Bench) -> None:
    """Where its contact is erased, the role goes along, and the org tells of neither."""
    ada, bob = contact(deals, Email="ada@example.com"), contact(deals, Email="bob@example.com")
    for number, each in enumerate((ADA, BOB), start=1):
        track(deals.connection, number, **each)
    cycle(deals)
    made = deal(deals, ada)
    role(deals, made, bob)
    cycle(deals)
    deals.admin("erase", ids=[ada])
    for _ in range(3):
        sweep(deals)
    assert of_lead(deals, 1, made)["standing"] == "withdrawn"
    assert rule_of(deals, 2, made) == "contact_role"


@pytest.mark.deep
def test_an_opportunity_that_is_hidden_for_a_while_comes_back(deals: Bench) -> None:
    track(deals.connection, 1, **ADA)
    cycle(deals)
    choose(deals, opportunity_id_field=ID_ON_OPPORTUNITY.upper())
    erased, made = (deal(deals, **{ID_ON_OPPORTUNITY: "1"}) for _ in range(2))
    deal(deals, **{ID_ON_OPPORTUNITY: "1"})
    cycle(deals)

    url = f"{deals.server.url_of(ACCOUNT)}/_admin/hidden-records"
    requests.post(url, json=[made], timeout=30).raise_for_status()
    for _ in range(2):
        sweep(deals)
    deals.admin("erase", ids=[erased])
    for _ in range(2):
        sweep(deals)
    assert of_lead(deals, 1, made)["standing"] == "deleted"
    # It comes back with the field by which it is matched, while another one is found to be gone.
    requests.post(url, json=[], timeout=30).raise_for_status()
    sweep(deals)
    assert of_lead(deals, 1, erased)["standing"] == "deleted"
    assert of_lead(deals, 1, made)["standing"] == "open"


def test_a_stage_that_means_something_else_now(deals: Bench) -> None:
    track(deals.connection, 1, **ADA)
    cycle(deals)
    made = deal(deals, StageName="Negotiation/Review", **{ID_ON_OPPORTUNITY: "1"})
    cycle(deals)
    assert of_lead(deals, 1, made)["standing"] == "open"
    [stage] = [
        each
        for each in deals.records("OpportunityStage")
        if each["MasterLabel"] == "Negotiation/Review"
    ]
    edit(deals, stage["Id"], IsWon=True)
    cycle(deals)
    assert of_lead(deals, 1, made)["standing"] == "won"
    edit(deals, stage["Id"], MasterLabel="Signed")
    cycle(deals)
    body = of_lead(deals, 1, made)
    assert (body["stage"], body["standing"]) == ("Signed", "won")


def test_a_stage_left_and_come_back_to_between_two_readings_is_history(deals: Bench) -> None:
    track(deals.connection, 1, **ADA)
    cycle(deals)
    made = deal(deals, **{ID_ON_OPPORTUNITY: "1"})
    cycle(deals)
    for stage in ("Qualification", "Prospecting"):
        edit(deals, made, StageName=stage)
    cycle(deals)
    stages = [each["stage"] for each in of_lead(deals, 1, made)["history"]]
    assert stages == ["Prospecting", "Qualification", "Prospecting"]


@pytest.mark.deep
def test_amounts_of_several_currencies_are_never_summed(deals: Bench) -> None:
    track(deals.connection, 1, **ADA)
    cycle(deals)
    deal(deals, Amount=10.5, **{ID_ON_OPPORTUNITY: "1"})
    deal(deals, Amount=20, CurrencyIsoCode="EUR", **{ID_ON_OPPORTUNITY: "1"})
    deal(deals, Amount=None, **{ID_ON_OPPORTUNITY: "1"})
    cycle(deals)
    assert sums(deals) == {"USD": Decimal("10.5"), "EUR": Decimal(20)}


def test_an_org_that_gets_several_currencies_tells_unchanged_opportunities_in_theirs(
    deals: Bench,
) -> None:
    """Until then it names none, as with a hidden field; none is edited afterwards."""
    track(deals.connection, 1, **ADA)
    deals.admin("settings", hidden_fields=["Opportunity.CurrencyIsoCode"])
    choose(deals, currency="EUR")
    cycle(deals)
    named = {ID_ON_OPPORTUNITY: "1"}
    made, other = deal(deals, **named), deal(deals, CurrencyIsoCode="EUR", **named)
    cycle(deals)
    assert sums(deals) == {"EUR": 200}
    deals.admin("settings", hidden_fields=[])
    deals.connection.execute(text("DELETE FROM crm.sobject_schema"))
    later = "UPDATE crm.org_position SET covered = now() + interval '1 hour'"
    for _ in range(2):
        deals.connection.execute(text(later))
        cycle(deals)
    assert sums(deals) == {"USD": 100, "EUR": 100}
    assert of_lead(deals, 1, made)["version"] == of_lead(deals, 1, other)["version"] == 1
    before = messages(deals)
    cycle(deals)
    assert messages(deals) == before


def test_late_commits_are_not_lost(deals: Bench) -> None:
    track(deals.connection, 1, **ADA)
    cycle(deals)
    fields = {
        "Name": "Late",
        "StageName": "Prospecting",
        "CloseDate": "2026-12-31",
        ID_ON_OPPORTUNITY: "1",
    }
    deals.admin("create", object="Opportunity", fields=fields, hold_seconds=3600)
    deal(deals, **{ID_ON_OPPORTUNITY: "1"})
    cycle(deals)
    cycle(deals)
    assert len(told(deals)) == 1
    deals.admin("transactions/end")
    cycle(deals)
    assert {body["name"] for body in told(deals).values()} == {"Deal", "Late"}


def test_two_accounts_on_one_org_are_both_told(deals: Bench) -> None:
    account_of(
        deals.connection,
        deals.server,
        "other",
        f"{CLIENT}-2",
        org=ACCOUNT,
        attribution={"opportunity_id_field": ID_ON_OPPORTUNITY},
        read_back_minutes=0,
    )
    track(deals.connection, 1, **ADA)
    track(deals.connection, 2, client=f"{CLIENT}-2", **BOB)
    cycle(deals)
    assert deals.cycle(account="other").state == "Complete"
    one, two = deal(deals, **{ID_ON_OPPORTUNITY: "1"}), deal(deals, **{ID_ON_OPPORTUNITY: "2"})
    cycle(deals)
    assert deals.cycle(account="other").state == "Complete"
    assert set(told(deals)) == {f"lead:1:opportunity:{one}", f"lead:2:opportunity:{two}"}


@pytest.mark.deep
def test_what_we_wrote_ourselves_is_no_change(deals: Bench) -> None:
    ada = contact(deals, Email="ada@example.com")
    made = deal(deals, ada)
    track(deals.connection, 1, source="google", **ADA)
    cycle(deals)
    cycle(deals)
    before, body = messages(deals), of_lead(deals, 1, made)
    track(deals.connection, 1, minute=5, source="bing", city="Berlin", **ADA)
    for _ in range(3):
        cycle(deals)
    [written] = [each for each in deals.records("Contact") if each["Id"] == ada]
    assert written["MailingCity"] == "Berlin"
    assert (messages(deals), of_lead(deals, 1, made)) == (before, body)


def test_of_people_who_were_removed_nothing_is_kept_again(deals: Bench) -> None:
    """They stay in the org, where the account chose so, and are read back with every change."""
    ada = contact(deals, Email="ada@example.com", Phone="030 901820")
    made = deal(deals, ada, StageName="Closed Won")
    track(deals.connection, 1, gclid="Cj0K", **ADA)
    cycle(deals)
    cycle(deals)
    assert conversions(deals) == ["Cj0K"]
    account = get_account(deals.connection, ACCOUNT)
    hasher = hasher_of(deals.connection, account)
    bury(deals.connection, hasher, "ada@example.com", "erase")
    erase(deals.connection, traces_of(deals.connection, hasher, "ada@example.com"), seq=0)
    deals.connection.commit()
    assert conversions(deals) == []
    edit(deals, ada, Title="Countess")
    role(deals, made, contact(deals))
    cycle(deals)
    cycle(deals)
    rows = deals.connection.execute(
        text("SELECT email, phones, tracker_id FROM crm.opportunity_person")
    )
    assert {(row.email, *row.phones, row.tracker_id) for row in rows} == {(None, None)}
    deals.connection.rollback()
    assert waits(deals, made) == "nobody around it is a tracked lead"
    assert conversions(deals) == []


def conversions(bench: Bench) -> list[str | None]:
    """The click ids of the conversions that ad platforms may take."""
    found = bench.connection.scalars(text("SELECT gclid FROM platform_inbox.ad_conversion")).all()
    bench.connection.rollback()
    return list(found)


@pytest.mark.parametrize(
    "hidden", ["Opportunity.Amount", "OpportunityHistory.StageName", "Contact.Email"]
)
def test_a_field_that_is_hidden_is_named_and_holds_up_no_other_flow(
    deals: Bench, hidden: str
) -> None:
    track(deals.connection, 1, **ADA)
    made = deal(deals, **{ID_ON_OPPORTUNITY: "1"})
    cycle(deals)
    deals.admin("settings", hidden_fields=[hidden])
    edit(deals, made, Amount=5)
    add_person(deals.connection, 1)
    register(deals.connection, 1, 1)
    report = deals.cycle()
    assert (report.state, hidden.partition(".")[2] in report.reason) == ("Failed", True)
    report = deals.cycle()
    assert f"The org lacks for the flow attribution: {hidden}: not in the org" in report.reason
    # Without addresses of contacts nobody can be looked for.
    assert len(deals.records("Event")) == (hidden != "Contact.Email")
    assert of_lead(deals, 1, made)["amount"] == "100.00"
    deals.admin("settings", hidden_fields=[])
    cycle(deals)
    assert of_lead(deals, 1, made)["amount"] == "5.00"


def test_a_number_of_leads_that_is_hidden_holds_up_nothing(deals: Bench) -> None:
    deals.admin("settings", hidden_fields=["Lead.MobilePhone", "Lead.Country"])
    track(deals.connection, 1, **ADA)
    cycle(deals)
    [lead] = deals.records("Lead")
    made = deals.admin("convert", lead_id=lead["Id"], opportunity_name="Engines")["opportunity_id"]
    cycle(deals)
    assert rule_of(deals, 1, made) == "converted_lead"


def test_an_account_that_starts_anew_in_another_org_reads_all_around_opportunities_again(
    deals: Bench,
) -> None:
    """A role that the new org has not does not hold there, whatever is not seen is not gone yet."""
    ada = contact(deals, Email="ada@example.com")
    track(deals.connection, 1, **ADA)
    cycle(deals)
    made = deal(deals)
    given = role(deals, made, ada)
    by_id = deal(deals, **{ID_ON_OPPORTUNITY: "1"})
    cycle(deals)
    assert rule_of(deals, 1, made) == "contact_role"
    start_anew(deals.connection, ACCOUNT)
    deals.connection.commit()
    # Erased: no reading of changes would ever meet it.
    deals.admin("erase", ids=[given])
    report = deals.cycle()
    assert report.state == "Complete", report.reason
    assert of_lead(deals, 1, made)["standing"] == "withdrawn"
    assert rule_of(deals, 1, by_id) == "id_on_opportunity"
    before = messages(deals)
    cycle(deals)
    assert messages(deals) == before


def test_what_is_read_again_is_told_once(deals: Bench) -> None:
    track(deals.connection, 1, **ADA)
    cycle(deals)
    made = deal(deals, **{ID_ON_OPPORTUNITY: "1"})
    cycle(deals)
    before = messages(deals)
    deals.connection.execute(text("UPDATE crm.org_position SET covered = '2020-01-01'"))
    cycle(deals)
    edit(deals, made, NextStep="call")
    cycle(deals)
    assert messages(deals) == before


def test_an_opportunity_of_before_the_start_waits_unless_the_platform_was_told(
    deals: Bench,
) -> None:
    track(deals.connection, 1, **ADA)
    cycle(deals)
    made = deal(deals, contact(deals, Email="ada@example.com"))
    deals.org.table("Opportunity").rows[made]["CreatedDate"] = datetime(2025, 6, 1, tzinfo=UTC)
    deals.settings(start_at="2026-01-01")
    assert cycle(deals) == {}
    assert waits(deals, made) == "before the account's start (start_at)"
    deals.settings(start_at=None)
    cycle(deals)
    assert of_lead(deals, 1, made)["amount"] == "100.00"
    deals.settings(start_at="2026-01-01")
    edit(deals, made, Amount=200)
    cycle(deals)
    assert of_lead(deals, 1, made)["amount"] == "200.00"
