"""A removed person has no prospect; its record in the org is a matter of `in_org`."""

from sqlalchemy import text

from crm_pipeline.accounts.store import get_account
from crm_pipeline.inbound.erasing import erase, traces_of
from crm_pipeline.inbound.tombstones import bury, hasher_of
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.cycle.engagement.conftest import complete
from crm_pipeline_tests.flows.engagement.warehouse import define_tag, prospect, tag


def test_what_a_removed_person_had_goes_and_is_not_read_again(bench: Bench) -> None:
    define_tag(bench.connection, "hot")
    for name in ("ada", "bob"):
        prospect(bench.connection, name, first_name=name.title())
        tag(bench.connection, name, "hot")
    lead = bench.seed("Lead", LastName="L", Company="C", Email="ada@x.example")
    complete(bench)
    complete(bench)
    hasher = hasher_of(bench.connection, get_account(bench.connection, ACCOUNT))
    bury(bench.connection, hasher, "ada@x.example", "erase")
    erase(bench.connection, traces_of(bench.connection, hasher, "ada@x.example"), seq=0)
    complete(bench)
    assert [each["Prospect_Tag_Key__c"] for each in bench.records("SW_Prospect_Tag__c")] == [
        "bob:hot"
    ]
    assert bench.records("SW_Tag_Segment_Trigger__c") == []
    assert bench.org.table("Lead").rows[lead]["Prospect_Id__c"] is None
    prospect(bench.connection, "ada", first_name="Ada", temperature=1)
    complete(bench)
    assert all(each.get("Temperature__c") is None for each in bench.records("Prospect__c"))
    kept = bench.connection.scalars(
        text(
            "SELECT CAST(p AS text) FROM crm.prospect AS p UNION ALL SELECT CAST(intent AS text)"
            " FROM crm.operation WHERE natural_key = 'prospect:ada'"
        )
    ).all()
    assert not [each for each in kept if "Ada" in each or "ada@x.example" in each]
