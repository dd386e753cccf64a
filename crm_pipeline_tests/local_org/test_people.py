"""People's work in Salesforce itself, by the admin path, and a sandbox that is refreshed."""

from typing import Any

import requests

from crm_pipeline.local_org.open_transactions import OPEN
from crm_pipeline_tests.local_org.records import LEAD, admin, create, read, update
from crm_pipeline_tests.local_org.wire import Caller

SALES = "sales@acme.test"


def everything(acme: Caller, soql: str) -> list[dict[str, Any]]:
    """The records of a queryAll."""
    answer = acme.get("queryAll", params={"q": soql})
    assert answer.status_code == 200, answer.text
    records: list[dict[str, Any]] = answer.json()["records"]
    return records


def refusal(acme: Caller, action: str, body: Any) -> str:
    answer = requests.post(f"{acme.url}/_admin/{action}", json=body, timeout=30)
    assert answer.status_code in (400, 404), answer.text
    text: str = answer.json()["error"]
    return text


def log_in_again(acme: Caller) -> str:
    """Logs in to the org that has taken the place of the caller's. Returns the answer."""
    body = "<login><username>sales@acme.test</username><password>password</password></login>"
    login = requests.post(f"{acme.url}/services/Soap/u/59.0", data=body, timeout=30).text
    session_id = login.partition("<sessionId>")[2].partition("<")[0]
    acme.http.headers["Authorization"] = f"Bearer {session_id}"
    return login


def test_a_user_of_ones_choice_edits_a_record(acme):
    lead = create(acme)
    fields = {"Email": "ada@example.com"}
    assert admin(acme, "edit", {"id": lead, "fields": fields, "user": SALES}) == {"id": lead}
    row = read(acme, "Lead", lead)
    assert row["Email"] == "ada@example.com"
    assert row["LastModifiedById"] == acme.org.users[SALES].id != row["CreatedById"]


def test_a_user_of_ones_choice_creates_and_owns_a_record(acme):
    made = admin(acme, "create", {"object": "Lead", "fields": LEAD, "user": SALES})
    row = read(acme, "Lead", made["id"])
    assert row["CreatedById"] == row["OwnerId"] == acme.org.users[SALES].id


def test_what_people_do_obeys_rules_and_says_why_not(acme):
    lead = create(acme)
    assert "INVALID_EMAIL_ADDRESS" in refusal(
        acme, "edit", {"id": lead, "fields": {"Email": "nope"}}
    )
    assert "there is no user" in refusal(acme, "edit", {"id": lead, "fields": {}, "user": "x"})
    assert "there is no record" in refusal(acme, "delete", {"ids": ["nope"]})
    assert "REQUIRED_FIELD" in refusal(acme, "create", {"object": "Lead", "fields": {}})


def test_several_records_are_deleted_together_or_not_at_all(acme):
    one, other = create(acme), create(acme)
    admin(acme, "delete", {"ids": [one], "user": SALES})
    assert "ENTITY_IS_DELETED" in refusal(acme, "delete", {"ids": [other, one]})
    assert acme.values("SELECT Id FROM Lead") == [other]
    (gone,) = everything(acme, "SELECT LastModifiedById FROM Lead WHERE IsDeleted = true")
    assert gone["LastModifiedById"] == acme.org.users[SALES].id


def test_an_undeleted_record_comes_back_with_what_was_deleted_with_it(acme):
    account = create(acme, "Account", Name="Engines")
    contact = create(acme, "Contact", LastName="x", AccountId=account)
    opportunity = create(
        acme,
        "Opportunity",
        Name="x",
        StageName="Prospecting",
        CloseDate="2026-01-01",
        AccountId=account,
        ContactId=contact,
    )
    acme.call("DELETE", f"sobjects/Account/{account}")
    assert acme.values("SELECT Id FROM Contact") == []
    assert acme.values("SELECT Id FROM OpportunityContactRole") == []
    admin(acme, "undelete", {"ids": [account], "user": SALES})
    assert acme.values("SELECT Id FROM Contact") == [contact]
    assert acme.values("SELECT AccountId FROM Opportunity") == [account]
    assert acme.values("SELECT OpportunityId FROM OpportunityContactRole") == [opportunity]
    assert read(acme, "Account", account)["LastModifiedById"] == acme.org.users[SALES].id


