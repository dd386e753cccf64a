import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest
import requests

from crm_pipeline.local_org.seeding import seed
from crm_pipeline_tests.local_org.records import LEAD, admin, create, deleted, error, read, refused
from crm_pipeline_tests.local_org.wire import VERSION

# --- the wire ---


@pytest.mark.parametrize(
    "path", ["//services/data//v66.0/sobjects//Lead", "/services//data/v66.0/"]
)
def test_a_doubled_slash_is_one(acme, path):
    single = acme.get(path.replace("//", "/"))
    assert acme.get(path).content == single.content
    assert single.status_code == 200
    inner = {"method": "GET", "url": path, "referenceId": "a"}
    (told,) = acme.post("composite", json={"compositeRequest": [inner]}).json()["compositeResponse"]
    assert told["body"] == single.json()


def test_slashes_that_are_escaped_are_kept(acme):
    acme.call("PATCH", "sobjects/Lead/Ext__c/a%2F%2Fb", json=LEAD)
    assert acme.values("SELECT Ext__c FROM Lead") == ["a//b"]


def test_headers_are_named_as_salesforce_writes_them(acme):
    names = list(acme.post("sobjects/Lead", json=LEAD).raw.headers)
    assert names == ["Date", "Sforce-Limit-Info", "Location", "Content-Length", "Content-Type"]
    names = list(acme.get("sobjects").raw.headers)
    assert names == ["Date", "Sforce-Limit-Info", "Content-Length", "Content-Type"]


def test_a_version_of_any_length_is_not_found(acme):
    assert acme.get(f"/services/data/v{'1' * 5000}.0/limits").status_code == 404


# --- versions and describe ---


def test_the_versions_are_listed_ascending_without_a_login(acme):
    answer = requests.get(f"{acme.url}/services/data", timeout=30)
    versions = answer.json()
    assert versions[0] == {
        "label": "Summer '19",
        "url": "/services/data/v46.0",
        "version": "46.0",
    }
    assert versions[-1]["version"] == "68.0"
    assert versions[-1]["label"] == "Winter '27"
    assert "Sforce-Limit-Info" not in answer.headers


@pytest.mark.parametrize(
    ("version", "status", "code"),
    [("30.0", 410, "UNSUPPORTED_API_VERSION"), ("69.0", 404, "NOT_FOUND"), ("x", 404, "NOT_FOUND")],
)
def test_a_version_that_does_not_exist_or_is_retired_is_refused(acme, version, status, code):
    answer = acme.get(f"/services/data/v{version}/sobjects")
    assert (answer.status_code, error(answer)["errorCode"]) == (status, code)


def test_global_describe_lists_all_objects(acme):
    body = acme.get("sobjects").json()
    assert (body["encoding"], body["maxBatchSize"]) == ("UTF-8", 200)
    names = [each["name"] for each in body["sobjects"]]
    assert {"Lead", "CampaignMemberStatus", "Organization", "Webinar__c"} <= set(names)
    lead = next(each for each in body["sobjects"] if each["name"] == "Lead")
    assert lead["keyPrefix"] == "00Q"
    assert lead["urls"]["describe"] == f"/services/data/v{VERSION}/sobjects/Lead/describe"


def test_the_records_of_objects_are_counted(acme):
    create(acme)
    acme.call("DELETE", f"sobjects/Lead/{create(acme)}")
    answer = acme.get("limits/recordCount", params={"sObjects": "lead, Contact,Nope"})
    assert answer.json() == {
        "sObjects": [{"count": 1, "name": "Lead"}, {"count": 0, "name": "Contact"}]
    }
    names = [each["name"] for each in acme.get("limits/recordCount").json()["sObjects"]]
    assert names == [each["name"] for each in acme.get("sobjects").json()["sobjects"]]
    assert acme.get("limits").json()["FileStorageMB"] == {"Max": 1024, "Remaining": 1024}


