import pytest

from crm_pipeline.local_org.config import OrgConfigError
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline_tests.local_org.records import LEAD, admin, create, error, read, refused
from crm_pipeline_tests.local_org.wire import VERSION, serving

CONFIG = {
    "users": [{"username": "ada@acme.test"}, {"username": "sales@acme.test"}],
    "duplicate_rules": [
        {"object": "Lead", "match": ["Email"], "against": ["Lead", "Contact"]},
        {
            "object": "Contact",
            "match": ["LastName", "Phone"],
            "action": "block",
            "message": "Twice",
        },
    ],
    "validation_rules": [
        {
            "object": "Lead",
            "when": "AND(Country = 'Germany', ISBLANK(PostalCode))",
            "error": "Postal code is needed in Germany",
            "field": "PostalCode",
        },
        {
            "object": "Lead",
            "when": "ISCHANGED(LeadSource) && ISPICKVAL(PRIORVALUE(LeadSource), 'Web')",
            "error": "The source stays",
            "on": "update",
        },
    ],
    "assignment_rules": [
        {"owner": "sales@acme.test", "when": "BEGINS(Company, 'Big')", "id": "01Q000000000001"}
    ],
}


@pytest.fixture(scope="module")
def server():
    with serving(**CONFIG) as caller:
        yield caller


@pytest.fixture
def acme(server):
    admin(server, "reset")
    return server


@pytest.mark.parametrize("existing", ["Lead", "Contact"])
def test_a_duplicate_is_told_as_salesforce_tells_it(acme, existing):
    found = create(acme, existing, LastName="Lovelace", Email="Ada@example.com")
    answer = acme.post("sobjects/Lead", json={**LEAD, "Email": "ada@example.com"})
    assert answer.status_code == 400
    assert answer.json() == [
        {
            "duplicateResut": {
                "allowSave": True,
                "duplicateRule": "Standard_Lead_Duplicate_Rule",
                "duplicateRuleEntityType": "Lead",
                "errorMessage": "Use one of these records?",
                "matchResults": [
                    {
                        "entityType": existing,
                        "errors": [],
                        "matchEngine": "ExactMatchEngine",
                        "matchRecords": [
                            {
                                "additionalInformation": [],
                                "fieldDiffs": [],
                                "matchConfidence": 100.0,
                                "record": {
                                    "attributes": {
                                        "type": existing,
                                        "url": f"/services/data/v{VERSION}/sobjects/{existing}/"
                                        f"{found}",
                                    },
                                    "Id": found,
                                },
                            }
                        ],
                        "rule": f"Standard_{existing}_Match_Rule_v1_0",
                        "size": 1,
                        "success": True,
                    }
                ],
            },
            "errorCode": "DUPLICATES_DETECTED",
            "message": "Use one of these records?",
        }
    ]


def test_a_collection_tells_duplicates_without_the_records(acme):
    create(acme, Email="ada@example.com")
    records = [{"attributes": {"type": "Lead"}, **LEAD, "Email": "ada@example.com"}]
    assert acme.post("composite/sobjects", json={"records": records}).json() == [
        {
            "success": False,
            "errors": [
                {
                    "statusCode": "DUPLICATES_DETECTED",
                    "message": "Use one of these records?",
                    "fields": [],
                }
            ],
        }
    ]


def test_an_alert_can_be_overruled_by_a_header_a_block_cannot(acme):
    allow = {"Sforce-Duplicate-Rule-Header": "allowSave=true; includeRecordDetails=true"}
    create(acme, Email="ada@example.com")
    lead = {**LEAD, "Email": "ada@example.com"}
    assert acme.post("sobjects/Lead", json=lead, headers=allow).status_code == 201
    deny = {"Sforce-Duplicate-Rule-Header": "allowSave=false"}
    assert acme.post("sobjects/Lead", json=lead, headers=deny).status_code == 400
    contact = {"LastName": "x", "Phone": "1"}
    create(acme, "Contact", **contact)
    answer = acme.post("sobjects/Contact", json=contact, headers=allow)
    assert error(answer)["message"] == "Twice"
    assert error(answer)["duplicateResut"]["allowSave"] is False


def test_a_composite_takes_the_header_of_each_subrequest(acme):
    create(acme, Email="ada@example.com")
    request = {
        "method": "POST",
        "url": f"/services/data/v{VERSION}/sobjects/Lead",
        "body": {**LEAD, "Email": "ada@example.com"},
    }
    allow = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    answer = acme.post(
        "composite",
        json={
            "compositeRequest": [
                {**request, "referenceId": "plain"},
                {**request, "referenceId": "allowed", "httpHeaders": allow},
            ]
        },
    )
    statuses = [each["httpStatusCode"] for each in answer.json()["compositeResponse"]]
    assert statuses == [400, 201]


def test_all_fields_of_a_rule_must_be_filled_and_equal(acme):
    create(acme, "Contact", LastName="x", Phone="1")
    create(acme, "Contact", LastName="x", Phone="2")
    create(acme, "Contact", LastName="x")
    create(acme, "Contact", LastName="x")


