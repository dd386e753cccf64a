"""Masters and details, restricting lookups, numbers as names, record types, queues, activities."""

from typing import Any

import pytest

from crm_pipeline.local_org.config import OrgConfigError
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline_tests.local_org.records import LEAD, admin, create, error, read, update
from crm_pipeline_tests.local_org.wire import Caller, serving, serving_afresh

KEY = {"type": "string", "external_id": True, "unique": True}
OBJECTS = {
    "Score__c": {
        "fields": {
            "Account__c": {"type": "master_detail", "reference_to": "Account"},
            "Topic__c": {
                "type": "master_detail",
                "reference_to": "Topic__c",
                "reparentable": True,
                "child_relationship_name": "Scores",
            },
            "Key__c": KEY,
            "Value__c": {"type": "double"},
        },
    },
    "Topic__c": {"auto_number": "T-{0000}", "fields": {"Key__c": KEY}},
    "Visit__c": {
        "activities": True,
        "fields": {
            "Topic__c": {"reference_to": "Topic__c", "on_delete": "restrict"},
            "Lead__c": {"reference_to": "Lead", "on_delete": "clear"},
            "Campaign__c": {"reference_to": "Campaign", "on_delete": "cascade"},
        },
    },
    "Account": {"fields": {"Key__c": KEY}},
    "Lead": {"record_types": [{"name": "Partner Lead"}, {"name": "Old", "active": False}]},
}
QUEUES = [{"name": "Hot leads", "email": "hot@acme.test"}]
SALES = {"username": "sales@acme.test"}


@pytest.fixture(scope="module")
def fresh():
    with serving_afresh(objects=OBJECTS, queues=QUEUES) as afresh:
        yield afresh


@pytest.fixture
def org(fresh):
    return fresh()


def field(caller: Caller, sobject: str, name: str) -> dict[str, Any]:
    fields = caller.get(f"sobjects/{sobject}/describe").json()["fields"]
    (only,) = (each for each in fields if each["name"] == name)
    assert isinstance(only, dict)
    return only


def score(caller: Caller, **fields: Any) -> str:
    given = {
        "Account__c": create(caller, "Account", Name="a"),
        "Topic__c": create(caller, "Topic__c"),
        **fields,
    }
    return create(caller, "Score__c", **given)


# --- masters and details ---


def test_a_detail_describes_its_masters_in_their_order(org):
    first, second = (field(org, "Score__c", name) for name in ("Account__c", "Topic__c"))
    for each, order, reparentable in ((first, 0, False), (second, 1, True)):
        assert each["relationshipOrder"] == order
        assert each["updateable"] is reparentable
        assert (each["nillable"], each["cascadeDelete"]) == (False, True)
    assert field(org, "Visit__c", "Topic__c")["relationshipOrder"] is None
    children = org.get("sobjects/Topic__c/describe").json()["childRelationships"]
    (scores,) = (each for each in children if each["childSObject"] == "Score__c")
    assert (scores["relationshipName"], scores["cascadeDelete"]) == ("Scores__r", True)


def test_a_detail_has_no_owner_of_its_own(org):
    assert "OwnerId" not in read(org, "Score__c", score(org))
    assert org.refused("SELECT OwnerId FROM Score__c")["errorCode"] == "INVALID_FIELD"
    answer = org.post("sobjects/Score__c", json={"OwnerId": "x"})
    assert error(answer)["errorCode"] == "INVALID_FIELD"


def test_a_detail_needs_its_masters(org):
    answer = org.post("sobjects/Score__c", json={})
    assert error(answer)["fields"] == ["Account__c", "Topic__c"]


