"""Options that are switched, and an org that lacks what the workflow needs."""

from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.accounts.engagement import EngagementSettings
from crm_pipeline.flows.engagement.topics import ALL_OF_THE_ORG
from crm_pipeline.ledger.engagement import (
    count_records,
    end_requests,
    request_reading,
    requested_readings,
)
from crm_pipeline.lineage.assets import TOPICS, metadata
from crm_pipeline.sample.org_objects import objects_of_org
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.cycle.engagement.conftest import Engaged, complete
from crm_pipeline_tests.flows.engagement.warehouse import (
    define_score,
    define_tag,
    page,
    prospect,
    score,
    tag,
)
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

OWN = [
    "SW_Tag__c",
    "Score__c",
    "Prospect__c",
    "SW_Prospect_Tag__c",
    "Prospect_Score__c",
    "Page_Prospect__c",
    "SW_Tag_Segment_Trigger__c",
    "Prospect_Score_Instance__c",
    "Website_Visit__c",
]
TOGETHER = [
    "SW_Account_Tag_Segment_Trigger__c",
    "Account_Score__c",
    "SW_Opportunity_Tag__c",
    "Opportunity_Score__c",
]
ALL = {"pages": True, "accounts": True, "opportunity_tags": True, "opportunity_scores": True}


def fill(bench: Bench) -> str:
    """A prospect with everything, matched to a lead."""
    define_tag(bench.connection, "hot")
    define_score(bench.connection, "fit")
    prospect(bench.connection, "ada", favorite=True)
    tag(bench.connection, "ada", "hot")
    score(bench.connection, "ada", "fit", 1)
    page(bench.connection, "ada", "1", title="Prices")
    return bench.seed("Lead", LastName="L", Company="C", Email="ada@x.example")


def there(bench: Bench) -> list[str]:
    known = [sobject for sobject in OWN + TOGETHER if sobject.lower() in bench.org.tables]
    return [sobject for sobject in known if bench.records(sobject)]


def choose(bench: Bench, **chosen: Any) -> None:
    """Switches as the command line does it: all is said anew."""
    bench.settings(engagement=chosen)
    request_reading(bench.connection, ACCOUNT)


def test_pages_that_are_switched_off_are_deleted(engaged: Engaged) -> None:
    with engaged(pages=True) as bench:
        fill(bench)
        complete(bench)
        assert there(bench) == OWN
        choose(bench)
        complete(bench)
        assert there(bench) == [name for name in OWN if "Page" not in name and "Visit" not in name]
        choose(bench, pages=True)
        complete(bench)
        assert there(bench) == OWN


@pytest.mark.deep
def test_a_field_that_is_mapped_no_more_is_emptied_once(engaged: Engaged) -> None:
    fields = ("Warm__c", "temperature"), ("Liked__c", "favorite"), ("Prospect_Id__c", "prospect_id")
    with engaged(accounts=True, person_fields=dict(fields)) as bench:
        known = fill(bench)
        firm = bench.seed("Account", Name="Firm")
        bench.seed("Contact", LastName="L", Email="ada@x.example", AccountId=firm)
        bench.connection.execute(text("UPDATE warehouse.prospect SET temperature = 40"))
        complete(bench)
        complete(bench)

        def shown() -> list[Any]:
            lead = bench.org.table("Lead").rows[known]
            account = bench.org.table("Account").rows[firm]
            return [*(lead[name] for name, _ in fields), account["Temperature__c"]]

        assert shown() == [40, True, "ada", 40]
        choose(bench, accounts=True, person_fields=dict(fields[2:]))
        complete(bench)
        assert shown() == [None, False, "ada", 40]
        choose(bench, accounts=True, person_fields={}, temperature_of_account="AnnualRevenue")
        complete(bench)
        complete(bench)
        assert shown() == [None, False, None, None]
        assert bench.org.table("Account").rows[firm]["AnnualRevenue"] == 40
        prospect(bench.connection, "ada", favorite=True, temperature=50)
        sent = complete(bench)
        assert sent.api_calls_by_kind.keys() <= {"changes", "changes+updated", "update", "upsert"}
        assert shown() == [None, False, None, None]


