"""Accounts and Opportunities have what the Contacts of an Account have together."""

from collections.abc import Iterator
from typing import Any

import pytest

from crm_pipeline.ledger.engagement import request_reading
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.cycle.engagement.conftest import Engaged, complete
from crm_pipeline_tests.flows.engagement.warehouse import (
    define_score,
    define_tag,
    prospect,
    score,
    tag,
    take_away,
)

ALL = {"accounts": True, "opportunity_tags": True, "opportunity_scores": True}


def tags(bench: Bench, sobject: str = "Account") -> dict[str, Any]:
    """The tags of Accounts or Opportunities, by whose and the tag's name: times."""
    table = {
        "Account": ("SW_Account_Tag_Segment_Trigger__c", "Account__c"),
        "Opportunity": ("SW_Opportunity_Tag__c", "Opportunity__c"),
    }[sobject]
    return {f"{e[table[1]]}:{e['Name']}": e["Times__c"] for e in bench.records(table[0])}


def scores(bench: Bench, sobject: str = "Account") -> dict[str, Any]:
    return {
        f"{e[f'{sobject}__c']}:{e['Name']}": (e.get("Value__c"), e.get("Grade__c"))
        for e in bench.records(f"{sobject}_Score__c")
    }


def temperature(bench: Bench, org_account: str) -> float | None:
    found: float | None = bench.org.table("Account").rows[org_account].get("Temperature__c")
    return found


def settled(bench: Bench) -> None:
    """Cycles until one does nothing but read the org: its six objects take two calls."""
    for _ in range(6):
        if not complete(bench).api_calls_by_kind.keys() - {"changes", "changes+updated"}:
            return
    raise AssertionError("the cycles come to no end")


@pytest.fixture
def bench(engaged: Engaged) -> Iterator[Bench]:
    with engaged(**ALL) as made:
        define_tag(made.connection, "hot")
        define_tag(made.connection, "new")
        define_score(made.connection, "fit")
        yield made


def person(bench: Bench, name: str, org_account: str | None, **columns: Any) -> str:
    prospect(bench.connection, name, **columns)
    where = {"AccountId": org_account} if org_account else {}
    return bench.seed("Contact", LastName=name, Email=f"{name}@x.example", **where)


@pytest.fixture
def firm(bench: Bench) -> str:
    """An Account with three Contacts of whom something is known, one of whom nothing, a Lead."""
    org_account = bench.seed("Account", Name="Firm")
    other = bench.seed("Account", Name="Other")
    for name, warmth in (("ada", 10), ("bob", 40), ("eve", 90), ("joe", None)):
        person(bench, name, org_account, temperature=warmth)
    person(bench, "zoe", other, temperature=1)
    person(bench, "una", None, temperature=1)
    prospect(bench.connection, "lee", temperature=1)
    bench.seed("Lead", LastName="L", Company="C", Email="lee@x.example")
    for name, times in (("ada", 2), ("bob", 3)):
        tag(bench.connection, name, "hot", times=times)
    tag(bench.connection, "lee", "new")
    for name, value, grade in (("ada", 1, "B"), ("bob", 4, "A"), ("eve", None, "B")):
        score(bench.connection, name, "fit", value, grade=grade)
    return org_account


def test_an_account_has_what_its_contacts_have(bench: Bench, firm: str) -> None:
    report = complete(bench)
    assert tags(bench) == {f"{firm}:Hot": 5}
    assert scores(bench) == {f"{firm}:Fit": (2.5, "B")}
    assert temperature(bench, firm) == 40
    assert report.tally["aggregate_temperature", "examined"] == 2
    assert report.tally["aggregate_temperature", "update"] == 2
    assert report.tally["aggregate_tags", "create"] == 1
    assert report.tally["aggregate_scores", "create"] == 1


@pytest.mark.deep
def test_the_opportunities_of_an_account_have_what_it_has(bench: Bench, firm: str) -> None:
    def opportunity(org_account: str) -> str:
        said = {"StageName": "Prospecting", "CloseDate": "2026-12-31"}
        return bench.seed("Opportunity", Name="O", AccountId=org_account, **said)

    old = opportunity(firm)
    elsewhere = opportunity(bench.seed("Account", Name="Nobody's"))
    settled(bench)
    assert tags(bench, "Opportunity") == {f"{old}:Hot": 5}
    assert scores(bench, "Opportunity") == {f"{old}:Fit": (2.5, "B")}
    new = opportunity(firm)
    bench.admin("edit", id=old, fields={"AccountId": None})
    bench.admin("edit", id=elsewhere, fields={"AccountId": firm})
    tag(bench.connection, "eve", "new")
    settled(bench)
    assert tags(bench, "Opportunity").keys() == {
        f"{each}:{name}" for each in (new, elsewhere) for name in ("Hot", "New")
    }
    bench.admin("delete", ids=[new])
    settled(bench)
    assert {each.split(":")[0] for each in tags(bench, "Opportunity")} == {elsewhere}


