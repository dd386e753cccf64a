"""Requests that are right but for a detail or two: every way in answers them, and none with a 500.

For longer runs: CRM_PIPELINE_FUZZ_SECONDS=300, and CRM_PIPELINE_FUZZ_SEED for other ones.
"""

import os
import time
from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any, NamedTuple

import orjson
import pytest

from crm_pipeline_tests.local_org.test_fuzz import IDS, NAMES, OBJECTS, ODD_TEXTS
from crm_pipeline_tests.local_org.test_fuzz import org as org  # noqa: PLC0414 - a fixture
from crm_pipeline_tests.local_org.wire import Caller

SECONDS = float(os.environ.get("CRM_PIPELINE_FUZZ_SECONDS", "3"))
LEAD, CONTACT, ACCOUNT, CAMPAIGN = IDS
DATA, ASYNC, SOAP = "/services/data/v66.0", "/services/async/66.0", "/services/Soap/u/60.0"
PERSON = {"LastName": "Byron", "Company": "x", "Email": "b@c.de", "Country": "Germany"}
TALK = {"Subject": "x", "WhoId": CONTACT, "ActivityDateTime": "2026-01-01T09:00:00Z",
        "DurationInMinutes": 30}  # fmt: skip
DEAL = {"Name": "x", "StageName": "Prospecting", "CloseDate": "2026-01-01", "Amount": 5.5}
ODD: list[Any] = [
    None, True, 0, -1, 2**63, 1e308, "", [], {}, [None], {"a": {}}, *ODD_TEXTS, *IDS, *NAMES,
    *OBJECTS, "{job}", "SELECT Id FROM Lead", "2026-02-30", "-1", "null", "#N/A", "Lead:Who.Email",
]  # fmt: skip


MEDIA_TYPES = ["application/json", "application/xml", "text/xml", "text/csv", "x", "*/*;q=x"]


class Request(NamedTuple):
    """One request; a body is text or what becomes JSON."""

    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed in place


def typed(sobject: str, **fields: Any) -> dict[str, Any]:
    return {"attributes": {"type": sobject}, **fields}


def get(path: str) -> Request:
    return Request("GET", f"{DATA}/{path}")


def people(action: str, **body: Any) -> Request:
    return Request("POST", f"/_admin/{action}", body)


