from functools import partial
from typing import Any

import pytest

from crm_pipeline_tests.local_org.records import LEAD, create, error, read
from crm_pipeline_tests.local_org.wire import Caller, serving

ROLLED_BACK = {
    "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "message": "Record rolled back because not all records were valid and the request was using "
    "AllOrNone header",
    "fields": [],
}
NO_COMPANY = {
    "statusCode": "REQUIRED_FIELD_MISSING",
    "message": "Required fields are missing: [Company]",
    "fields": ["Company"],
}


def of(sobject: str, **fields: Any) -> dict[str, Any]:
    return {"attributes": {"type": sobject}, **fields}


def lead(**fields: Any) -> dict[str, Any]:
    return of("Lead", **{**LEAD, **fields})


def send(
    acme: Caller, method: str, records: Any, path: str = "composite/sobjects", **options: Any
) -> Any:
    answer = acme.call(method, path, json={"records": records, **options})
    assert answer.status_code == 200, answer.text
    return answer.json()


def count(acme: Caller, sobject: str = "Lead") -> int:
    return sum(not row["IsDeleted"] for row in acme.org.table(sobject).rows.values())


def test_each_record_has_its_result_in_the_order_of_the_request(acme):
    good, bad, other = send(acme, "POST", [lead(), of("Lead", LastName="x"), lead()])
    assert good == {"id": good["id"], "success": True, "errors": []}
    assert bad == {"success": False, "errors": [NO_COMPANY]}
    assert other["success"] is True
    assert count(acme) == 2


def test_with_all_or_none_one_failure_undoes_all(acme):
    results = send(acme, "POST", [lead(), of("Lead", LastName="x"), lead()], allOrNone=True)
    assert results == [
        {"success": False, "errors": [ROLLED_BACK]},
        {"success": False, "errors": [NO_COMPANY]},
        {"success": False, "errors": [ROLLED_BACK]},
    ]
    assert count(acme) == 0
    assert acme.org.rows_written == {}


def test_all_or_none_undoes_updates_and_what_followed_from_them(acme):
    lead_id = create(acme, Email="old@example.com")
    results = send(
        acme,
        "PATCH",
        [
            of("Lead", id=lead_id, Email="new@example.com"),
            of("Campaign", id="701000000000001", Name="x"),
        ],
        allOrNone=True,
    )
    assert [each["success"] for each in results] == [False, False]
    assert read(acme, "Lead", lead_id)["Email"] == "old@example.com"
    assert acme.values("SELECT Id FROM Lead WHERE Email = 'old@example.com'") == [lead_id]
    assert acme.values("SELECT Id FROM Lead WHERE Email = 'new@example.com'") == []


def test_updates_go_by_id_whose_absence_or_repetition_is_an_error(acme):
    lead_id = create(acme)
    gone = create(acme)
    acme.call("DELETE", f"sobjects/Lead/{gone}")
    results = send(
        acme,
        "PATCH",
        [
            of("Lead", Id=lead_id, Title="a"),
            of("Lead", id=lead_id, Title="b"),
            of("Lead", Title="c"),
            of("Lead", Title="another without an id"),
            of("Lead", id=gone, Title="d"),
            of("Lead", id="00Q000000000001", Title="e"),
            of("Lead", id="nonsense", Title="f"),
        ],
    )
    assert results[0] == {"id": lead_id, "success": True, "errors": []}
    assert [each["errors"][0]["statusCode"] for each in results[1:]] == [
        "DUPLICATE_VALUE",
        "MISSING_ARGUMENT",
        "MISSING_ARGUMENT",
        "ENTITY_IS_DELETED",
        "INVALID_CROSS_REFERENCE_KEY",
        "MALFORMED_ID",
    ]
    assert read(acme, "Lead", lead_id)["Title"] == "a"


def test_a_create_takes_no_id_but_null(acme):
    created, refused = send(acme, "POST", [lead(Id=None), lead(ID="00Q000000000001")])
    assert created["success"] is True
    assert refused["errors"] == [
        {
            "statusCode": "INVALID_FIELD_FOR_INSERT_UPDATE",
            "message": "cannot specify Id in an insert call",
            "fields": ["Id"],
        }
    ]