def test_only_accounts_of_which_something_changed_are_computed(bench: Bench, firm: str) -> None:
    settled(bench)
    prospect(bench.connection, "ada", temperature=60)
    report = complete(bench)
    assert temperature(bench, firm) == 60
    assert report.tally["aggregate_temperature", "examined"] == 1
    assert report.tally["aggregate_temperature", "update"] == 1


@pytest.mark.deep
def test_an_account_that_loses_its_last_contact_is_emptied(bench: Bench, firm: str) -> None:
    settled(bench)
    other = bench.seed("Account", Name="Later")
    ada, bob, *rest = [e["Id"] for e in bench.records("Contact") if e.get("AccountId") == firm]
    bench.admin("edit", id=ada, fields={"AccountId": other})
    settled(bench)
    assert (temperature(bench, firm), temperature(bench, other)) == (65, 10)
    assert tags(bench) == {f"{firm}:Hot": 3, f"{other}:Hot": 2}
    assert scores(bench)[f"{firm}:Fit"] == (4, "A")
    bench.admin("delete", ids=[bob])
    for each in rest:
        bench.admin("edit", id=each, fields={"Email": "gone@x.example"})
    settled(bench)
    assert temperature(bench, firm) is None
    assert tags(bench) == {f"{other}:Hot": 2}
    assert scores(bench) == {f"{other}:Fit": (1, "B")}


@pytest.mark.deep
def test_what_is_not_known_at_the_source_any_more_leaves_the_account(
    bench: Bench, firm: str
) -> None:
    settled(bench)
    take_away(bench.connection, "tag_definition", tag_id="hot")
    prospect(bench.connection, "eve", life_cycle="Deleted", temperature=90)
    define_score(bench.connection, "fit", name="Fits")
    settled(bench)
    assert tags(bench) == {}
    assert scores(bench) == {f"{firm}:Fits": (2.5, "A")}
    assert temperature(bench, firm) == 25


@pytest.mark.deep
def test_a_merged_account_hands_on_its_contacts(bench: Bench, firm: str) -> None:
    loser = bench.seed("Account", Name="Firm Ltd")
    person(bench, "max", loser, temperature=100)
    tag(bench.connection, "max", "new")
    settled(bench)
    assert temperature(bench, loser) == 100
    bench.admin("merge", object="Account", master_id=firm, ids=[loser])
    settled(bench)
    assert tags(bench) == {f"{firm}:Hot": 5, f"{firm}:New": 1}
    assert temperature(bench, firm) == 65


@pytest.mark.deep
@pytest.mark.parametrize("chosen", [{}, {"accounts": True}])
def test_what_is_switched_off_is_taken_off(
    bench: Bench, firm: str, chosen: dict[str, bool]
) -> None:
    said = {"StageName": "Prospecting", "CloseDate": "2026-12-31"}
    bench.seed("Opportunity", Name="O", AccountId=firm, **said)
    settled(bench)
    assert len(tags(bench)) == len(tags(bench, "Opportunity")) == 1
    bench.settings(engagement=chosen)
    request_reading(bench.connection, ACCOUNT)
    settled(bench)
    stays = chosen == {"accounts": True}
    assert bool(tags(bench)) is bool(scores(bench)) is stays
    assert temperature(bench, firm) == (40 if stays else None)
    assert tags(bench, "Opportunity") == scores(bench, "Opportunity") == {}
    bench.settings(engagement=ALL)
    request_reading(bench.connection, ACCOUNT)
    settled(bench)
    assert len(tags(bench)) == len(tags(bench, "Opportunity")) == 1


@pytest.mark.deep
@pytest.mark.parametrize("master", ["account", "opportunity"])
def test_details_of_their_account_or_opportunity(engaged: Engaged, master: str) -> None:
    with engaged(**ALL, master_detail=[master]) as bench:
        define_tag(bench.connection, "hot")
        org_account = bench.seed("Account", Name="Firm")
        person(bench, "ada", org_account, temperature=5)
        tag(bench.connection, "ada", "hot")
        said = {"StageName": "Prospecting", "CloseDate": "2026-12-31"}
        bench.seed("Opportunity", Name="O", AccountId=org_account, **said)
        settled(bench)
        assert len(tags(bench)) == len(tags(bench, "Opportunity")) == 1
        bench.admin("delete", ids=[org_account])
        settled(bench)
        assert tags(bench) == tags(bench, "Opportunity") == {}