@pytest.mark.parametrize(
    ("sobject", "name", "target"),
    [
        ("Account", "DandbCompanyId", "DandBCompany"),
        ("Account", "OperatingHoursId", "OperatingHours"),
        ("Account", "RecordTypeId", "RecordType"),
        ("Contact", "IndividualId", "Individual"),
        ("Lead", "DandbCompanyId", "DandBCompany"),
        ("Lead", "IndividualId", "Individual"),
        ("Opportunity", "Pricebook2Id", "Pricebook2"),
        ("Opportunity", "LastAmountChangedHistoryId", "OpportunityHistory"),
        ("Opportunity", "LastCloseDateChangedHistoryId", "OpportunityHistory"),
    ],
)
def test_lookups_that_the_records_of_few_orgs_fill_are_described(acme, sobject, name, target):
    described = acme.get(f"sobjects/{sobject}/describe").json()["fields"]
    (field,) = (each for each in described if each["name"] == name)
    assert field["referenceTo"] == [target]


def test_a_price_book_may_be_any_id_of_one(acme):
    given = {"Name": "O", "StageName": "Prospecting", "CloseDate": "2026-01-01"}
    opportunity = create(acme, "Opportunity", **given, Pricebook2Id="01s000000000001AAA")
    assert read(acme, "Opportunity", opportunity)["Pricebook2Id"] == "01s000000000001AAA"
    wrong = refused(acme, "Opportunity", **given, Pricebook2Id="001000000000001AAA")
    assert wrong["errorCode"] == "MALFORMED_ID"


def test_describe_has_a_field_as_it_was_recorded_in_a_real_org(acme):
    fields = {each["name"]: each for each in acme.get("sobjects/Lead/describe").json()["fields"]}
    assert fields["Email"] == {
        "aggregatable": True,
        "aiPredictionField": False,
        "autoNumber": False,
        "byteLength": 240,
        "calculated": False,
        "calculatedFormula": None,
        "cascadeDelete": False,
        "caseSensitive": False,
        "compoundFieldName": None,
        "controllerName": None,
        "createable": True,
        "custom": False,
        "defaultValue": None,
        "defaultValueFormula": None,
        "defaultedOnCreate": False,
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": 0,
        "displayLocationInDecimal": False,
        "encrypted": False,
        "externalId": False,
        "extraTypeInfo": None,
        "filterable": True,
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": False,
        "groupable": True,
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": True,
        "inlineHelpText": None,
        "label": "Email",
        "length": 80,
        "mask": None,
        "maskType": None,
        "name": "Email",
        "nameField": False,
        "namePointing": False,
        "nillable": True,
        "permissionable": True,
        "picklistValues": [],
        "polymorphicForeignKey": False,
        "precision": 0,
        "queryByDistance": False,
        "referenceTargetField": None,
        "referenceTo": [],
        "relationshipName": None,
        "relationshipOrder": None,
        "restrictedDelete": False,
        "restrictedPicklist": False,
        "scale": 0,
        "searchPrefilterable": False,
        "soapType": "xsd:string",
        "sortable": True,
        "type": "email",
        "unique": False,
        "updateable": True,
        "writeRequiresMasterRead": False,
    }
    assert fields["Status"]["picklistValues"][0] == {
        "active": True,
        "defaultValue": True,
        "label": "Open - Not Contacted",
        "validFor": None,
        "value": "Open - Not Contacted",
    }


def test_describe_shows_custom_fields_and_both_ends_of_a_lookup(acme):
    webinar = acme.get("sobjects/webinar__c/describe").json()
    fields = {each["name"]: each for each in webinar["fields"]}
    assert webinar["custom"] is True
    assert webinar["keyPrefix"] == "a00"
    assert fields["Key__c"]["externalId"] is True
    assert fields["Campaign__c"]["referenceTo"] == ["Campaign"]
    assert fields["Campaign__c"]["relationshipName"] == "Campaign__r"
    children = acme.get("sobjects/Campaign/describe").json()["childRelationships"]
    assert ("Webinar__c", "Campaign__c", "Webinars__r") in [
        (each["childSObject"], each["field"], each["relationshipName"]) for each in children
    ]


def test_fields_of_activity_are_fields_of_events_and_tasks(acme):
    for sobject in ("Event", "Task"):
        fields = acme.get(f"sobjects/{sobject}/describe").json()["fields"]
        assert "External_Key__c" in [each["name"] for each in fields]


def test_an_unknown_object_or_path_is_not_found(acme):
    for path in ("sobjects/Nope", "sobjects/Nope/describe", "nope", "sobjects/Lead/a/b/c/d/e/f"):
        answer = acme.get(path)
        assert answer.status_code == 404
        assert error(answer)["errorCode"] == "NOT_FOUND"
    assert error(acme.get("nope"))["message"] == "The requested resource does not exist"