def test_records_of_one_save_converted_leads_and_deleted_ones_are_no_duplicates(acme):
    records = [{"attributes": {"type": "Lead"}, **LEAD, "Email": "ada@example.com"}] * 2
    results = acme.post("composite/sobjects", json={"records": records}).json()
    assert [each["success"] for each in results] == [True, True]
    converted = create(acme, Email="bob@example.com")
    made = admin(acme, "convert", {"lead_id": converted})
    acme.call("DELETE", f"sobjects/Contact/{made['contact_id']}")
    create(acme, Email="bob@example.com")


def test_an_update_is_checked_only_if_it_changes_what_is_compared(acme):
    allow = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    create(acme, Email="ada@example.com")
    twin = {**LEAD, "Email": "ada@example.com"}
    lead = acme.post("sobjects/Lead", json=twin, headers=allow).json()["id"]
    assert acme.call("PATCH", f"sobjects/Lead/{lead}", json={"Title": "x"}).status_code == 204
    other = create(acme, Email="bob@example.com")
    answer = acme.call("PATCH", f"sobjects/Lead/{other}", json={"Email": "ada@example.com"})
    assert error(answer)["errorCode"] == "DUPLICATES_DETECTED"


def test_a_validation_rule_speaks_with_the_words_of_the_administrator(acme):
    assert refused(acme, "Lead", **LEAD, Country="Germany") == {
        "message": "Postal code is needed in Germany",
        "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "fields": ["PostalCode"],
    }
    create(acme, Country="Germany", PostalCode="10115")


def test_a_validation_rule_may_look_at_what_was_before(acme):
    lead = create(acme, LeadSource="Web")
    assert acme.call("PATCH", f"sobjects/Lead/{lead}", json={"Title": "x"}).status_code == 204
    answer = acme.call("PATCH", f"sobjects/Lead/{lead}", json={"LeadSource": "Other"})
    assert error(answer)["message"] == "The source stays"
    assert error(answer)["fields"] == []


def test_assignment_rules_run_unless_the_header_says_no(acme):
    ada, sales = (acme.org.users[f"{name}@acme.test"].id for name in ("ada", "sales"))

    def owner(company: str, **headers: str) -> str:
        answer = acme.post("sobjects/Lead", json={**LEAD, "Company": company}, headers=headers)
        owner_id: str = read(acme, "Lead", answer.json()["id"])["OwnerId"]
        return owner_id

    assert owner("Big Engines") == sales
    assert owner("Engines") == ada
    assert owner("Big Engines", **{"Sforce-Auto-Assign": "FALSE"}) == ada
    assert owner("Big Engines", **{"Sforce-Auto-Assign": "01Q000000000001"}) == sales
    assert owner("Big Engines", **{"Sforce-Auto-Assign": "01Q000000000002"}) == ada


def test_assignment_rules_run_on_updates_too(acme):
    lead = create(acme)
    acme.call("PATCH", f"sobjects/Lead/{lead}", json={"Company": "Big Engines"})
    assert read(acme, "Lead", lead)["OwnerId"] == acme.org.users["sales@acme.test"].id


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"validation_rules": [{"object": "Nope", "when": "TRUE", "error": "x"}]}, "Nope"),
        ({"validation_rules": [{"object": "Lead", "when": "Nope = 1", "error": "x"}]}, "Nope"),
        ({"validation_rules": [{"object": "Lead", "when": "AND(", "error": "x"}]}, "column"),
        ({"validation_rules": [{"object": "Lead", "when": "NOW()", "error": "x"}]}, "NOW"),
        ({"validation_rules": [{"object": "Lead", "when": "LEN()", "error": "x"}]}, "LEN"),
        ({"duplicate_rules": [{"object": "Lead", "match": ["Nope"]}]}, "Lead.Nope"),
        ({"assignment_rules": [{"owner": "nobody@acme.test"}]}, "nobody@acme.test"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_at_the_start(rule, message):
    with pytest.raises(OrgConfigError, match=message):
        LocalOrgServer({"name": "acme", **rule})


@pytest.mark.parametrize(
    ("formula", "broken"),
    [
        ("NumberOfEmployees > 10 || NumberOfEmployees < 2", False),
        ("NumberOfEmployees >= 5 && !(Title <> NULL)", True),
        ("CONTAINS(LOWER(Company), 'engine')", True),
        ("NOT(CONTAINS(Company, 'Engine'))", False),
        ("LEN(LastName) = 8", True),
        ("REGEX(Phone, '[0-9]+')", True),
        ("REGEX(Phone, '[')", False),
        ("TEXT(NumberOfEmployees) = '5'", True),
        ("NumberOfEmployees > -1", True),
        ("LastName > 5", False),
        ("Title = ''", True),
        ("OR(ISNEW(), FALSE)", True),
    ],
)
def test_formulas_reckon_as_they_read(formula, broken):
    rule = {"object": "Lead", "when": formula, "error": "broken"}
    with serving(validation_rules=[rule]) as caller:
        answer = caller.post("sobjects/Lead", json={**LEAD, "NumberOfEmployees": 5, "Phone": "123"})
    assert (answer.status_code == 400) is broken


def test_a_rule_does_not_apply_to_seeded_records():
    rule = {"object": "Lead", "when": "TRUE", "error": "never"}
    with serving(validation_rules=[rule], records={"Lead": [LEAD]}) as caller:
        assert len(caller.values("SELECT Id FROM Lead")) == 1