def test_what_was_deleted_before_stays_in_the_bin(acme):
    account = create(acme, "Account", Name="Engines")
    before, with_it = (
        create(acme, "Contact", LastName=name, AccountId=account) for name in ("a", "b")
    )
    for path in (f"Contact/{before}", f"Account/{account}"):
        acme.call("DELETE", f"sobjects/{path}")
    admin(acme, "undelete", {"ids": [account]})
    assert acme.values("SELECT Id FROM Contact") == [with_it]


def test_a_lookup_that_a_deletion_emptied_is_filled_again_unless_it_leads_elsewhere(acme):
    one, other = (create(acme, "Campaign", Name=name) for name in ("a", "b"))
    kept, moved = (create(acme, "Webinar__c", Campaign__c=one) for _ in range(2))
    acme.call("DELETE", f"sobjects/Campaign/{one}")
    update(acme, "Webinar__c", moved, Campaign__c=other)
    assert read(acme, "Webinar__c", kept)["Campaign__c"] is None
    admin(acme, "undelete", {"ids": [one]})
    assert read(acme, "Webinar__c", kept)["Campaign__c"] == one
    assert read(acme, "Webinar__c", moved)["Campaign__c"] == other


def test_a_record_without_its_parent_is_undeleted_without_it(acme):
    campaign = create(acme, "Campaign", Name="a")
    webinar = create(acme, "Webinar__c", Campaign__c=campaign)
    for path in (f"Webinar__c/{webinar}", f"Campaign/{campaign}"):
        acme.call("DELETE", f"sobjects/{path}")
    admin(acme, "undelete", {"ids": [webinar]})
    assert read(acme, "Webinar__c", webinar)["Campaign__c"] is None


def test_a_value_that_was_taken_in_the_meantime_keeps_a_record_in_the_bin(acme):
    old = create(acme, "Webinar__c", Key__c="K")
    acme.call("DELETE", f"sobjects/Webinar__c/{old}")
    create(acme, "Webinar__c", Key__c="k")
    assert "DUPLICATE_VALUE" in refusal(acme, "undelete", {"ids": [old]})


def test_a_record_that_is_not_in_the_bin_cannot_come_out_of_it(acme):
    lead = create(acme)
    assert "UNDELETE_FAILED" in refusal(acme, "undelete", {"ids": [lead]})


def test_the_loser_of_a_merge_comes_back_without_its_children(acme):
    winner, loser = create(acme), create(acme)
    task = create(acme, "Task", Subject="x", WhoId=loser)
    merged = {"object": "Lead", "master_id": winner, "ids": [loser], "user": SALES}
    admin(acme, "merge", merged)
    (row,) = everything(acme, f"SELECT MasterRecordId FROM Lead WHERE Id = '{loser}'")
    assert row["MasterRecordId"] == winner
    admin(acme, "undelete", {"ids": [loser]})
    assert read(acme, "Lead", loser)["MasterRecordId"] is None
    assert read(acme, "Task", task)["WhoId"] == winner


def test_an_emptied_bin_leaves_nothing_even_for_query_all(acme):
    account = create(acme, "Account", Name="Engines")
    create(acme, "Contact", LastName="x", AccountId=account)
    lead, kept = create(acme), create(acme)
    for path in (f"Account/{account}", f"Lead/{lead}"):
        acme.call("DELETE", f"sobjects/{path}")
    assert admin(acme, "empty-bin", {"ids": [lead]}) == {"ids": [lead]}
    assert len(everything(acme, "SELECT Id FROM Contact")) == 1
    assert admin(acme, "empty-bin") == {"ids": [account]}
    for sobject, left in (("Account", 0), ("Contact", 0), ("Lead", 1)):
        assert len(everything(acme, f"SELECT Id FROM {sobject}")) == left
    assert acme.values("SELECT Id FROM Lead") == [kept]


