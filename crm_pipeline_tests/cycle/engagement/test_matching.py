"""Prospects are matched to every Lead and Contact with their address, and taken off again."""

from typing import Any

import pytest
import requests
from sqlalchemy import text

from crm_pipeline.ledger.engagement import request_reading
from crm_pipeline.local_org.rules import RULES
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.cycle.engagement.conftest import Engaged, complete
from crm_pipeline_tests.depth import deep_but_first
from crm_pipeline_tests.flows.engagement.warehouse import (
    define_score,
    define_tag,
    page,
    prospect,
    score,
    tag,
    take_away,
)


def lead(bench: Bench, email: str, **fields: Any) -> str:
    return bench.seed("Lead", LastName="L", Company="C", Email=email, **fields)


def contact(bench: Bench, email: str, **fields: Any) -> str:
    return bench.seed("Contact", LastName="L", Email=email, **fields)


def shown(bench: Bench, sobject: str, record_id: str) -> dict[str, Any]:
    record = bench.org.table(sobject).rows[record_id]
    names = ("Prospect_Id__c", "Favorite__c", "Temperature__c")
    return {name: record.get(name) for name in names}


def copies(bench: Bench, field: str = "Lead__c") -> list[tuple[str, str]]:
    """The tags of people: whose, and which."""
    names = {each["Id"]: each["Tag_Id__c"] for each in bench.org.table("SW_Tag__c").rows.values()}
    found = [
        (each[field], names[each["SW_Tag__c"]])
        for each in bench.records("SW_Tag_Segment_Trigger__c")
        if each.get(field)
    ]
    return sorted(found)


def status(bench: Bench) -> tuple[str, float, float]:
    [record] = bench.records("Prospect__c")
    attempts = record["Lead_Sync_Attempts__c"], record["Contact_Sync_Attempts__c"]
    return record["Sync_Status__c"], *attempts


NOTHING = {"Prospect_Id__c": None, "Favorite__c": False, "Temperature__c": None}


@pytest.fixture
def ada(bench: Bench) -> Bench:
    """A prospect with a tag and a score."""
    define_tag(bench.connection, "hot")
    define_score(bench.connection, "fit")
    prospect(bench.connection, "ada", favorite=True, temperature=70)
    tag(bench.connection, "ada", "hot")
    score(bench.connection, "ada", "fit", 12)
    return bench


def test_every_lead_and_every_contact_with_the_address_is_matched(ada: Bench) -> None:
    leads = [lead(ada, "Ada@x.example"), lead(ada, "ada@X.example")]
    known = contact(ada, "ada@x.example")
    other = lead(ada, "bob@x.example")
    report = complete(ada)
    of_ada = {"Prospect_Id__c": "ada", "Favorite__c": True, "Temperature__c": 70}
    for each in leads:
        assert shown(ada, "Lead", each) == of_ada
    assert shown(ada, "Contact", known) == of_ada
    assert shown(ada, "Lead", other)["Prospect_Id__c"] is None
    assert copies(ada) == [(each, "hot") for each in sorted(leads)]
    assert copies(ada, "Contact__c") == [(known, "hot")]
    scores = ada.records("Prospect_Score_Instance__c")
    assert {(each.get("Lead__c") or each["Contact__c"], each["Value__c"]) for each in scores} == {
        (each, 12) for each in (*leads, known)
    }
    assert report.tally["match_prospects_to_leads", "examined"] == 2
    assert report.tally["match_prospects_to_leads", "update"] == 2
    assert report.tally["match_prospects_to_leads", "create"] == 4
    assert report.tally["match_prospects_to_contacts", "update"] == 1


@pytest.mark.deep
def test_the_status_says_when_its_people_have_it(ada: Bench) -> None:
    lead(ada, "ada@x.example")
    complete(ada)
    assert status(ada) == ("Not Processed", 0, 0)
    complete(ada)
    assert status(ada) == ("Processed", 1, 0)
    assert complete(ada).counts.api_calls == 1