def test_a_method_that_a_resource_does_not_have_is_405(acme):
    answer = acme.call("PUT", "sobjects/Lead")
    assert answer.status_code == 405
    assert error(answer)["errorCode"] == "METHOD_NOT_ALLOWED"


# --- create, read, update, delete ---


def test_a_create_answers_201_with_a_location(acme):
    answer = acme.post("sobjects/Lead", json=LEAD)
    body = answer.json()
    assert answer.status_code == 201
    assert body == {"id": body["id"], "success": True, "errors": []}
    assert answer.headers["Location"] == f"/services/data/v{VERSION}/sobjects/Lead/{body['id']}"
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert len(body["id"]) == 18
    assert body["id"].startswith("00Q")


def test_a_new_record_has_its_defaults_and_system_fields(acme):
    before = datetime.now(UTC).replace(microsecond=0)
    lead = read(acme, "Lead", create(acme))
    user = next(iter(acme.org.users.values())).id
    assert lead["attributes"] == {
        "type": "Lead",
        "url": f"/services/data/v{VERSION}/sobjects/Lead/{lead['Id']}",
    }
    assert lead["Name"] == "Ada Lovelace"
    assert lead["Status"] == "Open - Not Contacted"
    assert (lead["IsDeleted"], lead["IsConverted"]) == (False, False)
    assert lead["CreatedById"] == lead["LastModifiedById"] == lead["OwnerId"] == user
    assert lead["CreatedDate"] == lead["LastModifiedDate"] == lead["SystemModstamp"]
    assert lead["CreatedDate"].endswith(".000+0000")
    assert before <= datetime.fromisoformat(lead["CreatedDate"]) <= datetime.now(UTC)


def test_fifteen_characters_of_an_id_are_enough_and_keys_may_have_any_case(acme):
    answer = acme.post("sobjects/lead", json={"lastname": "x", "COMPANY": "y"})
    lead = read(acme, "LEAD", answer.json()["id"][:15])
    assert (lead["LastName"], lead["Id"]) == ("x", answer.json()["id"])


def test_only_the_fields_that_are_asked_for_are_returned(acme):
    lead_id = create(acme)
    body = acme.get(f"sobjects/Lead/{lead_id}", params={"fields": "lastname,Company"}).json()
    del body["attributes"]
    assert body == {"LastName": "Lovelace", "Company": "Engines", "Id": lead_id}
    answer = acme.get(f"sobjects/Lead/{lead_id}", params={"fields": "Nope"})
    assert answer.status_code == 400
    assert error(answer)["errorCode"] == "INVALID_FIELD"
    assert error(answer)["message"].startswith("No such column 'Nope' on entity 'Lead'.")


def test_an_address_is_read_as_one_object(acme):
    lead_id = create(acme, Street="1 Main", City="Bath", Country="UK")
    assert read(acme, "Lead", lead_id)["Address"] == {
        "city": "Bath",
        "country": "UK",
        "geocodeAccuracy": None,
        "latitude": None,
        "longitude": None,
        "postalCode": None,
        "state": None,
        "street": "1 Main",
    }
    assert read(acme, "Lead", create(acme))["Address"] is None


def test_an_update_answers_204_and_moves_only_the_modification_stamps(acme):
    lead_id = create(acme)
    acme.org.clock_shift = timedelta(hours=1)
    answer = acme.call("PATCH", f"sobjects/Lead/{lead_id}", json={"Title": "Countess"})
    assert (answer.status_code, answer.content) == (204, b"")
    lead = read(acme, "Lead", lead_id)
    assert lead["Title"] == "Countess"
    assert lead["LastModifiedDate"] == lead["SystemModstamp"] > lead["CreatedDate"]


def test_texts_are_trimmed_and_an_empty_one_is_null(acme):
    lead_id = create(acme, LastName="  Lovelace ", Title="  ", City="")
    lead = read(acme, "Lead", lead_id)
    assert (lead["LastName"], lead["Title"], lead["City"]) == ("Lovelace", None, None)


def test_a_deleted_record_is_gone_and_cannot_be_deleted_twice(acme):
    lead_id = create(acme)
    assert acme.call("DELETE", f"sobjects/Lead/{lead_id}").status_code == 204
    for method, body in (("DELETE", None), ("GET", None), ("PATCH", {"Title": "x"})):
        answer = acme.call(method, f"sobjects/Lead/{lead_id}", json=body)
        assert answer.status_code == 404
        assert answer.json() == [
            {"message": "entity is deleted", "errorCode": "ENTITY_IS_DELETED", "fields": []}
        ]


