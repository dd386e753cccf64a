"""Answers in XML, `Accept: application/xml`, and records that are sent in XML."""

from xml.etree import ElementTree as ET

import pytest
import requests

from crm_pipeline_tests.local_org.records import LEAD, admin, create, error, read
from crm_pipeline_tests.local_org.wire import VERSION, Caller

NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
XML = {"Accept": "application/xml"}


def xml(caller: Caller, path: str, status: int = 200, method: str = "GET", **more) -> ET.Element:
    answer = caller.call(method, path, headers=XML, **more)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/xml;charset=UTF-8"
    return ET.fromstring(answer.content)


def test_a_record_carries_its_attributes_and_says_what_is_nil(acme):
    lead_id = create(acme, Title="<Countess> & more \x01")
    record = xml(acme, f"sobjects/Lead/{lead_id}")
    url = f"/services/data/v{VERSION}/sobjects/Lead/{lead_id}"
    assert (record.tag, record.attrib) == ("Lead", {"type": "Lead", "url": url})
    assert record.findtext("Title") == "<Countess> & more "
    assert record.findtext("IsConverted") == "false"
    fax = record.find("Fax")
    assert fax is not None
    assert fax.attrib == {NIL: "true"}


def test_a_query_repeats_its_records(acme):
    account = create(acme, "Account", Name="A")
    for name in ("B", "C"):
        create(acme, "Contact", LastName=name, AccountId=account)
    soql = "SELECT Name, Owner.Name, (SELECT LastName FROM Contacts) FROM Account"
    result = xml(acme, "query", params={"q": soql})
    assert result.tag == "QueryResult"
    assert [each.tag for each in result] == ["totalSize", "done", "records"]
    assert result.findtext("records/Owner/Name") == "Ada Admin"
    names = [each.text for each in result.findall("records/Contacts/records/LastName")]
    assert names == ["B", "C"]


def test_what_is_created_and_what_is_refused_is_told_in_xml(acme):
    result = xml(acme, "sobjects/Lead", 201, "POST", json=LEAD)
    assert (result.tag, result.findtext("success")) == ("Result", "true")
    errors = xml(acme, "sobjects/Lead", 400, "POST", json={"LastName": "L"})
    assert errors.tag == "Errors"
    assert errors.findtext("Error/errorCode") == "REQUIRED_FIELD_MISSING"
    assert (
        xml(acme, "sobjects/Lead/00Q000000000001", 404).findtext("Error/errorCode") == "NOT_FOUND"
    )


def test_lists_of_resources_are_told_in_xml(acme):
    versions = xml(acme, "/services/data")
    assert {each.tag for each in versions} == {"Version"}
    assert versions[0].findtext("version") == "46.0"
    assert xml(acme, "sobjects").findtext("sobjects/name") == "Account"
    assert xml(acme, "limits").findtext("DailyApiRequests/Max") == "15000"
    described = xml(acme, "sobjects/Lead/describe").findall("fields/name")
    assert "Email" in [each.text for each in described]


def test_the_results_of_a_collection_are_told_in_xml(acme):
    records = [{"attributes": {"type": "Lead"}, **LEAD}, {"attributes": {"type": "Lead"}}]
    results = xml(acme, "composite/sobjects", method="POST", json={"records": records})
    assert (results.tag, [each.tag for each in results]) == ("Results", ["Result", "Result"])
    assert [each.text for each in results.findall("Result/success")] == ["true", "false"]
    assert results.findtext("Result/errors/statusCode") == "REQUIRED_FIELD_MISSING"


def sent(acme: Caller, method: str, path: str, body: str) -> requests.Response:
    headers = {"Content-Type": "application/xml; charset=UTF-8"}
    return acme.call(method, path, data=body.encode(), headers=headers)


def test_a_record_may_be_sent_in_xml(acme):
    fields = "<LastName>L\u00f6we &amp; x</LastName><Company>E</Company><Ext__c>7</Ext__c>"
    answer = sent(acme, "POST", "sobjects/Lead", f"<Lead>{fields}<Score__c>5</Score__c></Lead>")
    assert (answer.status_code, answer.json()["success"]) == (201, True)
    record_id = answer.json()["id"]
    record = read(acme, "Lead", record_id)
    assert (record["LastName"], record["Score__c"]) == ("L\u00f6we & x", 5.0)
    nil = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"'
    body = f"<Lead><Score__c {nil}/><Title>Dr</Title></Lead>"
    assert sent(acme, "PATCH", f"sobjects/Lead/{record_id}", body).status_code == 204
    record = read(acme, "Lead", record_id)
    assert (record["Score__c"], record["Title"]) == (None, "Dr")
    answer = sent(acme, "PATCH", "sobjects/Lead/Ext__c/7", "<Lead><Title>Prof</Title></Lead>")
    assert (answer.status_code, answer.json()["created"]) == (200, False)


def test_a_parent_is_named_by_its_external_id_in_xml(acme):
    create(acme, "Campaign", Name="x")
    lead = create(acme, Ext__c="7")
    (campaign,) = acme.values("SELECT Id FROM Campaign")
    body = (
        f"<CampaignMember><CampaignId>{campaign}</CampaignId>"
        "<Lead><Ext__c>7</Ext__c></Lead></CampaignMember>"
    )
    answer = sent(acme, "POST", "sobjects/CampaignMember", body)
    assert answer.status_code == 201, answer.text
    assert read(acme, "CampaignMember", answer.json()["id"])["LeadId"] == lead


@pytest.mark.parametrize("body", ["", "<Lead>", "nope", "<!DOCTYPE a><Lead/>"])
def test_a_body_that_is_no_xml_is_refused(acme, body):
    answer = sent(acme, "POST", "sobjects/Lead", body)
    assert (answer.status_code, error(answer)["errorCode"]) == (400, "XML_PARSER_ERROR")


@pytest.mark.parametrize("path", ["composite", "composite/sobjects", "jobs/ingest"])
def test_nothing_but_a_record_is_sent_in_xml(acme, path):
    answer = sent(acme, "POST", path, "<a/>")
    assert (answer.status_code, error(answer)["errorCode"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("path", ["composite", "jobs/ingest"])
def test_what_speaks_json_only_does_nothing_and_answers_406(acme, path):
    errors = xml(acme, path, 406, "POST", json={"records": []})
    assert errors.findtext("Error/errorCode") == "NOT_ACCEPTABLE"
    assert acme.org.meter.charged == 0


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/xml", "xml"),
        ("text/xml, text/plain;q=0.1", "xml"),
        ("application/xml, application/json;q=0.5", "xml"),
        ("application/json;q=0.5, application/xml;q=0.4", "json"),
        ("application/xml, */*", "json"),
        ("text/html", "json"),
        ("", "json"),
        ("application/xml;q=x", "xml"),
    ],
)
def test_the_accept_header_decides(acme, accept, kind):
    answer = acme.get("limits", headers={"Accept": accept})
    assert answer.headers["Content-Type"] == f"application/{kind};charset=UTF-8"


def test_an_error_of_the_weather_is_told_in_xml_too(acme):
    admin(acme, "faults", {"kind": "limits", "action": "error", "code": "SERVER_UNAVAILABLE"})
    errors = xml(acme, "limits", 500)
    assert errors.findtext("Error/errorCode") == "SERVER_UNAVAILABLE"