def test_who_appears_or_changes_the_address_is_found_by_reading_back(ada: Bench) -> None:
    complete(ada)
    assert status(ada) == ("Processed", 0, 0)
    bob = lead(ada, "bob@x.example")
    complete(ada)
    assert shown(ada, "Lead", bob)["Prospect_Id__c"] is None
    ada.admin("edit", id=bob, fields={"Email": "ada@x.example"})
    report = complete(ada)
    assert shown(ada, "Lead", bob)["Prospect_Id__c"] == "ada"
    assert copies(ada) == [(bob, "hot")]
    assert report.counts.api_calls - report.api_calls_by_kind.get("describe", 0) == 2
    ada.admin("edit", id=bob, fields={"Email": "bob@x.example"})
    complete(ada)
    assert shown(ada, "Lead", bob) == NOTHING
    assert copies(ada) == []


def test_of_two_prospects_with_an_address_the_one_changed_last_speaks(ada: Bench) -> None:
    known = lead(ada, "ada@x.example")
    define_tag(ada.connection, "new")
    prospect(ada.connection, "twin", email="ADA@x.example ", temperature=20)
    tag(ada.connection, "twin", "new")
    complete(ada)
    assert shown(ada, "Lead", known)["Prospect_Id__c"] == "twin"
    assert copies(ada) == [(known, "hot"), (known, "new")]
    reason = ada.connection.scalar(
        text("SELECT reason FROM crm.operation WHERE natural_key LIKE 'engaged:%'")
    )
    assert str(reason).endswith("of 2 prospects with its address, twin changed last")
    prospect(ada.connection, "ada", temperature=99)
    complete(ada)
    assert shown(ada, "Lead", known)["Temperature__c"] == 99


@pytest.mark.deep
def test_a_converted_lead_is_not_touched_and_its_contact_is_matched(ada: Bench) -> None:
    known = lead(ada, "ada@x.example")
    complete(ada)
    ada.admin("convert", lead_id=known)
    [became] = ada.records("Contact")
    complete(ada)
    assert copies(ada, "Contact__c") == [(became["Id"], "hot")]
    assert shown(ada, "Contact", became["Id"])["Prospect_Id__c"] == "ada"
    prospect(ada.connection, "ada", temperature=1)
    complete(ada)
    assert shown(ada, "Contact", became["Id"])["Temperature__c"] == 1
    assert shown(ada, "Lead", known)["Temperature__c"] == 70


@pytest.mark.deep
@pytest.mark.parametrize("life_cycle", ["Merged", "Deleted"])
def test_what_is_not_active_is_taken_off(ada: Bench, life_cycle: str) -> None:
    known, other = lead(ada, "ada@x.example"), contact(ada, "ada@x.example")
    complete(ada)
    prospect(ada.connection, "ada", life_cycle=life_cycle, favorite=True)
    report = complete(ada)
    assert shown(ada, "Lead", known) == NOTHING
    assert shown(ada, "Contact", other) == NOTHING
    assert ada.records("SW_Tag_Segment_Trigger__c") == []
    assert ada.records("Prospect_Score_Instance__c") == []
    assert ada.records("Prospect__c")[0]["Life_Cycle__c"] == life_cycle
    assert status(ada)[0] == "Processed"
    assert report.tally["clean_leads", "update"] == report.tally["clean_contacts", "update"] == 1


def test_what_a_full_reading_does_not_find_is_gone(ada: Bench) -> None:
    known = lead(ada, "ada@x.example")
    complete(ada)
    take_away(ada.connection, "prospect", prospect_id="ada")
    complete(ada)
    assert shown(ada, "Lead", known)["Prospect_Id__c"] == "ada"
    request_reading(ada.connection, ACCOUNT)
    complete(ada)
    for sobject in ("Prospect__c", "SW_Prospect_Tag__c", "Prospect_Score__c"):
        assert ada.records(sobject) == []
    assert shown(ada, "Lead", known) == NOTHING
    assert copies(ada) == []
    prospect(ada.connection, "ada", temperature=5)
    complete(ada)
    assert shown(ada, "Lead", known)["Temperature__c"] == 5
    assert len(ada.records("SW_Prospect_Tag__c")) == 1


def test_a_full_reading_of_one_prospect_is_about_that_one(ada: Bench) -> None:
    prospect(ada.connection, "bob")
    complete(ada)
    take_away(ada.connection, "prospect", client_id="client-1")
    request_reading(ada.connection, ACCOUNT, "ada")
    complete(ada)
    assert [each["Prospect_Id__c"] for each in ada.records("Prospect__c")] == ["bob"]


