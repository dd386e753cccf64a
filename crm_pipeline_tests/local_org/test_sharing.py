"""Records that users do not see, objects that they may not write, and storage."""

from datetime import UTC, datetime, timedelta

from crm_pipeline_tests.local_org.records import admin, create, error, read, update
from crm_pipeline_tests.local_org.wire import serving


def test_a_hidden_record_is_absent_without_a_word(acme):
    hidden, seen = create(acme, Ext__c="1"), create(acme, Ext__c="2")
    campaign = create(acme, "Campaign", Name="c")
    create(acme, "CampaignMember", CampaignId=campaign, LeadId=hidden)
    admin(acme, "hidden-records", [hidden[:15]])
    assert acme.values("SELECT Id FROM Lead") == [seen]
    assert acme.query("SELECT Lead.Name FROM CampaignMember") == [{"Lead": None}]
    assert acme.get(f"sobjects/Lead/{hidden}").status_code == 404
    assert acme.get("sobjects/Lead/Ext__c/1").status_code == 404
    wanted = {"ids": [hidden, seen], "fields": ["Id"]}
    found = acme.post("composite/sobjects/Lead", json=wanted).json()
    assert [each and each["Id"] for each in found] == [None, seen]
    now = datetime.now(UTC)
    window = {
        "start": (now - timedelta(hours=1)).isoformat(timespec="seconds"),
        "end": (now + timedelta(hours=1)).isoformat(timespec="seconds"),
    }
    assert acme.get("sobjects/Lead/updated", params=window).json()["ids"] == [seen]
    admin(acme, "hidden-records", [])
    assert set(acme.values("SELECT Id FROM Lead")) == {hidden, seen}


def test_a_hidden_record_is_not_written_but_by_people(acme):
    hidden = create(acme, Ext__c="1")
    admin(acme, "hidden-records", [hidden])
    for answer in (
        acme.call("PATCH", f"sobjects/Lead/{hidden}", json={"Title": "x"}),
        acme.call("DELETE", f"sobjects/Lead/{hidden}"),
    ):
        assert error(answer)["errorCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"
    record = {"attributes": {"type": "Lead"}, "id": hidden, "Title": "x"}
    (result,) = acme.call("PATCH", "composite/sobjects", json={"records": [record]}).json()
    assert result["errors"][0]["statusCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"
    admin(acme, "edit", {"id": hidden, "fields": {"Title": "y"}})
    admin(acme, "hidden-records", [])
    assert read(acme, "Lead", hidden)["Title"] == "y"


def test_users_may_lack_rights_on_an_object():
    objects = {"Lead": {"updateable": False, "deletable": False}, "X__c": {"createable": False}}
    with serving(objects=objects) as caller:
        lead = create(caller)
        for answer in (
            caller.call("PATCH", f"sobjects/Lead/{lead}", json={"Title": "x"}),
            caller.call("DELETE", f"sobjects/Lead/{lead}"),
            caller.post("sobjects/X__c", json={}),
        ):
            assert answer.status_code == 403
            assert error(answer)["errorCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"
        admin(caller, "edit", {"id": lead, "fields": {"Title": "x"}})
        describe = caller.get("sobjects/Lead/describe").json()
        rights = [describe[name] for name in ("createable", "updateable", "deletable")]
        assert rights == [True, False, False]


def test_storage_is_used_up_by_records():
    with serving(limits={"data_storage_mb": 3}) as caller:
        admin(caller, "seed", {"Campaign": [{"Name": str(number)} for number in range(600)]})
        # Each campaign has two statuses: 1,800 records of 2 KB.
        assert caller.get("limits").json()["DataStorageMB"] == {"Max": 3, "Remaining": 0}


def test_a_lookup_that_takes_leads_only_stays_at_the_converted_lead():
    fields = {"Lead__c": {"reference_to": "Lead"}, "Who__c": {"reference_to": ["Lead", "Contact"]}}
    with serving(objects={"Visit__c": {"fields": fields}}) as caller:
        lead, other = create(caller), create(caller)
        visit = create(caller, "Visit__c", Lead__c=lead)
        made = admin(caller, "convert", {"lead_id": lead})
        assert read(caller, "Visit__c", visit)["Lead__c"] == lead
        update(caller, "Visit__c", visit, Lead__c=other, Who__c=other)
        moved = admin(caller, "convert", {"lead_id": other, "contact_id": made["contact_id"]})
        assert read(caller, "Visit__c", visit)["Who__c"] == moved["contact_id"]