def test_only_a_reparentable_detail_gets_another_master(org):
    record_id = score(org)
    topic, account = create(org, "Topic__c"), create(org, "Account", Name="b")
    update(org, "Score__c", record_id, Topic__c=topic)
    answer = org.call("PATCH", f"sobjects/Score__c/{record_id}", json={"Account__c": account})
    assert error(answer)["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert error(answer)["fields"] == ["Account__c"]


def test_details_are_deleted_and_undeleted_with_their_master(org):
    account = create(org, "Account", Name="a")
    record_id = score(org, Account__c=account)
    org.call("DELETE", f"sobjects/Account/{account}")
    assert org.values("SELECT Id FROM Score__c") == []
    answer = org.http.post(f"{org.url}/_admin/undelete", json={"ids": [record_id]}, timeout=30)
    assert "UNDELETE_FAILED" in answer.json()["error"]
    admin(org, "undelete", {"ids": [account]})
    assert org.values("SELECT Account__c FROM Score__c") == [account]


def upserted_again(caller: Caller, parent: Any) -> dict[str, Any]:
    """The result of an upsert that repeats the master of a detail that is there."""
    create(caller, "Account", Name="other", Key__c="B")
    account = create(caller, "Account", Name="a", Key__c="A")
    score(caller, Account__c=account, Key__c="1")
    record = {"attributes": {"type": "Score__c"}, "Key__c": "1", "Value__c": 5, **parent}
    answer = caller.call("PATCH", "composite/sobjects/Score__c/Key__c", json={"records": [record]})
    (result,) = answer.json()
    assert isinstance(result, dict)
    return result


def test_an_upsert_that_repeats_the_master_fails(org):
    result = upserted_again(org, {"Account__r": {"Key__c": "A"}})
    assert result["errors"][0]["statusCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_an_upsert_that_repeats_the_master_may_work_but_moves_nothing():
    with serving_afresh(objects=OBJECTS, unchanged_master="taken") as afresh:
        result = upserted_again(afresh(), {"Account__r": {"Key__c": "A"}})
        assert (result["success"], result["created"]) == (True, False)
        caller = afresh()
        result = upserted_again(caller, {"Account__r": {"Key__c": "B"}})
        assert result["errors"][0]["statusCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"
        assert caller.values("SELECT Account__r.Key__c FROM Score__c") == [
            {"attributes": caller_account(caller, "A"), "Key__c": "A"}
        ]


def caller_account(caller: Caller, key: str) -> dict[str, str]:
    (record_id,) = caller.values(f"SELECT Id FROM Account WHERE Key__c = '{key}'")
    return {"type": "Account", "url": f"/services/data/v66.0/sobjects/Account/{record_id}"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"A__c": {"type": "master_detail", "reference_to": "Lead"}}, "Lead cannot be a master"),
        ({"A__c": {"type": "master_detail"}}, "reference_to: is needed"),
        ({"A__c": {"type": "reference"}}, "reference_to: is needed"),
        (
            {
                f"{name}__c": {"type": "master_detail", "reference_to": "Account"}
                for name in ("A", "B", "C")
            },
            "2 masters at most",
        ),
        (
            {"A__c": {"type": "master_detail", "reference_to": ["Account", "Contact"]}},
            "one master",
        ),
    ],
)
def test_a_master_that_makes_no_sense_is_named(fields, message):
    config = {"name": "x", "objects": {"X__c": {"fields": fields}}}
    with pytest.raises(OrgConfigError, match=message), LocalOrgServer(config):
        pass


# --- lookups ---


def test_a_lookup_restricts_empties_or_cascades(org):
    topic, lead = create(org, "Topic__c"), create(org)
    campaign = create(org, "Campaign", Name="c")
    visit = create(org, "Visit__c", Topic__c=topic, Lead__c=lead, Campaign__c=campaign)
    assert field(org, "Visit__c", "Topic__c")["restrictedDelete"] is True
    answer = org.call("DELETE", f"sobjects/Topic__c/{topic}")
    assert error(answer)["errorCode"] == "DELETE_FAILED"
    org.call("DELETE", f"sobjects/Lead/{lead}")
    assert read(org, "Visit__c", visit)["Lead__c"] is None
    org.call("DELETE", f"sobjects/Campaign/{campaign}")
    assert org.values("SELECT Id FROM Visit__c") == []
    assert org.call("DELETE", f"sobjects/Topic__c/{topic}").status_code == 204


def test_an_error_names_a_parent_that_is_not_there_as_the_file_says(org):
    record = {"Topic__r": {"Key__c": "nope"}, "Account__r": {"Key__c": "nope"}}
    errors = org.post("sobjects/Score__c", json=record).json()
    assert [each["errorCode"] for each in errors] == ["INVALID_FIELD"] * 2
    assert "Foreign key external ID: nope not found" in errors[0]["message"]
    code = "INVALID_CROSS_REFERENCE_KEY"
    with serving(objects=OBJECTS, missing_parent_error=code) as caller:
        errors = caller.post("sobjects/Score__c", json=record).json()
        assert [each["errorCode"] for each in errors] == [code] * 2


def test_the_error_of_an_external_id_that_is_there_twice_is_a_setting():
    code = "DUPLICATE_EXTERNAL_ID"
    records = [{"attributes": {"type": "Topic__c"}, "Key__c": "1"}] * 2
    with serving(objects=OBJECTS, repeated_external_id_error=code) as caller:
        answer = caller.call(
            "PATCH", "composite/sobjects/Topic__c/Key__c", json={"records": records}
        )
        assert [each["errors"][0]["statusCode"] for each in answer.json()] == [code] * 2


# --- names ---


