import csv
import io
import time
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from crm_pipeline.local_org.config import Fault
from crm_pipeline.local_org.seeding import seed
from crm_pipeline_tests.local_org.wire import Caller, add, add_all, serving_afresh

ASYNC = "/services/async/59.0/job"
NAMESPACE = "{http://www.force.com/2009/06/asyncapi/dataload}"
XML = {"Content-Type": "application/xml; charset=UTF-8"}
JSON = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv"}
OBJECTS = {
    "Account": {"fields": {"Key__c": {"type": "string", "external_id": True, "unique": True}}}
}


@pytest.fixture(scope="module")
def fresh():
    with serving_afresh(objects=OBJECTS) as fresh:
        yield fresh


@pytest.fixture
def caller(fresh):
    caller = fresh()
    token = caller.http.headers.pop("Authorization").removeprefix("Bearer ")
    caller.http.headers["X-SFDC-Session"] = token
    return caller


def texts(content: bytes) -> dict[str, str | None]:
    """The elements of a jobInfo or batchInfo by their names."""
    return {each.tag.removeprefix(NAMESPACE): each.text for each in ET.fromstring(content)}


def xml_job(operation: str, sobject: str, **more: str) -> str:
    elements = {"operation": operation, "object": sobject, **more, "contentType": "CSV"}
    inner = "".join(f"<{key}>{value}</{key}>" for key, value in elements.items())
    return f'<jobInfo xmlns="{NAMESPACE[1:-1]}">{inner}</jobInfo>'


def run_csv(caller: Caller, content: str, operation: str, sobject: str, **more: str) -> str:
    """The path of a batch that was worked on."""
    created = caller.post(ASYNC, data=xml_job(operation, sobject, **more), headers=XML)
    assert created.status_code == 201, created.text
    job = f"{ASYNC}/{texts(created.content)['id']}"
    added = caller.post(f"{job}/batch", data=content.encode(), headers=CSV)
    assert added.status_code == 201, added.text
    closing = f'<jobInfo xmlns="{NAMESPACE[1:-1]}"><state>Closed</state></jobInfo>'
    closed = caller.post(job, data=closing, headers=XML)
    assert texts(closed.content)["state"] == "Closed"
    batch = f"{job}/batch/{texts(added.content)['id']}"
    for _ in range(500):
        if texts(caller.get(batch).content)["state"] not in ("Queued", "InProgress"):
            return batch
        time.sleep(0.01)
    raise AssertionError(batch)


def run_json(caller: Caller, records: Any, operation: str, sobject: str, **more: str) -> str:
    body = {"operation": operation, "object": sobject, "contentType": "JSON", **more}
    created = caller.post(ASYNC, json=body)
    assert created.status_code == 201, created.text
    job = f"{ASYNC}/{created.json()['id']}"
    data = records.encode() if isinstance(records, str) else None
    json = None if isinstance(records, str) else records
    added = caller.post(f"{job}/batch", data=data, json=json, headers=JSON)
    assert added.status_code == 201, added.text
    batch = f"{job}/batch/{added.json()['id']}"
    for _ in range(500):
        if caller.get(batch).json()["state"] not in ("Queued", "InProgress"):
            return batch
        time.sleep(0.01)
    raise AssertionError(batch)


def test_a_csv_batch_gives_a_result_for_each_record_in_their_order(caller):
    batch = run_csv(caller, "Name,Phone\nA,1\n,2\nC,3\n", "insert", "Account")
    info = texts(caller.get(batch).content)
    assert (info["state"], info["numberRecordsProcessed"]) == ("Completed", "3")
    assert info["numberRecordsFailed"] == "1"
    assert info["createdDate"]
    assert info["createdDate"].endswith(".000Z")
    answer = caller.get(f"{batch}/result")
    assert answer.headers["Content-Type"] == "text/csv"
    lines = list(csv.reader(io.StringIO(answer.text)))
    assert lines[0] == ["Id", "Success", "Created", "Error"]
    assert [line[1:3] for line in lines[1:]] == [
        ["true", "true"],
        ["false", "false"],
        ["true", "true"],
    ]
    assert lines[2][0] == ""
    assert lines[2][3] == ("REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --")
    caller.http.headers["Authorization"] = f"Bearer {caller.http.headers['X-SFDC-Session']}"
    assert caller.query("SELECT Id FROM Account ORDER BY Name") == [
        {"Id": lines[1][0]},
        {"Id": lines[3][0]},
    ]


def test_the_batches_of_a_job_are_listed_with_their_states(caller):
    batch = run_csv(caller, "Name\nA\n", "insert", "Account")
    job = batch.partition("/batch/")[0]
    listed = ET.fromstring(caller.get(f"{job}/batch").content)
    assert listed.tag == f"{NAMESPACE}batchInfoList"
    (info,) = listed.findall(f"{NAMESPACE}batchInfo")
    assert info.findtext(f"{NAMESPACE}state") == "Completed"
    whole = texts(caller.get(job).content)
    assert (whole["numberBatchesCompleted"], whole["numberBatchesTotal"]) == ("1", "1")
    assert (whole["apiVersion"], whole["concurrencyMode"]) == ("59.0", "Parallel")


