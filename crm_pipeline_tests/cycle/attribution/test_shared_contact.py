"""Two people of ours are one Contact: one of them counts no more, and it shows the other one."""

from typing import Any

from crm_pipeline_tests.cycle.attribution.conftest import ATTRIBUTION
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.flows.webinars.warehouse import track

SHOWN = ("Tracker_Id__c", "First_Source__c", "Last_Source__c", "Last_Keyword__c")
FOLLOWING = {**ATTRIBUTION, "first_touch_policy": "unless_edited"}


def shown(shop: Bench) -> tuple[str | None, ...]:
    """The attribution of the one Contact, once nothing more is to come."""
    report = shop.cycle()
    assert report.state == "Complete", report.reason
    [contact] = shop.records("Contact")
    return tuple(contact.get(field) for field in SHOWN)


def test_who_is_left_is_shown_when_another_one_of_the_contact_counts_no_more(shop: Bench) -> None:
    shop.settings(attribution=FOLLOWING, read_back_minutes=0)
    ada: dict[str, Any] = {"email": "ada@example.com", "contact_name": "Ada"}
    bob: dict[str, Any] = {"email": "bob@example.com", "contact_name": "Bob"}
    track(shop.connection, 1, **ada, source="google", keyword="engines")
    track(shop.connection, 2, **bob, source="bing")
    shop.cycle()
    ids = {lead["Email"]: lead["Id"] for lead in shop.records("Lead")}
    contact = shop.admin("convert", lead_id=ids["ada@example.com"])["contact_id"]
    shop.admin("convert", lead_id=ids["bob@example.com"], contact_id=contact)
    assert shown(shop) == ("1", "google", "google", "engines")

    # Ada's newest touch has no keyword: Bob's is not mixed into it.
    track(shop.connection, 2, minute=5, source="ads", keyword="looms")
    assert shown(shop) == ("1", "google", "ads", "looms")
    track(shop.connection, 1, minute=10, source="mail")
    track(shop.connection, 3, minute=10, **ada, source="fair")
    shown(shop)
    track(shop.connection, 1, minute=20, is_spam=True)
    track(shop.connection, 3, minute=20, is_spam=True)
    # In the same cycle Bob's lead says something else.
    track(shop.connection, 2, minute=21, contact_name="Robert")
    assert shown(shop) == ("2", "ads", "ads", "looms")
    assert shop.cycle().counts.api_calls == 1

    # She comes back, and a lead of hers that says nothing of where it came from stays.
    track(shop.connection, 1, minute=30, is_spam=False, source="mail")
    track(shop.connection, 4, minute=31, **ada)
    assert shown(shop)[2] == "mail"
    track(shop.connection, 1, minute=40, is_spam=True)
    assert shown(shop)[2:] == ("ads", "looms")

    # Nobody is left.
    for number in (2, 4):
        track(shop.connection, number, minute=50, is_spam=True)
    assert shown(shop)[2:] == (None, None)
    assert shop.cycle().counts.api_calls == 1