def test_a_name_may_be_a_number(org):
    one, other = create(org, "Topic__c"), create(org, "Topic__c")
    names = [read(org, "Topic__c", each)["Name"] for each in (one, other)]
    assert names == ["T-0001", "T-0002"]
    assert (field(org, "Topic__c", "Name")["autoNumber"]) is True
    answer = org.post("sobjects/Topic__c", json={"Name": "mine"})
    assert error(answer)["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_seeded_records_with_ids_of_their_own_get_numbers_too(org):
    admin(org, "seed", {"Topic__c": [{"Id": "a01000000000001AAA"}, {}]})
    assert len(set(org.values("SELECT Name FROM Topic__c"))) == 2


# --- record types ---


def test_a_lead_has_the_default_record_type_unless_it_says_another(org):
    found = org.query("SELECT Id, Name, DeveloperName, IsActive FROM RecordType ORDER BY Id")
    assert [each["DeveloperName"] for each in found] == ["Partner_Lead", "Old"]
    assert read(org, "Lead", create(org))["RecordTypeId"] == found[0]["Id"]
    (row,) = org.query("SELECT RecordType.Name FROM Lead")
    assert row["RecordType"]["Name"] == "Partner Lead"
    answer = org.post("sobjects/Lead", json={**LEAD, "RecordTypeId": found[1]["Id"]})
    assert error(answer)["errorCode"] == "INVALID_CROSS_REFERENCE_KEY"
    infos = org.get("sobjects/Lead/describe").json()["recordTypeInfos"]
    assert [each["name"] for each in infos] == ["Partner Lead", "Old", "Master"]
    assert [each["defaultRecordTypeMapping"] for each in infos] == [True, False, False]


# --- queues ---


def test_a_queue_owns_leads_and_custom_records(org):
    (queue,) = org.values("SELECT Id FROM Group WHERE Type = 'Queue'")
    lead = create(org, OwnerId=queue)
    create(org, "Visit__c", OwnerId=queue)
    assert read(org, "Lead", lead)["OwnerId"] == queue
    for sobject in ("Lead", "Visit__c"):
        (row,) = org.query(f"SELECT Owner.Type, Owner.Name, Owner.Email FROM {sobject}")
        assert list(row["Owner"].values())[1:] == ["Group", "Hot leads", None]
    answer = org.post("sobjects/Account", json={"Name": "x", "OwnerId": queue})
    assert error(answer)["errorCode"] == "MALFORMED_ID"
    answer = org.post("sobjects/Lead", json={**LEAD, "OwnerId": "00G000000000001"})
    assert error(answer)["errorCode"] == "INVALID_CROSS_REFERENCE_KEY"


def test_the_email_of_a_queue_may_be_that_of_the_owner():
    rules = [{"owner": "Hot leads", "when": "TRUE"}]
    with serving(queues=QUEUES, queue_owner_email=True, assignment_rules=rules) as caller:
        create(caller)
        (row,) = caller.query("SELECT Owner.Email FROM Lead")
        assert row["Owner"]["Email"] == "hot@acme.test"


def test_a_lead_of_a_queue_is_converted_to_what_a_person_owns(org):
    (queue,) = org.values("SELECT Id FROM Group")
    made = admin(org, "convert", {"lead_id": create(org, OwnerId=queue)})
    first = next(iter(org.org.users.values())).id
    assert read(org, "Contact", made["contact_id"])["OwnerId"] == first


# --- activities ---


def test_an_activity_may_be_about_a_custom_record(org):
    visit = create(org, "Visit__c")
    task = create(org, "Task", Subject="x", WhatId=visit)
    (row,) = org.query("SELECT What.Type FROM Task")
    assert row["What"]["Type"] == "Visit__c"
    answer = org.post("sobjects/Task", json={"Subject": "x", "WhatId": create(org, "Topic__c")})
    assert error(answer)["errorCode"] == "MALFORMED_ID"
    org.call("DELETE", f"sobjects/Visit__c/{visit}")
    assert org.get(f"sobjects/Task/{task}").status_code == 404


# --- what a composite may ask for ---


@pytest.mark.parametrize("allowed", [True, False])
def test_a_composite_may_or_may_not_ask_for_updates_and_records_by_id(allowed):
    data = "/services/data/v66.0"
    switches = {"updated_in_composite": allowed, "retrieve_many_in_composite": allowed}
    with serving(**switches) as caller:
        lead = create(caller)
        window = "start=2020-01-01T00:00:00Z&end=2020-01-02T00:00:00Z"
        requests_ = [
            {
                "method": "GET",
                "url": f"{data}/sobjects/Lead/updated?{window}",
                "referenceId": "updated",
            },
            {
                "method": "POST",
                "url": f"{data}/composite/sobjects/Lead",
                "referenceId": "read",
                "body": {"ids": [lead], "fields": ["Id"]},
            },
        ]
        parts = caller.post("composite", json={"compositeRequest": requests_}).json()
        codes = [part["body"][0].get("errorCode") for part in parts["compositeResponse"]]
        own = ["INVALID_REPLICATION_DATE", None]
        assert codes == (own if allowed else ["INVALID_SUBREQUEST"] * 2)