@pytest.mark.deep
def test_a_clean_up_takes_all_of_it_off_and_nothing_else(engaged: Engaged) -> None:
    with engaged(**ALL) as bench:
        known = fill(bench)
        firm = bench.seed("Account", Name="Firm")
        bench.seed("Contact", LastName="L", Email="ada@x.example", AccountId=firm)
        said = {"StageName": "Prospecting", "CloseDate": "2026-12-31"}
        bench.seed("Opportunity", Name="O", AccountId=firm, **said)
        made_by_people = bench.admin(
            "create",
            object="SW_Tag_Segment_Trigger__c",
            fields={"Name": "By hand", "Record_Key__c": "hand", "Lead__c": known},
        )["id"]
        complete(bench)
        complete(bench)
        assert there(bench) == OWN + TOGETHER
        choose(bench, **ALL, clean_up=True)
        complete(bench)
        complete(bench)
        assert there(bench) == ["SW_Tag_Segment_Trigger__c"]
        assert [each["Id"] for each in bench.records("SW_Tag_Segment_Trigger__c")] == [
            made_by_people
        ]
        lead = bench.org.table("Lead").rows[known]
        assert (lead["Prospect_Id__c"], lead["Favorite__c"]) == (None, False)
        assert bench.org.table("Account").rows[firm]["Temperature__c"] is None
        held = [each.name for each in EngagementSettings(**ALL).org_objects]
        # Nothing is said to stay where it is switched off now.
        assert count_records(bench.connection, ACCOUNT, ALL_OF_THE_ORG, held) == 0
        assert complete(bench).api_calls_by_kind.keys() <= {"changes", "changes+updated"}


def test_objects_of_another_name_take_the_place_of_the_former_ones(engaged: Engaged) -> None:
    """All was exhausted: records of the new objects were sought by the Ids of the former ones."""
    objects = objects_of_org(EngagementSettings().org_objects)
    for name, each in objects_of_org(EngagementSettings(prefix="x_").org_objects).items():
        objects.setdefault(name, {"fields": {}})["fields"].update(each["fields"])
    with engaged({"objects": objects}) as bench:
        fill(bench)
        complete(bench)
        former = there(bench)
        choose(bench, prefix="x_")
        written = complete(bench).outside
        assert (written["salesforce/Prospect__c", "create"], there(bench)) == (1, [])
        assert [len(bench.records(f"x_{name}")) for name in former] == [1] * len(former)
        complete(bench)
        assert set(bench.states().values()) == {"done"}
        assert complete(bench).counts.api_calls == 1


def test_other_flows_go_on_where_the_org_lacks_its_objects(engaged: Engaged) -> None:
    objects = objects_of_org(EngagementSettings().org_objects)
    del objects["Prospect_Score__c"]
    objects["Prospect__c"]["fields"]["Prospect_Id__c"]["external_id"] = False
    with engaged({"objects": objects}) as bench:
        fill(bench)
        add_person(bench.connection, 1, email="eve@x.example")
        register(bench.connection, 1, person=1)
        report = bench.cycle()
        assert report.state == "Failed"
        assert "Prospect__c.Prospect_Id__c: is no external id" in report.reason
        assert "Prospect_Score__c: not in the org" in report.reason
        assert "eve@x.example" in [each["Email"] for each in bench.records("Lead")]
        assert there(bench) == []
        assert "load_results" in report.done
        assert "get_prospects" not in report.done


def test_an_object_that_is_not_described_now_is_not_said_to_be_missing(engaged: Engaged) -> None:
    with engaged() as bench:
        fill(bench)
        bench.fault("describe", "error", times=1)
        reason = bench.cycle().reason
        assert "does not describe" in reason
        assert "not in the org" not in reason
        complete(bench)


def test_what_was_mended_in_the_org_is_seen_by_the_next_cycle(engaged: Engaged) -> None:
    with engaged() as bench:
        bench.admin("settings", hidden_fields=["Prospect__c.Email__c"])
        fill(bench)
        assert "Prospect__c.Email__c: not in the org" in bench.cycle().reason
        bench.admin("settings", hidden_fields=[])
        complete(bench)
        assert len(bench.records("Prospect__c")) == 1


