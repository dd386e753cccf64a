"""A cycle that brought tracked leads is taken back, and is not sent again."""

from crm_pipeline_tests.cycle.attribution.test_tracked_leads import ADA, GOOGLE
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.cycle.test_undo import nothing_more_goes, taken_back
from crm_pipeline_tests.flows.webinars.warehouse import track


def test_the_fields_of_tracked_leads_are_as_before_and_new_people_are_gone(shop: Bench) -> None:
    there = {"LastName": "Byron", "Company": "Engines", "First_Source__c": "fair"}
    known = shop.seed("Lead", Email="ada@example.com", Last_Source__c="mail", **there)
    track(shop.connection, 1, **ADA, **GOOGLE)
    track(shop.connection, 2, email="new@example.com", **GOOGLE)
    cycle_id = shop.cycle().cycle_id
    [new] = [each["Id"] for each in shop.records("Lead") if each["Id"] != known]
    assert taken_back(shop, cycle_id) == {known: "restore", new: "delete"}
    [lead] = shop.records("Lead")
    assert {name: lead[name] for name in there} == there
    assert (lead["Last_Source__c"], lead["Tracker_Id__c"]) == ("mail", None)
    nothing_more_goes(shop)
    track(shop.connection, 3, minute=30, email="ada@example.com", source="bing")
    assert shop.cycle().state == "Complete"
    [lead] = shop.records("Lead")
    assert (lead["Last_Source__c"], lead["First_Source__c"]) == ("bing", "fair")