def test_a_hard_delete_leaves_nothing_in_the_bin(acme):
    account = create(acme, "Account", Name="Engines")
    create(acme, "Contact", LastName="x", AccountId=account)
    assert admin(acme, "erase", {"ids": [account], "user": SALES}) == {"ids": [account]}
    assert everything(acme, "SELECT Id FROM Account") == []
    assert everything(acme, "SELECT Id FROM Contact") == []
    assert acme.get(f"sobjects/Account/{account}").status_code == 404


def test_a_lead_is_converted_by_one_and_belongs_to_another(acme):
    lead = create(acme, OwnerId=acme.org.users[SALES].id)
    body = {"lead_id": lead, "user": "admin@acme.test", "status": "Closed - Converted"}
    made = admin(acme, "convert", body)
    contact, row = read(acme, "Contact", made["contact_id"]), read(acme, "Lead", lead)
    assert contact["OwnerId"] == acme.org.users[SALES].id
    assert contact["CreatedById"] == row["LastModifiedById"] == acme.org.users["admin@acme.test"].id
    assert row["Status"] == "Closed - Converted"


def test_what_people_do_may_take_its_time(acme):
    lead = create(acme, Title="old")
    body = {"id": lead, "fields": {"Title": "new"}, "user": SALES, "hold_seconds": 600}
    assert admin(acme, "edit", body) == {"id": lead}
    assert read(acme, "Lead", lead)["Title"] == "old"
    made = admin(acme, "convert", {"lead_id": create(acme), "hold_seconds": 600})
    assert acme.get(f"sobjects/Contact/{made['contact_id']}").status_code == 404
    assert len(OPEN[acme.org]) == 2
    admin(acme, "settings", {"clock_shift_seconds": 601})
    assert read(acme, "Lead", lead)["Title"] == "new"
    assert read(acme, "Contact", made["contact_id"])["LastName"] == "Lovelace"


def test_a_refreshed_sandbox_has_another_organization_id_and_all_ids_new(acme):
    account = create(acme, "Account", Name="Engines")
    sales = acme.org.users[SALES].id
    contact = create(acme, "Contact", LastName="x", AccountId=account, OwnerId=sales)
    admin(acme, "seed", {"Lead": [{**LEAD, "Id": "00Q000000000001EAA", "Ext__c": "7"}]})
    before = acme.org
    overview = admin(acme, "refresh")
    assert overview["id"] != before.id
    assert acme.get("sobjects").status_code == 401
    assert overview["id"] in log_in_again(acme)
    (found,) = acme.query("SELECT Id, AccountId, Account.Name, Owner.Username FROM Contact")
    assert found["Id"] not in (contact, None)
    assert found["AccountId"] != account
    assert found["Account"]["Name"] == "Engines"
    assert found["Owner"]["Username"] == SALES
    assert acme.values("SELECT Id FROM Organization") == [overview["id"]]
    assert acme.values("SELECT Id FROM Lead WHERE Ext__c = '7'") != ["00Q000000000001EAA"]
    assert create(acme) not in before.table("Lead").rows


def test_the_bin_of_a_refreshed_sandbox_is_as_full_as_before(acme):
    account, campaign = create(acme, "Account", Name="x"), create(acme, "Campaign", Name="x")
    create(acme, "Contact", LastName="x", AccountId=account)
    create(acme, "Webinar__c", Campaign__c=campaign)
    admin(acme, "delete", {"ids": [account, campaign, create(acme)]})
    admin(acme, "refresh")
    log_in_again(acme)
    found = {each: everything(acme, f"SELECT Id FROM {each}") for each in ("Account", "Campaign")}
    (account, campaign) = (each[0]["Id"] for each in found.values())
    admin(acme, "undelete", {"ids": [account, campaign]})
    assert acme.values("SELECT AccountId FROM Contact") == [account]
    assert acme.values("SELECT Campaign__c FROM Webinar__c") == [campaign]
    admin(acme, "empty-bin")
    assert everything(acme, "SELECT Id FROM Lead") == []
