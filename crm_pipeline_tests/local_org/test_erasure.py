"""Gone for good: Bulk 2.0 hardDelete, and SOAP's emptyRecycleBin() and undelete()."""

import time
from collections.abc import Sequence
from xml.etree import ElementTree as ET

import pytest
import requests

from crm_pipeline_tests.local_org.records import LEAD, admin, create, read
from crm_pipeline_tests.local_org.wire import Caller, serving

PARTNER = "{urn:partner.soap.sforce.com}"


def soap(
    acme: Caller, operation: str, ids: Sequence[str], session: str | None = None
) -> requests.Response:
    session = session or str(acme.http.headers["Authorization"]).removeprefix("Bearer ")
    wanted = "".join(f"<urn:ids>{each}</urn:ids>" for each in ids)
    envelope = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:urn="urn:partner.soap.sforce.com"><soapenv:Header><urn:SessionHeader>'
        f"<urn:sessionId>{session}</urn:sessionId></urn:SessionHeader></soapenv:Header>"
        f"<soapenv:Body><urn:{operation}>{wanted}</urn:{operation}></soapenv:Body>"
        "</soapenv:Envelope>"
    )
    return requests.post(
        f"{acme.url}/services/Soap/u/66.0",
        data=envelope,
        headers={"Content-Type": "text/xml", "SOAPAction": '""'},
        timeout=10,
    )


def results(answer: requests.Response) -> list[tuple[str, str, str | None]]:
    """Id, success and status code of each result."""
    assert answer.status_code == 200, answer.text
    found = ET.fromstring(answer.content).iter(f"{PARTNER}result")
    return [
        (
            each.findtext(f"{PARTNER}id", ""),
            each.findtext(f"{PARTNER}success", ""),
            each.findtext(f"{PARTNER}errors/{PARTNER}statusCode"),
        )
        for each in found
    ]


def left(acme: Caller, sobject: str = "Lead") -> list[str]:
    """The ids that even a queryAll finds."""
    answer = acme.get("queryAll", params={"q": f"SELECT Id FROM {sobject}"})
    return [each["Id"] for each in answer.json()["records"]]


def test_a_record_is_taken_out_of_the_bin_for_good(acme):
    gone, deleted, living = (create(acme) for _ in range(3))
    for each in (gone, deleted):
        acme.call("DELETE", f"sobjects/Lead/{each}")
    assert results(soap(acme, "emptyRecycleBin", [gone[:15]])) == [(gone, "true", None)]
    assert left(acme) == [deleted, living]


def test_each_record_has_a_result_of_its_own(acme):
    gone, living = create(acme), create(acme)
    acme.call("DELETE", f"sobjects/Lead/{gone}")
    assert results(soap(acme, "emptyRecycleBin", [living, gone, "nope", gone])) == [
        (living, "false", "UNDELETE_FAILED"),
        (gone, "true", None),
        ("nope", "false", "MALFORMED_ID"),
        (gone, "false", "INVALID_CROSS_REFERENCE_KEY"),
    ]
    assert left(acme) == [living]


def test_a_record_is_undeleted_by_soap(acme):
    account = create(acme, "Account", Name="a")
    contact = create(acme, "Contact", LastName="x", AccountId=account)
    acme.call("DELETE", f"sobjects/Account/{account}")
    assert results(soap(acme, "undelete", [account])) == [(account, "true", None)]
    assert read(acme, "Contact", contact)["AccountId"] == account


def test_the_call_needs_a_session_and_is_an_api_request(acme):
    answer = soap(acme, "emptyRecycleBin", [], session="nope")
    assert answer.status_code == 500
    assert "<faultcode>sf:INVALID_SESSION_ID</faultcode>" in answer.text
    soap(acme, "emptyRecycleBin", [create(acme)])
    stats = admin(acme, "stats", method="GET")
    assert stats["calls"] == {"soap.emptyRecycleBin": 2, "create": 1}
    assert stats["api_requests"] == 2


def test_a_hidden_record_stays_in_the_bin(acme):
    lead = create(acme)
    acme.call("DELETE", f"sobjects/Lead/{lead}")
    admin(acme, "hidden-records", [lead])
    for operation in ("emptyRecycleBin", "undelete"):
        (result,) = results(soap(acme, operation, [lead]))
        assert result == (lead, "false", "INSUFFICIENT_ACCESS_OR_READONLY")


def test_more_than_200_records_are_too_many(acme):
    answer = soap(acme, "emptyRecycleBin", ["00Q000000000001"] * 201)
    assert answer.status_code == 500
    assert "EXCEEDED_ID_LIMIT" in answer.text


def hard_delete(caller: Caller, ids: Sequence[str]) -> str:
    """Runs a job; returns its failed results."""
    body = {"object": "Account", "operation": "hardDelete"}
    job = caller.post("jobs/ingest", json=body).json()["id"]
    csv = "Id\n" + "".join(f"{each}\n" for each in ids)
    caller.call("PUT", f"jobs/ingest/{job}/batches", data=csv, headers={"Content-Type": "text/csv"})
    caller.call("PATCH", f"jobs/ingest/{job}", json={"state": "UploadComplete"})
    deadline = time.monotonic() + 60
    while caller.get(f"jobs/ingest/{job}").json()["state"] != "JobComplete":
        assert time.monotonic() < deadline
    return caller.get(f"jobs/ingest/{job}/failedResults").text


def test_a_hard_delete_passes_the_bin_by_with_all_that_is_below():
    with serving(bulk_hard_delete=True) as caller:
        account = create(caller, "Account", Name="a")
        binned = create(caller, "Account", Name="b")
        create(caller, "Contact", LastName="x", AccountId=account)
        caller.call("DELETE", f"sobjects/Account/{binned}")
        failed = hard_delete(caller, [account, binned])
        assert left(caller, "Account") == [binned]
        assert left(caller, "Contact") == []
        assert f'"{binned}","ENTITY_IS_DELETED:entity is deleted:--"' in failed


def test_without_the_permission_there_is_no_hard_delete(acme):
    body = {"object": "Lead", "operation": "hardDelete"}
    answer = acme.post("jobs/ingest", json=body)
    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] == "FEATURENOTENABLED"
    assert create(acme, **LEAD) in left(acme)


@pytest.mark.parametrize("kind", ["login", "soap.emptyRecycleBin"])
def test_a_fault_of_logins_does_not_strike_other_soap_calls(acme, kind):
    admin(acme, "faults", {"kind": kind, "action": "html_503"})
    status = soap(acme, "emptyRecycleBin", []).status_code
    assert status == (200 if kind == "login" else 503)