CSV, XML = {"Content-Type": "text/csv"}, {"Content-Type": "application/xml"}
REST = [
    Request("POST", f"{DATA}/sobjects/Lead", PERSON),
    Request("POST", f"{DATA}/sobjects/Event", TALK),
    Request("POST", f"{DATA}/sobjects/Opportunity", {**DEAL, "ContactId": CONTACT}),
    Request("POST", f"{DATA}/sobjects/CampaignMember", {"CampaignId": CAMPAIGN, "LeadId": LEAD}),
    Request("POST", f"{DATA}/sobjects/Match__e", {"Email__c": "a@b.de", "Key__c": "k"}),
    Request("POST", f"{DATA}/sobjects/Lead", "<Lead><LastName>x</LastName></Lead>", XML),
    Request("PATCH", f"{DATA}/sobjects/Lead/{LEAD}", {"Title": "Dr", "CountryCode": "DE"}),
    Request("PATCH", f"{DATA}/sobjects/Webinar__c/Key__c/k", {"Campaign__c": CAMPAIGN}),
    Request("DELETE", f"{DATA}/sobjects/Webinar__c/Key__c/k"),
    get(f"sobjects/Lead/{LEAD}?fields=Name,Email"),
    get("sobjects/Lead/describe"),
    get("sobjects/Lead/updated?start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z"),
    get("sobjects/Lead/deleted?start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z"),
    get("limits/recordCount?sObjects=Lead,Contact"),
    get("query?q=SELECT+Id,Owner.Name,(SELECT+Id+FROM+Contacts)+FROM+Account+LIMIT+3"),
    get("query?q=SELECT+COUNT(Id),Company+FROM+Lead+WHERE+Email+LIKE+'a%25'+GROUP+BY+Company"),
    get("query?columns=true&q=SELECT+Id,+convertCurrency(Amount)+FROM+Opportunity"),
    get("queryAll?q=SELECT+Id+FROM+Event+WHERE+Who.Type='Lead'+AND+StartDateTime>2026-01-01T00:00:00Z"),
]  # fmt: skip
BATCHES = [
    Request("POST", f"{DATA}/composite/sobjects", {"allOrNone": False, "records": [
        typed("Lead", **PERSON), typed("Lead", **PERSON), typed("Contact", LastName="x")]}),
    Request("PATCH", f"{DATA}/composite/sobjects", {"records": [
        typed("Lead", Id=LEAD, Title="x"), typed("Contact", Id=CONTACT, AccountId=ACCOUNT)]}),
    Request("PATCH", f"{DATA}/composite/sobjects/Webinar__c/Key__c", {"records": [
        typed("Webinar__c", Key__c="k", Campaign__c=CAMPAIGN), typed("Webinar__c", Key__c="l")]}),
    Request("POST", f"{DATA}/composite/sobjects/Lead", {"ids": [LEAD], "fields": ["Name"]}),
    Request("DELETE", f"{DATA}/composite/sobjects?ids={LEAD},{CONTACT}&allOrNone=true"),
    Request("POST", f"{DATA}/composite", {"allOrNone": True, "compositeRequest": [
        {"method": "POST", "url": f"{DATA}/sobjects/Account", "referenceId": "a",
         "body": {"Name": "x"}},
        {"method": "POST", "url": f"{DATA}/sobjects/Contact", "referenceId": "b",
         "body": {"LastName": "x", "AccountId": "@{a.id}"}},
        {"method": "GET", "url": f"{DATA}/query?q=SELECT+Id+FROM+Contact+WHERE+Id='@{{b.id}}'",
         "referenceId": "c"},
        {"method": "PATCH", "url": f"{DATA}/composite/sobjects", "referenceId": "d",
         "body": {"records": [typed("Contact", Id="@{c.records[0].Id}", Title="x")]}}]}),
]  # fmt: skip
CLASSIC = {"object": "Lead", "contentType": "JSON"}
CLASSIC_XML = (
    "<jobInfo><operation>upsert</operation><object>Webinar__c</object>"
    "<externalIdFieldName>Key__c</externalIdFieldName><contentType>CSV</contentType></jobInfo>"
)
BULK = [
    Request("POST", f"{DATA}/jobs/ingest", {"object": "Lead", "operation": "insert"}),
    Request("POST", f"{DATA}/jobs/ingest", {"object": "Webinar__c", "operation": "upsert",
            "externalIdFieldName": "Key__c", "lineEnding": "LF"}),
    Request("POST", f"{DATA}/jobs/ingest", {"object": "Lead", "operation": "hardDelete"}),
    Request("PUT", f"{DATA}/jobs/ingest/{{job}}/batches",
            'LastName,Company,Email\n"Byron, A",x,a@b.de\nL,#N/A,c@d.de\n', CSV),
    Request("PUT", f"{DATA}/jobs/ingest/{{job}}/batches",
            "Key__c,Campaign__r.Name\nk,Webinar\n", CSV),
    Request("PUT", f"{DATA}/jobs/ingest/{{job}}/batches", f"Id\n{LEAD}\n", CSV),
    Request("PATCH", f"{DATA}/jobs/ingest/{{job}}", {"state": "UploadComplete"}),
    get("jobs/ingest/{job}"), get("jobs/ingest/{job}/failedResults"),
    get("jobs/ingest/{job}/successfulResults"), get("jobs/ingest/{job}/unprocessedrecords"),
    Request("POST", f"{DATA}/jobs/query", {"operation": "query", "query": "SELECT Id FROM Lead"}),
    get("jobs/query/{job}/results?maxRecords=1"),
    Request("POST", f"{ASYNC}/job", {**CLASSIC, "operation": "insert"}),
    Request("POST", f"{ASYNC}/job", CLASSIC_XML, XML),
    Request("POST", f"{ASYNC}/job", {**CLASSIC, "operation": "query"}),
    Request("POST", f"{ASYNC}/job/{{job}}/batch", [PERSON, {"Id": LEAD}]),
    Request("POST", f"{ASYNC}/job/{{job}}/batch", "Key__c,Name\nk,x\n", CSV),
    Request("POST", f"{ASYNC}/job/{{job}}/batch", "SELECT Id, Name FROM Lead", CSV),
    Request("POST", f"{ASYNC}/job/{{job}}", {"state": "Closed"}),
    Request("GET", f"{ASYNC}/job/{{job}}/batch"),
    Request("GET", f"{ASYNC}/job/{{job}}/batch/{{batch}}/result"),
]  # fmt: skip
LOGIN = (
    "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body>"
    "<login xmlns='urn:partner.soap.sforce.com'><username>admin@acme.test</username>"
    "<password>password</password></login></e:Body></e:Envelope>"
)
EMPTY = (
    "<e><sessionId>{token}</sessionId><emptyRecycleBin>"
    f"<ids>{LEAD}</ids><ids>{CONTACT}</ids></emptyRecycleBin></e>"
)
SOAPS = [
    Request("POST", SOAP, LOGIN, {"Content-Type": "text/xml", "SOAPAction": "login"}),
    Request("POST", SOAP, EMPTY, XML),
    Request("POST", SOAP, EMPTY.replace("emptyRecycleBin", "undelete"), XML),
]  # fmt: skip
ADMIN = [
    people("create", object="Lead", fields=PERSON, user="admin@acme.test"),
    people("edit", id=LEAD, fields={"Title": "x"}, hold_seconds=0.01),
    people("edit", id=CONTACT, fields={"Account": {"Name": "Acme"}}),
    people("convert", lead_id=LEAD, opportunity_name="x", contact_id=CONTACT),
    people("merge", object="Contact", master_id=CONTACT, ids=[CONTACT]),
    people("delete", ids=[LEAD]), people("undelete", ids=[LEAD]), people("erase", ids=[LEAD]),
    people("empty-bin", ids=[LEAD]), people("empty-bin"),
    people("seed", Lead=[PERSON], Opportunity=[DEAL], Event=[TALK]),
    people("hidden-records"), people("transactions/end"),
    people("settings", hidden_fields=["Lead.Title"], query_batch_size=200),
    people("settings", hidden_fields=[], clock_shift_seconds=60),
    people("snapshot", name="x"), people("restore", name="x"), people("stats/reset"),
    Request("GET", "/_admin/records/Lead?limit=5"), Request("GET", "/_admin/log?limit=5"),
    Request("GET", "/_admin/events?limit=5"), Request("GET", "/_admin/stats"),
]  # fmt: skip


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to all values within a JSON value."""
    if not isinstance(value, dict | list):
        return
    for key, each in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield (*way, key)
        yield from places(each, (*way, key))


def other_json(random: Random, body: Any) -> Any:
    """The body with one value replaced, removed, repeated or wrapped."""
    body = deepcopy(body)
    ways = list(places(body))
    if not ways:
        return random.choice(ODD)
    *way, last = random.choice(ways)
    holder = body
    for key in way:
        holder = holder[key]
    match random.randrange(5):
        case 0:
            del holder[last]
        case 1 if isinstance(holder, list):
            holder.append(holder[last])
        case 2:
            holder[last] = random.choice([[holder[last]], {"a": holder[last]}, str(holder[last])])
        case 3 if isinstance(holder, dict):
            holder[str(random.choice(ODD))] = holder.pop(last)
        case _:
            holder[last] = random.choice(ODD)
    return body


def other_text(random: Random, text: str) -> str:
    """The text with a piece cut out, put in or repeated."""
    start = random.randrange(len(text) + 1)
    end = min(len(text), start + random.randrange(12))
    piece = random.choice(["", str(random.choice(ODD)), text[start:end] * 2, '"', "<", "\r\n", ","])
    return text[:start] + piece + text[end:]


def nearly(random: Random, request: Request) -> Request:
    method, path, body, headers = request
    match random.randrange(10):
        case 0:
            method = random.choice(["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD"])
        case 1:
            segments = path.split("/")
            place = random.randrange(3, len(segments)) if len(segments) > 3 else -1
            segments[place] = other_text(random, segments[place])
            path = "/".join(segments)
        case 2 if headers:
            headers = {**headers, "Content-Type": random.choice(MEDIA_TYPES)}
        case 3:
            headers = {**headers, "Accept": random.choice(MEDIA_TYPES)}
        case _ if isinstance(body, str):
            body = other_text(random, body)
        case _:
            body = other_json(random, body)
    return Request(method, path, body, headers)


def send(caller: Caller, request: Request, known: dict[str, str]) -> None:
    """Sends it, and remembers the job or batch that it made."""
    method, path, body, headers = request
    token = str(caller.http.headers["Authorization"]).removeprefix("Bearer ")
    for name, value in known.items():
        path = path.replace(f"{{{name}}}", value)
    path = path.replace("%", "%25") if "?q=" not in path else path
    if isinstance(body, str):
        data = body.replace("{token}", token).encode("utf-8", "surrogatepass")
    else:
        data = b"" if body is None else orjson.dumps(str_keys(body))
        headers = {"Content-Type": "application/json", **headers}
    headers = {"X-SFDC-Session": token, **headers}
    answer = caller.http.request(method, caller.url + path, data=data, headers=headers, timeout=20)
    if answer.status_code >= 500:
        assert "faultcode" in answer.text, (request, answer.text)
    elif answer.status_code in (200, 201) and method == "POST" and "job" in path:
        found = answer.text.partition('"id":"')[2][:18] or answer.text.partition("<id>")[2][:18]
        if found.isalnum():
            known["batch" if found.startswith("751") else "job"] = found


def str_keys(value: Any) -> Any:
    """The value as JSON can have it: orjson takes no number beyond 64 bits."""
    if isinstance(value, dict):
        return {str(key): str_keys(each) for key, each in value.items()}
    if isinstance(value, list):
        return [str_keys(each) for each in value]
    return str(value) if isinstance(value, int) and abs(value) >= 2**63 else value


WAYS_IN = {"rest": REST, "batches": BATCHES, "bulk": BULK, "soap": SOAPS, "admin": ADMIN}


@pytest.mark.parametrize("way_in", WAYS_IN)
def test_a_nearly_valid_request_breaks_nothing(
    org: Caller, way_in: str, caplog: pytest.LogCaptureFixture
) -> None:
    seed = int(os.environ.get("CRM_PIPELINE_FUZZ_SEED", "1"))
    random, known = Random(seed), {"job": "750000000000001", "batch": "751000000000001"}
    requests, ends, number = WAYS_IN[way_in], time.monotonic() + SECONDS / len(WAYS_IN), 0
    session = org.org.open_session(next(iter(org.org.users.values())).id, None)
    org.http.headers["Authorization"] = f"Bearer {session.token}"
    while time.monotonic() < ends or number < 2 * len(requests):
        # In their order, many of them right: the others then meet jobs and records that are there.
        request = requests[number % len(requests)]
        for _ in range(random.choice([0, 0, 1, 1, 2])):
            request = nearly(random, request)
        send(org, request, known)
        number += 1
    print(f"{number} requests")
    assert org.get("limits").status_code == 200
    assert [each.getMessage() for each in caplog.records if each.levelname == "ERROR"] == []