def test_an_unknown_column_fails_the_batch(caller):
    batch = run_csv(caller, "Name,Foo\nA,1\n", "insert", "Account")
    info = texts(caller.get(batch).content)
    assert info["state"] == "Failed"
    assert info["stateMessage"] == "InvalidBatch : Field name not found : Foo"
    assert caller.get(f"{batch}/result").status_code == 400


def test_update_upsert_and_delete_by_csv(caller):
    account = add(caller.org, "Account", Name="A", Phone="1", Key__c="K")
    run_csv(caller, f"Id,Name,Phone\n{account},B,#N/A\n", "update", "Account")
    table = caller.org.table("Account")
    assert (table.rows[account]["Name"], table.rows[account]["Phone"]) == ("B", None)
    more = {"externalIdFieldName": "Key__c"}
    batch = run_csv(caller, "Key__c,Name\nK,C\nL,D\n", "upsert", "Account", **more)
    lines = list(csv.reader(io.StringIO(caller.get(f"{batch}/result").text)))[1:]
    assert [line[2] for line in lines] == ["false", "true"]
    run_csv(caller, f"Id\n{account}\n", "delete", "Account")
    assert table.rows[account]["IsDeleted"]


def test_a_csv_query_gives_result_ids_and_then_the_records(caller):
    add_all(caller.org, "Account", [{"Name": "A"}, {"Name": "B", "Phone": "1"}])
    batch = run_csv(caller, "SELECT Name, Phone FROM Account ORDER BY Name", "query", "Account")
    listed = ET.fromstring(caller.get(f"{batch}/result").content)
    assert listed.tag == f"{NAMESPACE}result-list"
    (result,) = [each.text for each in listed]
    answer = caller.get(f"{batch}/result/{result}")
    assert answer.text == '"Name","Phone"\n"A",""\n"B","1"\n'
    nothing = run_csv(caller, "SELECT Id FROM Lead", "query", "Lead")
    (result,) = [each.text for each in ET.fromstring(caller.get(f"{nothing}/result").content)]
    assert caller.get(f"{nothing}/result/{result}").text == "Records not found for this query\n"


def test_a_wrong_query_fails_the_batch_with_the_querys_error(caller):
    batch = run_json(caller, "SELECT Foo FROM Lead", "query", "Lead")
    info = caller.get(batch).json()
    assert info["state"] == "Failed"
    assert info["stateMessage"].startswith(
        "InvalidBatch : Failed to process query: INVALID_FIELD: \nSELECT Foo FROM Lead\n       ^\n"
    )
    assert "No such column 'Foo' on entity 'Lead'" in info["stateMessage"]


def test_a_json_batch_gives_json_results(caller):
    records = [{"Name": "A"}, {"Name": None}, {"Name": "C", "Foo": 1}]
    batch = run_json(caller, records, "insert", "Account")
    good, nameless, unknown = caller.get(f"{batch}/result").json()
    assert (good["success"], good["created"], good["errors"]) == (True, True, [])
    assert good["id"].startswith("001")
    assert nameless == {
        "success": False,
        "created": False,
        "id": None,
        "errors": [
            {
                "statusCode": "REQUIRED_FIELD_MISSING",
                "message": "Required fields are missing: [Name]",
                "fields": ["Name"],
                "extendedErrorDetails": None,
            }
        ],
    }
    assert unknown["errors"][0]["statusCode"] == "INVALID_FIELD"
    assert caller.get(f"{batch}/request").json() == records


def test_a_json_query_gives_records_with_their_attributes(caller):
    add(caller.org, "Account", Name="A")
    batch = run_json(caller, "SELECT Name FROM Account", "queryAll", "Account")
    (result,) = caller.get(f"{batch}/result").json()
    (record,) = caller.get(f"{batch}/result/{result}").json()
    assert record["Name"] == "A"
    assert record["attributes"]["type"] == "Account"


def test_a_batch_of_csv_is_told_of_in_xml_although_its_job_was_created_in_json(caller):
    """The Singer tap for Salesforce relies on it."""
    add(caller.org, "Account", Name="A")
    body = {"operation": "queryAll", "object": "Account", "contentType": "CSV"}
    job = f"{ASYNC}/{caller.post(ASYNC, json=body).json()['id']}"
    added = caller.post(f"{job}/batch", data=b"SELECT Name FROM Account", headers=CSV)
    batch = f"{job}/batch/{texts(added.content)['id']}"
    assert caller.post(job, json={"state": "Closed"}).json()["state"] == "Closed"
    while texts(caller.get(batch, headers=JSON).content)["state"] != "Completed":
        time.sleep(0.01)
    listed = ET.fromstring(caller.get(f"{job}/batch", headers=JSON).content)
    assert listed.tag == f"{NAMESPACE}batchInfoList"
    (result,) = ET.fromstring(caller.get(f"{batch}/result", headers=JSON).content)
    assert caller.get(f"{batch}/result/{result.text}").text == '"Name"\n"A"\n'
    assert caller.get(job, headers=JSON).json()["numberBatchesCompleted"] == 1
    assert texts(caller.get(job, headers=XML).content)["numberBatchesCompleted"] == "1"