def test_an_upsert_tells_created_last(acme):
    path = "composite/sobjects/Lead/Ext__c"
    first = send(acme, "PATCH", [lead(Ext__c="1"), of("Lead", Ext__c="2")], path)
    assert list(first[0]) == ["id", "success", "errors", "created"]
    assert (first[0]["success"], first[0]["created"]) == (True, True)
    assert (first[1]["success"], first[1]["created"]) == (False, True)
    again = send(acme, "PATCH", [lead(Ext__c="1", Title="x")], path)
    assert again == [{"id": first[0]["id"], "success": True, "errors": [], "created": False}]


def test_an_upsert_of_one_key_several_times_fails_all_its_records(acme):
    path = "composite/sobjects/Lead/Ext__c"
    keys = ["a", "b", " a ", None, "a"]
    results = send(acme, "PATCH", [lead(Ext__c=key) for key in keys], path)
    assert [each["success"] for each in results] == [False, True, False, False, False]
    assert results[0]["errors"] == [
        {
            "statusCode": "DUPLICATE_VALUE",
            "message": "Duplicate external id specified: a",
            "fields": ["Ext__c"],
        }
    ]
    assert results[3]["errors"][0]["message"] == "Ext__c not specified"
    assert acme.values("SELECT Ext__c FROM Lead") == ["b"]


@pytest.mark.parametrize(
    ("sobject", "field", "repeated"),
    [
        ("Lead", "Ext__c", False),
        ("Webinar__c", "Key__c", True),
        ("Webinar__c", "Code__c", False),
        ("Lead", "Email", True),
    ],
)
def test_keys_that_differ_in_case_are_one_only_where_case_does_not_matter(
    acme, sobject, field, repeated
):
    keys = ["k@example.com", "K@example.com"]
    make = lead if sobject == "Lead" else partial(of, sobject)
    path = f"composite/sobjects/{sobject}/{field}"
    results = send(acme, "PATCH", [make(**{field: key}) for key in keys], path)
    assert [each["success"] for each in results] == [not repeated] * 2
    first, second = (send(acme, "PATCH", [make(**{field: key})], path)[0] for key in keys)
    assert (first["id"] == second["id"]) is repeated
    path = f"sobjects/{sobject}/{field}"
    assert acme.get(f"{path}/K@example.com").json()["Id"] == second["id"]


@pytest.mark.parametrize(
    ("saves", "titles"), [("first", [True, False]), ("last", [False, True]), ("none", [False] * 2)]
)
@pytest.mark.parametrize("path", ["composite/sobjects", "composite/sobjects/Lead/Id"])
def test_which_record_of_one_id_is_saved_is_a_setting(saves, titles, path):
    with serving(repeated_id_saves=saves) as caller:
        lead_id, other = create(caller), create(caller)
        records = [of("Lead", Id=lead_id), of("Lead", Id=lead_id[:15]), of("Lead", Id=other)]
        results = send(caller, "PATCH", records, path)
        assert [each["success"] for each in results] == [*titles, True]
        refused = results[titles.index(False)]["errors"][0]
        assert refused["statusCode"] == "DUPLICATE_VALUE"
        assert refused["message"].startswith("Duplicate id specified: 00Q")


def test_one_id_in_two_runs_of_a_request_is_saved_twice(acme):
    lead_id, account_id = create(acme), create(acme, "Account", Name="A")
    runs = [("Lead", lead_id), ("Account", account_id), ("Lead", lead_id)]
    results = send(acme, "PATCH", [of(name, Id=each) for name, each in runs])
    assert [each["success"] for each in results] == [True] * 3


def test_an_upsert_goes_by_email_too_and_by_id_where_null_is_an_insert(acme):
    lead_id = create(acme, Email="ada@example.com")
    by_email = send(acme, "PATCH", [lead(Email="ADA@example.com")], "composite/sobjects/Lead/Email")
    assert (by_email[0]["id"], by_email[0]["created"]) == (lead_id, False)
    by_id = send(
        acme, "PATCH", [lead(Id=None), of("Lead", Id=lead_id)], "composite/sobjects/Lead/Id"
    )
    assert [each["created"] for each in by_id] == [True, False]