@pytest.mark.deep
def test_a_prospect_that_people_delete_is_gone_until_the_source_changes_it(ada: Bench) -> None:
    known = lead(ada, "ada@x.example")
    complete(ada)
    complete(ada)
    [record] = ada.records("Prospect__c")
    ada.admin("delete", ids=[record["Id"]])
    complete(ada)
    complete(ada)
    assert ada.records("Prospect__c") == []
    assert shown(ada, "Lead", known) == NOTHING
    assert copies(ada) == []
    prospect(ada.connection, "ada", temperature=5)
    complete(ada)
    assert [each["Temperature__c"] for each in ada.records("Prospect__c")] == [5]
    assert shown(ada, "Lead", known)["Temperature__c"] == 5


@pytest.mark.deep
def test_a_prospect_out_of_the_bin_is_there_with_all_of_it(ada: Bench) -> None:
    """It lay there without tags, and its people had nothing of it."""
    known = lead(ada, "ada@x.example")
    complete(ada)
    complete(ada)
    [record] = ada.records("Prospect__c")
    ada.admin("delete", ids=[record["Id"]])
    complete(ada)
    assert ada.records("SW_Prospect_Tag__c") == []
    ada.admin("undelete", ids=[record["Id"]])
    complete(ada)
    assert [each["Id"] for each in ada.records("Prospect__c")] == [record["Id"]]
    assert len(ada.records("SW_Prospect_Tag__c")) == len(ada.records("Prospect_Score__c")) == 1
    assert shown(ada, "Lead", known)["Prospect_Id__c"] == "ada"
    assert copies(ada) == [(known, "hot")]


@pytest.mark.deep
@pytest.mark.parametrize("by_people", deep_but_first(1, [True, False]))
def test_out_of_the_bin_a_prospect_that_left_the_source_goes_again(
    ada: Bench, *, by_people: bool
) -> None:
    """It lay in the org without tags, and nobody knew of it."""
    known = lead(ada, "ada@x.example")
    complete(ada)
    complete(ada)
    [record] = ada.records("Prospect__c")
    if by_people:
        ada.admin("delete", ids=[record["Id"]])
        complete(ada)
    take_away(ada.connection, "prospect", prospect_id="ada")
    request_reading(ada.connection, ACCOUNT)
    complete(ada)
    complete(ada)
    for _ in range(2):
        ada.admin("undelete", ids=[record["Id"]])
        assert len(ada.records("Prospect__c")) == 1
        complete(ada)
        assert ada.records("Prospect__c") == ada.records("SW_Prospect_Tag__c") == []
    assert shown(ada, "Lead", known) == NOTHING
    assert complete(ada).counts.api_calls == 1
    # The source has it again: it is made anew.
    prospect(ada.connection, "ada", temperature=5)
    complete(ada)
    assert len(ada.records("Prospect__c")) == len(ada.records("SW_Prospect_Tag__c")) == 1
    assert shown(ada, "Lead", known)["Temperature__c"] == 5


def test_a_copy_that_people_delete_comes_again_with_its_next_change(ada: Bench) -> None:
    """It was never made again, and each change of it was told as done."""
    known = lead(ada, "ada@x.example")
    complete(ada)
    gone = ada.records("SW_Tag_Segment_Trigger__c") + ada.records("SW_Prospect_Tag__c")
    ada.admin("delete", ids=[each["Id"] for each in gone])
    complete(ada)
    assert copies(ada) == []
    tag(ada.connection, "ada", "hot", times=4)
    complete(ada)
    assert copies(ada) == [(known, "hot")]
    assert [each["Times__c"] for each in ada.records("SW_Prospect_Tag__c")] == [4]
    assert set(ada.states().values()) == {"done"}


def test_copies_of_a_deleted_lead_are_deleted(ada: Bench) -> None:
    known = lead(ada, "ada@x.example")
    complete(ada)
    ada.admin("delete", ids=[known])
    complete(ada)
    assert ada.records("SW_Tag_Segment_Trigger__c") == []
    assert ada.records("Prospect_Score_Instance__c") == []


def test_copies_that_were_made_without_an_answer_are_deleted_with_their_lead(ada: Bench) -> None:
    complete(ada)
    someone = lead(ada, "ada@x.example")
    ada.fault("collections.upsert", "reset_after", times=1)
    ada.cycle()
    assert copies(ada) == [(someone, "hot")]
    assert "in_flight" in ada.states().values()
    ada.admin("delete", ids=[someone])
    complete(ada)
    assert ada.records("SW_Tag_Segment_Trigger__c") == []
    assert ada.records("Prospect_Score_Instance__c") == []