def test_an_id_that_never_was_is_not_found(acme):
    for method in ("PATCH", "DELETE"):
        answer = acme.call(method, "sobjects/Lead/00Q000000000001EAA", json={})
        assert answer.status_code == 404
        assert error(answer)["errorCode"] == "INVALID_CROSS_REFERENCE_KEY"
        assert error(answer)["message"] == "invalid cross reference id"
    assert acme.get("sobjects/Lead/00Q000000000001EAA").status_code == 404
    answer = acme.get("sobjects/Lead/nonsense")
    assert answer.status_code == 404
    assert error(answer)["message"] == (
        "Provided external ID field does not exist or is not accessible: nonsense"
    )


def test_deleting_an_account_deletes_its_contacts_and_what_is_about_them(acme):
    account = create(acme, "Account", Name="Acme")
    contact = create(acme, "Contact", LastName="x", AccountId=account)
    task = create(acme, "Task", Subject="call", WhoId=contact)
    campaign = create(acme, "Campaign", Name="c")
    opportunity = create(
        acme, "Opportunity", Name="o", StageName="Prospecting", CloseDate="2026-01-01",
        CampaignId=campaign,
    )  # fmt: skip
    acme.call("DELETE", f"sobjects/Account/{account}")
    acme.call("DELETE", f"sobjects/Campaign/{campaign}")
    assert acme.get(f"sobjects/Contact/{contact}").status_code == 404
    assert acme.get(f"sobjects/Task/{task}").status_code == 404
    assert read(acme, "Opportunity", opportunity)["CampaignId"] is None


# --- what is refused ---


def test_required_fields_are_named(acme):
    answer = acme.post("sobjects/Lead", json={"FirstName": "Ada"})
    assert answer.status_code == 400
    assert answer.json() == [
        {
            "message": "Required fields are missing: [LastName, Company]",
            "errorCode": "REQUIRED_FIELD_MISSING",
            "fields": ["LastName", "Company"],
        }
    ]
    lead_id = create(acme)
    answer = acme.call("PATCH", f"sobjects/Lead/{lead_id}", json={"Company": ""})
    assert error(answer)["message"] == "Required fields are missing: [Company]"


