"""A full reading that an operator asks for: all of it is brought back as it is to be."""

from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.ledger.engagement import ALL, request_reading
from crm_pipeline.local_org.rules import RULES
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.cycle.engagement.conftest import Engaged, complete
from crm_pipeline_tests.cycle.engagement.test_matching import RULE, lead, shown
from crm_pipeline_tests.cycle.engagement.test_switches import ALL as EVERYTHING
from crm_pipeline_tests.cycle.engagement.test_switches import OWN, TOGETHER, fill
from crm_pipeline_tests.depth import deep_but_first
from crm_pipeline_tests.flows.engagement.warehouse import prospect, tag

COPIES = [name for name in OWN + TOGETHER if name != "Prospect__c"]
SAID = ("Name", "Times__c", "Value__c", "Title__c", "Lead__c", "Contact__c", "Account__c")


def filled(bench: Bench) -> None:
    """A prospect with everything, at a Lead, a Contact, their Account and its Opportunity."""
    fill(bench)
    firm = bench.seed("Account", Name="Firm")
    bench.seed("Contact", LastName="L", Email="ada@x.example", AccountId=firm)
    said = {"StageName": "Prospecting", "CloseDate": "2026-12-31"}
    bench.seed("Opportunity", Name="O", AccountId=firm, **said)
    for _ in range(3):
        complete(bench)


def held(bench: Bench) -> dict[str, list[Any]]:
    """What copies say, by object."""
    return {
        name: sorted(str([each.get(field) for field in SAID]) for each in bench.records(name))
        for name in COPIES
    }


@pytest.mark.deep
@pytest.mark.parametrize("asked", deep_but_first(1, [ALL, "ada"]))
def test_what_people_deleted_or_changed_is_brought_back(engaged: Engaged, asked: str) -> None:
    with engaged(**EVERYTHING) as bench:
        filled(bench)
        before = held(bench)
        assert all(before.values())
        for name in COPIES:
            [first, *others] = bench.records(name)
            bench.admin("delete", ids=[first["Id"]])
            for each in others:
                bench.admin("edit", id=each["Id"], fields={"Name": "By hand"})
        [record] = bench.records("Prospect__c")
        bench.admin("edit", id=record["Id"], fields={"First_Name__c": "By hand"})
        for _ in range(2):
            complete(bench)
        assert held(bench) != before
        request_reading(bench.connection, ACCOUNT, asked, anew=True)
        for _ in range(3):
            bench.cycle()
        assert held(bench) == before
        assert bench.records("Prospect__c")[0]["First_Name__c"] is None
        assert set(bench.states().values()) == {"done"}
        assert complete(bench).api_calls_by_kind.keys() <= {"changes", "changes+updated"}


def test_of_one_prospect_nothing_of_others_is_sent(bench: Bench) -> None:
    fill(bench)
    prospect(bench.connection, "bob")
    tag(bench.connection, "bob", "hot")
    complete(bench)
    complete(bench)
    of = {
        e["Prospect_Tag_Key__c"].partition(":")[0]: e for e in bench.records("SW_Prospect_Tag__c")
    }
    bench.admin("delete", ids=[each["Id"] for each in of.values()])
    request_reading(bench.connection, ACCOUNT, "bob", anew=True)
    report = complete(bench)
    # A reading back, one with all of it, one that asks what is gone, one that makes that anew.
    assert report.api_calls_by_kind == {"changes+updated": 1, "update": 1, "query": 1, "upsert": 1}
    assert [e["Prospect_Tag_Key__c"] for e in bench.records("SW_Prospect_Tag__c")] == ["bob:hot"]


def test_settings_that_change_send_only_what_differs(bench: Bench) -> None:
    fill(bench)
    complete(bench)
    complete(bench)
    request_reading(bench.connection, ACCOUNT)
    report = complete(bench)
    assert report.tally["prospect_tags", "update"] == 0
    assert report.tally["match_prospects_to_leads", "update"] == 0


def test_what_people_wrote_meanwhile_is_told_before_it_is_written_over(bench: Bench) -> None:
    known = fill(bench)
    complete(bench)
    complete(bench)
    bench.settings(read_back_minutes=1440)
    bench.admin("edit", id=known, fields={"Favorite__c": False})
    request_reading(bench.connection, ACCOUNT, "ada", anew=True)
    complete(bench)
    assert shown(bench, "Lead", known)["Favorite__c"] is True
    query = (
        "SELECT body FROM platform_inbox.message WHERE topic = 'engaged_people' ORDER BY version"
    )
    bodies = bench.connection.scalars(text(query)).all()
    assert sorted(each["favorite"] for each in bodies) == [False, True]


def test_what_was_given_up_is_tried_again(engaged: Engaged) -> None:
    with engaged(RULE) as bench:
        prospect(bench.connection, "ada", temperature=70)
        known = lead(bench, "ada@x.example")
        bench.cycle()
        bench.connection.execute(
            text("UPDATE crm.operation SET attempts_left = 1 WHERE natural_key LIKE 'engaged:%'")
        )
        bench.cycle()
        assert bench.states()[f"engaged:{known}"] == "exhausted"
        RULES[bench.org]["Lead"].clear()
        request_reading(bench.connection, ACCOUNT, anew=True)
        complete(bench)
        assert shown(bench, "Lead", known)["Temperature__c"] == 70