def test_of_two_leads_that_people_merge_one_keeps_its_copies(ada: Bench) -> None:
    winner, loser = lead(ada, "ada@x.example"), lead(ada, "ada@x.example")
    complete(ada)
    ada.admin("merge", object="Lead", master_id=winner, ids=[loser])
    complete(ada)
    complete(ada)
    assert copies(ada) == [(winner, "hot")]
    assert shown(ada, "Lead", winner)["Prospect_Id__c"] == "ada"


@pytest.mark.deep
def test_a_lead_without_a_prospect_keeps_nothing_of_one_that_it_absorbed(ada: Bench) -> None:
    winner, loser = lead(ada, "other@x.example"), lead(ada, "ada@x.example")
    complete(ada)
    ada.admin("merge", object="Lead", master_id=winner, ids=[loser])
    for _ in range(3):
        complete(ada)
    assert copies(ada) == []
    assert shown(ada, "Lead", winner) == NOTHING


@pytest.mark.deep
def test_nobody_keeps_what_came_over_two_steps_between_two_readings(ada: Bench) -> None:
    """The fields that a conversion and a merge carried on to a Contact stayed there."""
    known, other = lead(ada, "ada@x.example"), contact(ada, "other@x.example")
    complete(ada)
    complete(ada)
    ada.admin("convert", lead_id=known)
    [became] = [each["Id"] for each in ada.records("Contact") if each["Id"] != other]
    ada.admin("merge", object="Contact", master_id=other, ids=[became])
    assert shown(ada, "Contact", other)["Prospect_Id__c"] == "ada"
    for _ in range(3):
        complete(ada)
    assert shown(ada, "Contact", other) == NOTHING
    assert copies(ada, "Contact__c") == []


@pytest.mark.deep
def test_what_people_wrote_at_a_contact_stays_where_a_lead_became_it(ada: Bench) -> None:
    known = lead(ada, "ada@x.example")
    other = contact(ada, "other@x.example", Temperature__c=7, Prospect_Id__c="theirs")
    complete(ada)
    ada.admin("convert", lead_id=known, contact_id=other)
    for _ in range(3):
        complete(ada)
    theirs = shown(ada, "Contact", other)
    assert (theirs["Prospect_Id__c"], theirs["Temperature__c"]) == ("theirs", 7)


RULE = {
    "validation_rules": [
        {"object": "Lead", "when": "Temperature__c > 60", "error": "Too hot.", "on": "update"}
    ]
}


@pytest.mark.deep
def test_what_the_org_refuses_is_tried_thirty_times(engaged: Engaged) -> None:
    with engaged(RULE) as bench:
        prospect(bench.connection, "ada", temperature=70)
        known = lead(bench, "ada@x.example")
        bench.cycle()
        assert bench.states()[f"engaged:{known}"] == "failed"
        for tries in range(2, 6):
            bench.cycle()
            assert status(bench) == ("Not Processed", tries, 0)
        bench.connection.execute(
            text("UPDATE crm.operation SET attempts_left = 2 WHERE natural_key LIKE 'engaged:%'")
        )
        for _ in range(3):
            bench.cycle()
        assert bench.states()[f"engaged:{known}"] == "exhausted"
        assert status(bench) == ("Not Processed", 30, 0)
        assert bench.cycle().counts.api_calls == 1
        prospect(bench.connection, "ada", temperature=50)
        complete(bench)
        assert shown(bench, "Lead", known)["Temperature__c"] == 50
        complete(bench)
        assert status(bench) == ("Processed", 1, 0)


def test_what_waits_for_a_lead_does_not_go_to_the_one_that_absorbs_it(engaged: Engaged) -> None:
    """The fields of another prospect were written there, and stayed."""
    with engaged(RULE) as bench:
        for name in ("ada", "bob"):
            prospect(bench.connection, name, temperature=5)
        winner, loser = lead(bench, "ada@x.example"), lead(bench, "bob@x.example")
        complete(bench)
        prospect(bench.connection, "bob", temperature=70)
        complete(bench)
        RULES[bench.org]["Lead"].clear()
        bench.admin("merge", object="Lead", master_id=winner, ids=[loser])
        for _ in range(3):
            complete(bench)
        of_ada = {"Prospect_Id__c": "ada", "Favorite__c": False, "Temperature__c": 5}
        assert shown(bench, "Lead", winner) == of_ada
        assert set(bench.states().values()) == {"done"}