def test_an_upsert_that_matches_several_records_is_an_error(acme):
    ids = [create(acme, Email="a@example.com"), create(acme, Email="a@example.com")]
    (result,) = send(acme, "PATCH", [lead(Email="a@example.com")], "composite/sobjects/Lead/Email")
    assert result["errors"] == [
        {
            "statusCode": "DUPLICATE_EXTERNAL_ID",
            "message": "Email: more than one record found for external id field: "
            f"[{', '.join(ids)}]",
            "fields": ["Email"],
        }
    ]


def test_deletes_go_by_ids_in_the_query(acme):
    ids = [create(acme), create(acme)]
    path = f"composite/sobjects?ids={ids[0]},001000000000001,{ids[1]}"
    kept = acme.call("DELETE", f"{path}&allOrNone=true").json()
    assert [each["success"] for each in kept] == [False, False, False]
    assert count(acme) == 2
    deleted = acme.call("DELETE", f"{path}&allOrNone=false").json()
    assert deleted[0] == {"id": ids[0], "success": True, "errors": []}
    assert deleted[1]["errors"][0]["statusCode"] == "INVALID_CROSS_REFERENCE_KEY"
    assert count(acme) == 0
    assert acme.call("DELETE", "composite/sobjects").status_code == 400


def test_records_are_retrieved_with_null_for_those_not_there(acme):
    lead_id = create(acme)
    expected = [
        {
            "attributes": {"type": "Lead", "url": f"/services/data/v66.0/sobjects/Lead/{lead_id}"},
            "Id": lead_id,
            "LastName": "Lovelace",
        },
        None,
    ]
    body = {"ids": [lead_id, "00Q000000000001"], "fields": ["LastName"]}
    assert acme.post("composite/sobjects/Lead", json=body).json() == expected
    params = {"ids": f"{lead_id},00Q000000000001", "fields": "LastName"}
    assert acme.get("composite/sobjects/Lead", params=params).json() == expected


def test_two_hundred_records_of_ten_runs_are_the_limit(acme):
    assert len(send(acme, "POST", [lead()] * 200)) == 200
    answer = acme.post("composite/sobjects", json={"records": [lead()] * 201})
    assert error(answer) == {
        "message": "record limit reached. cannot submit more than 200 records into this operation",
        "errorCode": "EXCEEDED_ID_LIMIT",
    }
    mixed = [lead(), of("Account", Name="x")] * 5
    assert all(each["success"] for each in send(acme, "POST", mixed))
    answer = acme.post("composite/sobjects", json={"records": [*mixed, lead()]})
    assert answer.status_code == 400
    assert count(acme) == 205


def test_a_value_of_another_type_fails_the_request_and_keeps_nothing(acme):
    answer = acme.post("composite/sobjects", json={"records": [lead(), lead(LastName=7)]})
    assert error(answer)["errorCode"] == "JSON_PARSER_ERROR"
    answer = acme.post("composite/sobjects", json={"records": [lead(), lead(Nope=7)]})
    assert error(answer)["errorCode"] == "INVALID_FIELD"
    assert count(acme) == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"records": []},
        {"records": {}},
        {"records": [7]},
        {"records": [{"LastName": "x"}]},
        {"records": [{"attributes": {"type": "Nope"}}]},
        {"records": [{"attributes": {"type": 7}}]},
        {"records": [{"attributes": []}]},
        {"allOrNone": "yes", "records": [{"attributes": {"type": "Lead"}}]},
    ],
)
def test_a_body_of_another_shape_is_refused_as_a_whole(acme, body):
    for method in ("POST", "PATCH"):
        answer = acme.call(method, "composite/sobjects", json=body)
        assert answer.status_code == 400
        assert set(error(answer)) == {"message", "errorCode"}


def test_a_type_that_is_not_that_of_the_url_is_refused(acme):
    answer = acme.call(
        "PATCH", "composite/sobjects/Lead/Ext__c", json={"records": [of("Contact", LastName="x")]}
    )
    assert error(answer)["errorCode"] == "INVALID_TYPE"