@pytest.mark.parametrize(
    ("fields", "code", "message", "named"),
    [
        (
            {"City": "x" * 41},
            "STRING_TOO_LONG",
            f"City: data value too large: {'x' * 41} (max length=40)",
            ["City"],
        ),
        ({"Email": "foo"}, "INVALID_EMAIL_ADDRESS", "Email: invalid email address: foo", ["Email"]),
        (
            {"GeocodeAccuracy": "abc"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Geocode Accuracy: bad value for restricted picklist field: abc",
            ["GeocodeAccuracy"],
        ),
        (
            {"OwnerId": "001000000000001AAA"},
            "MALFORMED_ID",
            "Owner ID: id value of incorrect type: 001000000000001AAA",
            ["OwnerId"],
        ),
        (
            {"OwnerId": "005000000000001AAA"},
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id",
            [],
        ),
        (
            {"Score__c": 1000},
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Score: value outside of valid range on numeric field: 1000",
            ["Score__c"],
        ),
    ],
)
def test_a_value_that_a_field_does_not_take_is_refused(acme, fields, code, message, named):
    answer = acme.post("sobjects/Lead", json={**LEAD, **fields})
    assert answer.status_code == 400
    assert answer.json() == [{"message": message, "errorCode": code, "fields": named}]


def test_all_errors_of_a_record_are_told(acme):
    answer = acme.post("sobjects/Lead", json={**LEAD, "Email": "foo", "City": "x" * 41})
    assert [each["errorCode"] for each in answer.json()] == [
        "INVALID_EMAIL_ADDRESS",
        "STRING_TOO_LONG",
    ]


def test_a_length_counts_characters_not_bytes(acme):
    lead_id = create(acme, City="ü" * 40)
    assert read(acme, "Lead", lead_id)["City"] == "ü" * 40


def test_an_unrestricted_picklist_takes_any_value_a_restricted_one_only_its_own(acme):
    assert read(acme, "Lead", create(acme, LeadSource="Odd"))["LeadSource"] == "Odd"
    answer = acme.post("sobjects/Webinar__c", json={"Level__c": "Odd"})
    assert error(answer)["message"] == "Level: bad value for restricted picklist field: Odd"
    assert read(acme, "Webinar__c", create(acme, "Webinar__c"))["Level__c"] == "Basic"
    tagged = create(acme, "Webinar__c", Tags__c="a; b;a")
    assert read(acme, "Webinar__c", tagged)["Tags__c"] == "a;b"


def test_an_unknown_field_is_no_such_column(acme):
    answer = acme.post("sobjects/Lead", json={**LEAD, "Nope__c": 1})
    assert answer.status_code == 400
    assert answer.json() == [
        {
            "message": "No such column 'Nope__c' on sobject of type Lead",
            "errorCode": "INVALID_FIELD",
        }
    ]


def test_a_hidden_field_looks_as_if_it_were_not_there(acme):
    acme.org.hide_fields(["Lead.Title"])
    answer = acme.post("sobjects/Lead", json={**LEAD, "Title": "x"})
    assert error(answer)["message"] == "No such column 'Title' on sobject of type Lead"
    described = acme.get("sobjects/Lead/describe").json()["fields"]
    assert "Title" not in [each["name"] for each in described]
    assert "Title" not in read(acme, "Lead", create(acme))


def test_a_read_only_field_cannot_be_written(acme):
    answer = acme.post("sobjects/Lead", json={**LEAD, "CreatedDate": "2026-01-01T00:00:00Z"})
    assert answer.json() == [
        {
            "message": "Unable to create/update fields: CreatedDate. Please check the security "
            "settings of this field and verify that it is read/write for your profile or "
            "permission set.",
            "errorCode": "INVALID_FIELD_FOR_INSERT_UPDATE",
            "fields": ["CreatedDate"],
        }
    ]


def test_an_id_in_the_body_is_refused(acme):
    lead_id = create(acme)
    for method, path in (("POST", "sobjects/Lead"), ("PATCH", f"sobjects/Lead/{lead_id}")):
        answer = acme.call(method, path, json={**LEAD, "Id": lead_id})
        assert error(answer)["message"] == (
            "The Id field should not be specified in the sobject data."
        )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"Score__c": "many"}, "double from VALUE_STRING value many"),
        ({"IsUnreadByOwner": "so"}, "boolean from VALUE_STRING value so"),
        ({"LastName": 7}, "string from VALUE_NUMBER_INT value 7"),
        ({"LastName": ["x"]}, "string from START_ARRAY value ["),
    ],
)
def test_a_value_of_another_type_is_a_parser_error(acme, fields, message):
    answer = acme.post("sobjects/Lead", json={**LEAD, **fields})
    assert answer.status_code == 400
    assert error(answer)["errorCode"] == "JSON_PARSER_ERROR"
    assert error(answer)["message"].startswith(f"Cannot deserialize instance of {message}")