@pytest.mark.deep
def test_a_cause_that_hits_many_is_one_incident_and_costs_no_try(engaged: Engaged) -> None:
    with engaged(RULE) as bench:
        for number in range(60):
            prospect(bench.connection, f"p{number}", temperature=70 if number % 2 else 50)
            lead(bench, f"p{number}@x.example")

        def statuses() -> set[tuple[str, float]]:
            records = bench.records("Prospect__c")
            return {(e["Sync_Status__c"], e["Lead_Sync_Attempts__c"]) for e in records}

        for _ in range(4):
            report = bench.cycle()
        assert report.counts.incidents == 1
        assert "FIELD_CUSTOM_VALIDATION_EXCEPTION holds up 30 records (Lead)" in report.notes
        assert statuses() == {("Processed", 1), ("Not Processed", 0)}
        RULES[bench.org]["Lead"].clear()
        for _ in range(3):
            report = complete(bench)
        assert report.counts.incidents == 0
        assert statuses() == {("Processed", 1)}
        leads = bench.records("Lead")
        assert {e["Prospect_Id__c"] for e in leads} == {f"p{number}" for number in range(60)}


def test_pages_are_off_unless_they_are_asked_for(engaged: Engaged) -> None:
    with engaged(pages=True) as bench:
        bench.settings(engagement={})
        prospect(bench.connection, "ada")
        page(bench.connection, "ada", "1", url="https://x.example/prices")
        lead(bench, "ada@x.example")
        complete(bench)
        assert bench.records("Page_Prospect__c") == bench.records("Website_Visit__c") == []


def test_pages_go_to_prospects_and_their_people(engaged: Engaged) -> None:
    with engaged(pages=True) as bench:
        prospect(bench.connection, "ada")
        known = lead(bench, "ada@x.example")
        for number in range(3):
            page(bench.connection, "ada", str(number), title=f"Page {number}", seconds=number)
        complete(bench)
        assert sorted(each["Title__c"] for each in bench.records("Page_Prospect__c")) == [
            "Page 0",
            "Page 1",
            "Page 2",
        ]
        visits = bench.records("Website_Visit__c")
        assert {(each["Lead__c"], each["Seconds__c"]) for each in visits} == {
            (known, 0),
            (known, 1),
            (known, 2),
        }
        page(bench.connection, "ada", "3", title="Page 3", kind="form submit")
        take_away(bench.connection, "prospect_page", page_id="0")
        complete(bench)
        assert sorted(each["Title__c"] for each in bench.records("Website_Visit__c")) == [
            "Page 1",
            "Page 2",
            "Page 3",
        ]
        assert len(bench.records("Page_Prospect__c")) == 3


def test_addresses_of_pages_are_redacted(engaged: Engaged) -> None:
    """A page's address may hold who logs in, or a key."""
    with engaged(pages=True) as bench:
        bench.settings(redaction=["link_secrets", "emails"])
        prospect(bench.connection, "ada")
        lead(bench, "ada@x.example")
        secret = "https://x.example/welcome?token=4711&mail=ada@x.example#s"
        page(bench.connection, "ada", "1", url=secret, referrer=secret, title="For ada@x.example")
        report = complete(bench)
        for sobject in ("Page_Prospect__c", "Website_Visit__c"):
            [record] = bench.records(sobject)
            assert record["URL__c"] == record["Referrer__c"] == "https://x.example/welcome[removed]"
            assert record["Title__c"] == "For [removed]"
        assert report.tally["get_prospect_pages", "redacted"] == 3
        assert "2 of link_secrets" in report.notes
        kept = bench.connection.scalars(text("SELECT CAST(intent AS text) FROM crm.operation"))
        assert not [each for each in kept if "4711" in each]


@pytest.mark.deep
def test_an_org_without_rights_on_people_cleans_nothing(ada: Bench) -> None:
    known = lead(ada, "ada@x.example")
    complete(ada)
    url = f"{ada.server.url_of(ACCOUNT)}/_admin/hidden-records"
    requests.post(url, json=[known], timeout=30).raise_for_status()
    ada.admin("edit", id=known, fields={"City": "Berlin"})
    for _ in range(4):
        complete(ada)
    assert copies(ada) == [(known, "hot")]