@pytest.mark.parametrize("content", ["{", "{}", "[1]", '["x"]', "null", "\x00"])
def test_a_batch_that_is_no_list_of_records_fails(caller, content):
    batch = run_json(caller, content, "insert", "Account")
    info = caller.get(batch).json()
    assert info["state"] == "Failed"
    assert info["stateMessage"].startswith("InvalidBatch : ")


@pytest.mark.parametrize(("kind", "content"), [("CSV", ""), ("CSV", "\n"), ("JSON", "[]")])
def test_an_empty_batch_is_refused(caller, kind, content):
    body = {"operation": "insert", "object": "Account", "contentType": kind}
    job = f"{ASYNC}/{caller.post(ASYNC, json=body).json()['id']}"
    answer = caller.post(f"{job}/batch", data=content, headers=JSON if kind == "JSON" else CSV)
    assert answer.status_code == 400
    told = answer.json() if kind == "JSON" else texts(answer.content)
    assert told == {"exceptionCode": "ClientInputError", "exceptionMessage": "The batch is empty"}
    assert caller.get(job, headers=JSON).json()["numberBatchesTotal"] == 0


def test_a_json_query_gives_datetimes_in_milliseconds(caller):
    created = {"Name": "A", "CreatedDate": "2026-05-14T10:00:00Z"}
    (account,) = seed(caller.org, {"Account": [created]})["Account"]
    add(caller.org, "Contact", LastName="B", AccountId=account, Birthdate="2000-02-28")
    soql = "SELECT Birthdate, EmailBouncedDate, Account.CreatedDate FROM Contact"
    batch = run_json(caller, soql, "query", "Contact")
    (result,) = caller.get(f"{batch}/result").json()
    (record,) = caller.get(f"{batch}/result/{result}").json()
    assert record["Account"]["CreatedDate"] == 1_778_752_800_000
    assert (record["Birthdate"], record["EmailBouncedDate"]) == ("2000-02-28", None)


def test_an_expired_session_is_400_in_the_callers_format(caller):
    caller.http.headers["X-SFDC-Session"] = "gone"
    answer = caller.post(ASYNC, json={})
    assert answer.status_code == 400
    assert answer.json() == {
        "exceptionCode": "InvalidSessionId",
        "exceptionMessage": "Invalid session id",
    }
    answer = caller.post(ASYNC, data="<x/>", headers=XML)
    assert answer.status_code == 400
    assert ET.fromstring(answer.content).tag == f"{NAMESPACE}error"
    assert texts(answer.content)["exceptionCode"] == "InvalidSessionId"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"operation": "insert", "object": "Nothing", "contentType": "JSON"}, "InvalidEntity"),
        ({"operation": "dance", "object": "Account", "contentType": "JSON"}, "InvalidJob"),
        ({"operation": "upsert", "object": "Account", "contentType": "JSON"}, "InvalidJob"),
        ({"operation": "hardDelete", "object": "Account", "contentType": "JSON"}, "FeatureNot"),
        ({"operation": "insert", "object": "Account", "contentType": "ZIP_CSV"}, "InvalidJob"),
        ([], "InvalidJob"),
    ],
)
def test_a_wrong_job_is_refused(caller, body, code):
    answer = caller.post(ASYNC, json=body)
    assert answer.status_code == 400
    assert answer.json()["exceptionCode"].startswith(code)


@pytest.mark.parametrize("body", ["", "<", "<!DOCTYPE a><a/>", "nonsense"])
def test_a_job_that_is_no_xml_is_refused(caller, body):
    answer = caller.post(ASYNC, data=body, headers=XML)
    assert answer.status_code == 400
    assert texts(answer.content)["exceptionCode"] == "InvalidXML"


def test_a_closed_job_takes_no_batch_and_unknown_ids_are_refused(caller):
    batch = run_csv(caller, "Name\nA\n", "insert", "Account")
    job = batch.partition("/batch/")[0]
    answer = caller.post(f"{job}/batch", data=b"Name\nB\n", headers=CSV)
    assert texts(answer.content)["exceptionCode"] == "InvalidJobState"
    for path in (f"{ASYNC}/750000000000000AAA", f"{job}/batch/751000000000000AAA"):
        assert caller.get(path).status_code == 400


def test_rows_can_fail_because_their_parents_are_locked(caller):
    caller.org.weather.add(Fault(kind="bulk.process", action="lock", rows=[1]))
    batch = run_json(caller, [{"Name": "A"}, {"Name": "B"}], "insert", "Account")
    locked, saved = caller.get(f"{batch}/result").json()
    assert locked["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"
    assert saved["success"]