def test_a_body_that_is_no_json_object_is_a_parser_error(acme):
    for body in (b"", b"{", b"[]", b"7", b'"x"', b"null"):
        answer = acme.post("sobjects/Lead", data=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        assert error(answer)["errorCode"] == "JSON_PARSER_ERROR"
    answer = acme.post("sobjects/Lead", data={"LastName": "x"})
    assert answer.status_code == 415


def test_dates_and_times_are_stored_in_utc(acme):
    event = create(
        acme, "Event", Subject="x", StartDateTime="2026-05-14T23:30:00+02:00", DurationInMinutes=30
    )
    assert read(acme, "Event", event)["StartDateTime"] == "2026-05-14T21:30:00.000+0000"
    for wrong in (
        "2026-05-14",
        "2026-13-01T00:00:00Z",
        "9999-12-31T23:59:00Z",
        "0001-01-01T00:00:00+14:00",
        "now",
    ):
        answer = acme.post("sobjects/Event", json={"StartDateTime": wrong, "DurationInMinutes": 1})
        assert error(answer)["errorCode"] == "JSON_PARSER_ERROR"
    contact = create(acme, "Contact", LastName="x", Birthdate="2000-02-29")
    assert read(acme, "Contact", contact)["Birthdate"] == "2000-02-29"
    answer = acme.post("sobjects/Contact", json={"LastName": "x", "Birthdate": "2001-02-29"})
    assert error(answer)["message"].startswith(
        "Cannot deserialize instance of date from VALUE_STRING value 2001-02-29"
    )


# --- external ids ---


def test_an_upsert_creates_then_updates(acme):
    path = "sobjects/Lead/Ext__c/a%20b%2F1"
    answer = acme.call("PATCH", path, json=LEAD)
    lead_id = answer.json()["id"]
    assert answer.status_code == 201
    assert answer.json() == {"id": lead_id, "success": True, "errors": [], "created": True}
    answer = acme.call("PATCH", path, json={"Title": "Countess"})
    assert answer.status_code == 200
    assert answer.json() == {"id": lead_id, "success": True, "errors": [], "created": False}
    lead = acme.get("sobjects/Lead/Ext__c/a b%2F1").json()
    assert (lead["Id"], lead["Title"], lead["Ext__c"]) == (lead_id, "Countess", "a b/1")


def test_an_upsert_up_to_v45_does_not_tell_created(acme):
    path = "/services/data/v45.0/sobjects/Lead/Ext__c/1"
    assert "created" not in acme.call("PATCH", path, json=LEAD).json()
    assert acme.call("PATCH", path, json={"Title": "x"}).status_code == 204


def test_an_upsert_that_matches_several_records_lists_them(acme):
    ids = [create(acme, Ext__c="same"), create(acme, Ext__c="same")]
    create(acme, Ext__c="SAME")
    for method, body in (("PATCH", {}), ("GET", None), ("DELETE", None)):
        answer = acme.call(method, "sobjects/Lead/Ext__c/same", json=body)
        assert answer.status_code == 300
        assert answer.json() == [f"/services/data/v{VERSION}/sobjects/Lead/{each}" for each in ids]


def test_an_upsert_by_a_field_that_is_no_external_id_is_not_found(acme):
    for name in ("Namez", "Title"):
        answer = acme.call("PATCH", f"sobjects/Lead/{name}/x", json=LEAD)
        assert answer.status_code == 404
        assert answer.json() == [
            {
                "message": "Provided external ID field does not exist or is not accessible: "
                f"{name}",
                "errorCode": "NOT_FOUND",
            }
        ]


def test_an_upsert_may_be_asked_only_to_update(acme):
    answer = acme.call("PATCH", "sobjects/Lead/Ext__c/1?updateOnly=true", json=LEAD)
    assert answer.status_code == 404


def test_an_external_id_in_the_body_is_refused(acme):
    answer = acme.call("PATCH", "sobjects/Lead/Ext__c/1", json={**LEAD, "Ext__c": "1"})
    assert error(answer)["message"] == (
        "The Ext__c field should not be specified in the sobject data."
    )


def test_a_record_may_be_deleted_by_its_external_id(acme):
    create(acme, Ext__c="1")
    assert acme.call("DELETE", "sobjects/Lead/Ext__c/1").status_code == 204
    assert acme.get("sobjects/Lead/Ext__c/1").status_code == 404


def test_a_read_only_reference_is_not_written_through_its_relationship_either(acme):
    campaign = create(acme, "Campaign", Name="C")
    create(acme, Email="ada@example.com")
    member = create(acme, "CampaignMember", CampaignId=campaign, LeadId=create(acme))
    named = {"Email": "ada@example.com"}
    user = {"Username": "sales@acme.test"}
    for sobject, record_id, relationship, name, value in [
        ("CampaignMember", member, "Lead", "LeadId", named),
        ("CampaignMember", member, "lead", "LeadId", None),
        ("CampaignMember", member, "Campaign", "CampaignId", {"Name": "C"}),
        ("Lead", create(acme), "ConvertedContact", "ConvertedContactId", named),
        ("Lead", create(acme), "CreatedBy", "CreatedById", user),
    ]:
        answer = acme.call("PATCH", f"sobjects/{sobject}/{record_id}", json={relationship: value})
        assert answer.status_code == 400, relationship
        assert error(answer) == error(
            acme.call("PATCH", f"sobjects/{sobject}/{record_id}", json={name: record_id})
        )
        assert error(answer)["fields"] == [name]
    assert refused(acme, "Lead", **LEAD, CreatedBy=user)["fields"] == ["CreatedById"]


def test_a_reference_takes_one_field(acme):
    reference = {"Email": "ada@example.com", "LastName": "Lovelace"}
    who = reference | {"attributes": {"type": "Lead"}}
    assert refused(acme, "Event", Subject="Call", Who=who)["message"] == (
        "More than 1 field provided in an external foreign key reference in entity: Lead"
    )
    assert refused(acme, "Contact", LastName="L", Account={"Name": "A", "Site": "B"}) == {
        "message": "More than 1 field provided in an external foreign key reference in entity: "
        "Account",
        "errorCode": "INVALID_FIELD",
        "fields": [],
    }


def test_a_parent_may_be_named_by_its_external_id(acme):
    create(acme, "Webinar__c", Key__c="w1", Campaign__c=create(acme, "Campaign", Name="c"))
    contact = create(acme, "Contact", LastName="Boss", Email="boss@example.com")
    other = create(acme, "Contact", LastName="x", ReportsTo={"Email": "BOSS@example.com"})
    assert read(acme, "Contact", other)["ReportsToId"] == contact
    answer = acme.post(
        "sobjects/Contact", json={"LastName": "x", "ReportsTo": {"Email": "no@x.de"}}
    )
    assert answer.json() == [
        {
            "message": "Foreign key external ID: no@x.de not found for field Email in entity "
            "Contact",
            "errorCode": "INVALID_FIELD",
            "fields": ["ReportsToId"],
        }
    ]


def test_a_unique_value_cannot_be_used_twice(acme):
    first = create(acme, "Webinar__c", Key__c="w1")
    answer = acme.post("sobjects/Webinar__c", json={"Key__c": "W1"})
    assert answer.status_code == 400
    assert answer.json() == [
        {
            "message": "duplicate value found: Key__c duplicates value on record with id: "
            f"{first[:15]}",
            "errorCode": "DUPLICATE_VALUE",
            "fields": ["Key__c"],
        }
    ]
    create(acme, "Webinar__c", Code__c="x")
    create(acme, "Webinar__c", Code__c="X")
    acme.call("DELETE", f"sobjects/Webinar__c/{first}")
    create(acme, "Webinar__c", Key__c="w1")


def test_a_custom_record_without_a_name_is_called_by_its_id(acme):
    record_id = create(acme, "Webinar__c")
    assert read(acme, "Webinar__c", record_id)["Name"] == record_id[:15]


# --- changes since ---


def test_updated_and_deleted_ids_are_listed_for_a_window(acme):
    now = datetime.now(UTC)
    kept, gone = create(acme), create(acme)
    acme.call("DELETE", f"sobjects/Lead/{gone}")
    window = {
        "start": (now - timedelta(minutes=5)).isoformat(timespec="seconds"),
        "end": (now + timedelta(minutes=5)).isoformat(timespec="seconds"),
    }
    acme.org.clock_shift = timedelta(minutes=2)
    updated = acme.get("sobjects/Lead/updated", params=window).json()
    assert updated["ids"] == [kept]
    assert updated["latestDateCovered"].endswith("+0000")
    deleted = acme.get("sobjects/Lead/deleted", params=window).json()
    assert [each["id"] for each in deleted["deletedRecords"]] == [gone]
    assert set(deleted) == {"deletedRecords", "earliestDateAvailable", "latestDateCovered"}
    swapped = {"start": window["end"], "end": window["start"]}
    answer = acme.get("sobjects/Lead/updated", params=swapped)
    assert error(answer)["errorCode"] == "INVALID_REPLICATION_DATE"
    assert acme.get("sobjects/Lead/updated").status_code == 400


def test_changes_are_asked_for_by_whole_minutes(acme):
    stamps = [f"2026-05-14T10:{time}.000Z" for time in ("29:59", "30:00", "31:45", "32:00")]
    acme.org.clock_shift = datetime(2026, 5, 14, 11, 0, 30, tzinfo=UTC) - datetime.now(UTC)
    leads = [{**LEAD, "Title": each, "LastModifiedDate": each} for each in stamps]
    ids = seed(acme.org, {"Lead": leads})["Lead"]
    seconds = {"start": "2026-05-14T10:30:59Z", "end": "2026-05-14T10:31:01Z"}
    answer = acme.get("sobjects/Lead/updated", params=seconds).json()
    assert answer == {"ids": ids[1:3], "latestDateCovered": "2026-05-14T10:31:00.000+0000"}
    seconds["end"] = "2026-05-14T12:00:00Z"
    answer = acme.get("sobjects/Lead/updated", params=seconds).json()
    assert answer["latestDateCovered"] == "2026-05-14T11:00:00.000+0000", "now, not the future"
    within_a_minute = {"start": "2026-05-14T10:30:00Z", "end": "2026-05-14T10:30:59Z"}
    for which in ("updated", "deleted"):
        answer = acme.get(f"sobjects/Lead/{which}", params=within_a_minute)
        assert error(answer)["errorCode"] == "INVALID_REPLICATION_DATE"


@pytest.mark.parametrize(("which", "days"), [("updated", 30), ("deleted", 15)])
def test_changes_are_kept_for_days(acme, which, days):
    acme.org.clock_shift = datetime(2026, 5, 31, 11, 0, 30, tzinfo=UTC) - datetime.now(UTC)
    oldest = datetime(2026, 5, 31, 11, tzinfo=UTC) - timedelta(days=days)
    window = {"start": oldest.isoformat(), "end": "2026-05-31T11:00:00Z"}
    answer = acme.get(f"sobjects/Lead/{which}", params=window)
    assert answer.status_code == 200
    if which == "deleted":
        assert answer.json()["earliestDateAvailable"][:16] == oldest.isoformat()[:16]
    window["start"] = (oldest - timedelta(seconds=1)).isoformat()
    answer = acme.get(f"sobjects/Lead/{which}", params=window)
    assert error(answer)["message"] == "startDate before org replication enabled date"


def test_the_log_of_deletions_outlives_the_bin(acme):
    binned, erased, hidden = create(acme), create(acme), create(acme)
    account = create(acme, "Account", Name="x")
    contact = create(acme, "Contact", LastName="x", AccountId=account)
    admin(acme, "delete", {"ids": [binned, hidden]})
    admin(acme, "snapshot")
    admin(acme, "erase", {"ids": [erased, account]})
    admin(acme, "empty-bin")
    admin(acme, "hidden-records", [hidden])
    assert acme.get("queryAll", params={"q": "SELECT Id FROM Lead"}).json()["records"] == []
    assert sorted(deleted(acme)) == sorted([binned, erased])
    assert deleted(acme, "Contact") == [contact]
    admin(acme, "restore")
    assert deleted(acme) == [binned], "erased records are there again"


# --- sessions, sizes, encodings, addresses ---


def test_without_a_session_nothing_is_answered(acme):
    url = f"{acme.url}/services/data/v{VERSION}/sobjects"
    expected = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        answer = requests.get(url, headers=headers, timeout=30)
        assert (answer.status_code, answer.json()) == (401, expected)
    answer = requests.get(url, headers={"Authorization": "nonsense"}, timeout=30)
    assert (answer.status_code, error(answer)["errorCode"]) == (401, "INVALID_AUTH_HEADER")


def test_a_session_ends_when_its_time_is_over_or_it_is_revoked(acme):
    user = next(iter(acme.org.users.values()))
    session = acme.org.open_session(user.id, timedelta(minutes=15))
    headers = {"Authorization": f"Bearer {session.token}"}
    assert acme.get("sobjects", headers=headers).status_code == 200
    acme.org.clock_shift = timedelta(minutes=16)
    assert acme.get("sobjects", headers=headers).status_code == 401
    acme.org.clock_shift = timedelta(0)
    assert acme.get("sobjects").status_code == 200
    requests.post(f"{acme.url}/_admin/sessions/expire", timeout=30)
    assert acme.get("sobjects").status_code == 401


def test_a_url_or_a_head_that_is_too_long_is_refused(acme):
    assert acme.get("query", params={"q": "x" * 16_400}).status_code == 414
    assert acme.get("sobjects", headers={"X-Long": "x" * 16_400}).status_code == 431


def test_a_body_may_be_compressed_and_an_answer_pretty(acme):
    body = gzip.compress(json.dumps(LEAD).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = acme.post("sobjects/Lead", data=body, headers={**headers, "X-PrettyPrint": "1"})
    assert answer.status_code == 201
    assert answer.text.startswith('{\n  "id"')
    assert acme.post("sobjects/Lead", data=b"no gzip", headers=headers).status_code == 400


def test_a_post_may_stand_for_a_patch(acme):
    lead_id = create(acme)
    answer = acme.post(f"sobjects/Lead/{lead_id}?_HttpMethod=PATCH", json={"Title": "x"})
    assert answer.status_code == 204