@pytest.mark.deep
@pytest.mark.parametrize("route", ["composite", "bulk"])
def test_nothing_goes_without_a_field_that_is_hidden_between_two_cycles(
    engaged: Engaged, monkeypatch: pytest.MonkeyPatch, route: str
) -> None:
    """The cycle was Complete, the field stayed empty, and was so when it was shown again."""
    with engaged() as bench:
        monkeypatch.setattr("crm_pipeline.salesforce.bulk._SHORTEST_WAIT_SECONDS", 0.02)
        bench.settings(route=route)
        fill(bench)
        complete(bench)
        complete(bench)
        bench.admin("settings", hidden_fields=["SW_Prospect_Tag__c.Times__c"])
        define_tag(bench.connection, "new")
        for name, times in (("hot", 7), ("new", 3)):
            tag(bench.connection, "ada", name, times=times)
        bench.cycle()
        assert "SW_Prospect_Tag__c.Times__c: not in the org" in bench.cycle().reason
        bench.admin("settings", hidden_fields=[])
        complete(bench)
        complete(bench)
        assert sorted(e["Times__c"] for e in bench.records("SW_Prospect_Tag__c")) == [3, 7]
        assert set(bench.states().values()) == {"done"}


def test_what_is_asked_for_while_it_is_read_is_read_once_more(bench: Bench) -> None:
    request_reading(bench.connection, ACCOUNT, "ada")
    bench.connection.commit()
    seen = requested_readings(bench.connection, ACCOUNT)
    bench.connection.commit()
    request_reading(bench.connection, ACCOUNT, "ada")
    bench.connection.commit()
    end_requests(bench.connection, ACCOUNT, seen)
    again = requested_readings(bench.connection, ACCOUNT)
    assert again.keys() == {"ada"}
    end_requests(bench.connection, ACCOUNT, again)
    assert not requested_readings(bench.connection, ACCOUNT)


def test_a_step_that_an_option_switches_off_is_absent_and_says_so(engaged: Engaged) -> None:
    with engaged(pages=True) as bench:
        fill(bench)
        shown = metadata(TOPICS["get_prospect_pages"], complete(bench))
        assert (shown["examined"], shown["create"]) == (1, 1)
        choose(bench)
        # What it takes off is counted; then nothing is left to count.
        assert metadata(TOPICS["get_prospect_pages"], complete(bench))["delete"] == 1
        report = complete(bench)
        for topic, choice in {
            "get_prospect_pages": "engagement.pages is off",
            "aggregate_tags": "engagement.accounts is off",
            "create_opportunity_tags": "engagement.opportunity_tags is off",
            "tracked_leads": "attribution is off",
        }.items():
            shown = metadata(TOPICS[topic], report)
            assert shown.pop("absent") == choice
            assert shown.keys() <= {"account", "cycle", "attribution", "rejected_by_reason"}
        assert "absent" not in metadata(TOPICS["get_prospects"], report)


@pytest.mark.deep
def test_each_option_takes_off_what_it_left_and_brings_it_back(engaged: Engaged) -> None:
    with engaged(**ALL) as bench:
        fill(bench)
        firm = bench.seed("Account", Name="Firm")
        bench.seed("Contact", LastName="L", Email="ada@x.example", AccountId=firm)
        said = {"StageName": "Prospecting", "CloseDate": "2026-12-31"}
        bench.seed("Opportunity", Name="O", AccountId=firm, **said)
        bench.connection.execute(text("UPDATE warehouse.prospect SET temperature = 40"))
        for chosen, taken_off in (
            ({"pages": False}, ["Page_Prospect__c", "Website_Visit__c"]),
            ({"opportunity_tags": False}, ["SW_Opportunity_Tag__c"]),
            ({"opportunity_scores": False}, ["Opportunity_Score__c"]),
            (
                {"accounts": False, "opportunity_tags": False, "opportunity_scores": False},
                TOGETHER,
            ),
        ):
            for now, absent in ((ALL, []), ({**ALL, **chosen}, taken_off), (ALL, [])):
                choose(bench, **now)
                for _ in range(3):
                    complete(bench)
                every = OWN + TOGETHER
                assert [name for name in every if name not in there(bench)] == absent
                warm = bench.org.table("Account").rows[firm]["Temperature__c"]
                assert warm == (None if absent == TOGETHER else 40)
        assert set(bench.states().values()) == {"done"}
