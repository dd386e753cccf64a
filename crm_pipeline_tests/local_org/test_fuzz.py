"""Wrong requests get Salesforce's errors, never a 500 of ours.

For longer runs: CRM_PIPELINE_FUZZ_EXAMPLES=20000 pytest crm_pipeline_tests/local_org/test_fuzz.py
"""

import os
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_pipeline_tests.local_org.wire import Caller, serving

EXAMPLES = int(os.environ.get("CRM_PIPELINE_FUZZ_EXAMPLES", "75"))
NAMES = [
    "Id", "id", "LastName", "Company", "Email", "OwnerId", "AccountId", "WhoId", "WhatId", "Status",
    "StartDateTime", "EndDateTime", "DurationInMinutes", "ActivityDate", "CampaignId", "LeadId",
    "ContactId", "Name", "StageName", "CloseDate", "Amount", "IsDeleted", "CreatedDate", "Account",
    "Owner", "attributes", "Key__c", "Campaign__r", "Country", "CountryCode", "State", "Nope",
    "Address", "SortOrder", "IsDefault", "Label", "Probability", "Birthdate", "Score__c",
    "Topic__c", "Topic__r", "RecordTypeId", "CurrencyIsoCode", "Email__c", "IsPrimary", "IsWon",
    "OpportunityId", "MasterLabel", "convertCurrency(Amount)", "Owner.Email",
]  # fmt: skip
OBJECTS = [
    "Account", "Contact", "Lead", "Event", "Task", "Campaign", "CampaignMember", "User",
    "CampaignMemberStatus", "Opportunity", "OpportunityContactRole", "Organization", "Webinar__c",
    "lead", "Nope", "OpportunityStage", "OpportunityHistory", "LeadStatus", "CurrencyType", "Group",
    "RecordType", "Match__e", "Score__c",
]  # fmt: skip
RESOURCES = [
    "composite", "limits", "limits/recordCount", "query", "queryAll", "sobjects", "", "jobs/ingest",
    "jobs/query", "jobs/ingest/750000000000001", "query/x-1", "query/01g000000000001-2000",
]  # fmt: skip
# Ids that the org has seeded, of several objects, and what only looks like them.
IDS = ["00Q000000000001EAA", "003000000000001AAA", "001000000000001AAA", "701000000000001AAA"]
ODD_TEXTS = [
    "a@b.de", "2026-05-14", "2026-05-14T10:00:00Z", "9999-12-31T23:59:59Z", "4000-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00", "1e400", "Prospecting", "Sent", "Germany", "x" * 300,
    "9" * 400, "\x00", "'", "%", "²", "١",
    "@{a[99999999999]}",
]  # fmt: skip
HEADERS = {
    "Content-Type": ["application/json", "text/csv", "application/xml", "", "x"],
    "Sforce-Duplicate-Rule-Header": ["allowSave=true", "=", ",,;"],
    "Sforce-Auto-Assign": ["FALSE", "01Q000000000001", "x"],
    "Sforce-Query-Options": ["batchSize=200", "batchSize=x"],
    "Content-Encoding": ["gzip", "deflate", "br"],
    "X-PrettyPrint": ["1"],
    "Accept": ["application/xml", "application/xml;q=0.1, */*;q=x"],
}

ids = st.sampled_from([*IDS, "00Q000000000001", "x", ""])
texts = st.one_of(
    st.text(max_size=12),
    ids,
    st.sampled_from(ODD_TEXTS),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from([*NAMES, "Ext__c", "type", "referenceId"]), inner, max_size=3
        ),
    ),
    max_leaves=6,
)
objects = st.sampled_from(OBJECTS)
names = st.one_of(st.sampled_from(NAMES), st.text(max_size=6))
records = st.builds(
    lambda sobject, fields, attributed: (
        {"attributes": {"type": sobject, "referenceId": "r"}, **fields} if attributed else fields
    ),
    objects,
    st.dictionaries(names, values, max_size=6),
    st.sampled_from([True, True, True, False]),
)
several = st.lists(records, max_size=4)
collections = st.fixed_dictionaries(
    {"records": st.one_of(several, values)},
    optional={"allOrNone": st.one_of(st.booleans(), values)},
)
segments = st.one_of(objects, names, ids, texts)
paths = st.one_of(
    st.builds("sobjects/{}".format, objects),
    st.builds("sobjects/{}/{}".format, objects, segments),
    st.builds("sobjects/{}/{}/{}".format, objects, names, segments),
    st.just("composite/sobjects"),
    st.builds("composite/sobjects/{}".format, objects),
    st.builds("composite/sobjects/{}/{}".format, objects, names),
    st.builds("composite/tree/{}".format, objects),
    st.sampled_from(RESOURCES),
)
methods = st.sampled_from(["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD"])
subrequests = st.fixed_dictionaries(
    {
        "method": st.one_of(methods, values),
        "url": st.one_of(
            st.builds("/services/data/v66.0/{}".format, paths),
            st.sampled_from(
                ["/services/data/v66.0/sobjects/Lead/@{a.id}", "@{b}", "http://[", "//"]
            ),
            values,
        ),
        "referenceId": st.one_of(st.sampled_from(["a", "b", "c"]), values),
    },
    optional={
        "body": st.one_of(records, collections, values),
        "httpHeaders": st.one_of(st.dictionaries(names, texts, max_size=2), values),
    },
)
composites = st.fixed_dictionaries(
    {
        "compositeRequest": st.one_of(st.lists(subrequests, max_size=3), values),
    },
    optional={"allOrNone": st.one_of(st.booleans(), values)},
)
bodies = st.one_of(records, collections, composites, values, st.binary(max_size=20))
parameters = st.dictionaries(
    st.sampled_from(
        [
            "fields",
            "ids",
            "q",
            "start",
            "end",
            "allOrNone",
            "_HttpMethod",
            "updateOnly",
            "maxRecords",
        ]
    ),
    texts,
    max_size=2,
)
headers = st.dictionaries(st.sampled_from(list(HEADERS)), st.integers(0, 4), max_size=2).map(
    lambda chosen: {
        name: HEADERS[name][place % len(HEADERS[name])] for name, place in chosen.items()
    }
)


def seeds() -> dict[str, Any]:
    return {
        "Account": [{"Id": IDS[2], "Name": "Acme"}],
        "Contact": [{"Id": IDS[1], "LastName": "Smith", "AccountId": IDS[2]}],
        "Lead": [{"Id": IDS[0], "LastName": "Lovelace", "Company": "x", "Email": "a@b.de"}],
        "Campaign": [{"Id": IDS[3], "Name": "Webinar"}],
    }


@pytest.fixture(scope="module")
def org():
    webinar = {"fields": {"Key__c": {"type": "string", "external_id": True, "unique": True},
                          "Campaign__c": {"reference_to": "Campaign"}}}  # fmt: skip
    lead = {"record_types": [{"name": "Partner"}], "fields": {"Score__c": {"type": "double"}}}
    topic = {"type": "master_detail", "reference_to": "Webinar__c"}
    score = {"auto_number": "S-{0}", "activities": True, "fields": {"Topic__c": topic}}
    match = {"fields": {"Email__c": {"type": "email"}, "Key__c": {"type": "string"}}}
    with serving(
        objects={"Webinar__c": webinar, "Lead": lead, "Score__c": score, "Match__e": match},
        subscribers=[
            {
                "event": "Match__e",
                "object": "Lead",
                "match": {"Email": "Email__c"},
                "set": {"Company": "Key__c"},
                "create": True,
            }
        ],
        queues=[{"name": "Queue"}],
        currencies={"EUR": 1, "USD": 1.1},
        bulk_hard_delete=True,
        duplicate_rules=[{"object": "Lead"}, {"object": "Contact", "action": "block"}],
        validation_rules=[{"object": "Lead", "when": "LEN(Company) > 100", "error": "long"}],
        assignment_rules=[{"owner": "admin@acme.test", "when": "Country = 'Germany'"}],
        state_and_country_picklists=True,
        records=seeds(),
        limits={"daily_api_requests": 1_000_000_000},
    ) as caller:
        yield caller


slowly = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def check(caller: Caller, method: str, path: str, **options: Any) -> None:
    body = options.pop("body", None)
    if isinstance(body, bytes):
        options["data"] = body
    else:
        options["json"] = body
    answer = caller.call(method, path, **options)
    assert answer.status_code < 500, answer.text
    if "xml" in answer.headers.get("Content-Type", "") and method != "HEAD":
        ET.fromstring(answer.content)
    elif answer.status_code >= 400 and method != "HEAD":
        told = answer.json()
        if isinstance(told, list):
            assert all({"message", "errorCode"} <= set(each) for each in told), told


@slowly
@given(methods, paths, bodies, parameters, headers)
def test_no_request_of_rest_breaks_the_org(org, method, path, body, params, headers):
    check(org, method, path, body=body, params=params, headers=headers)


@slowly
@given(objects, records)
def test_no_record_breaks_the_org(org, sobject, record):
    check(org, "POST", f"sobjects/{sobject}", body=record)
    check(org, "PATCH", f"sobjects/Lead/{IDS[0]}", body=record)


@slowly
@given(st.sampled_from(["POST", "PATCH"]), collections)
def test_no_collection_breaks_the_org(org, method, body):
    check(org, method, "composite/sobjects", body=body)
    check(org, "PATCH", "composite/sobjects/Lead/Email", body=body)


@slowly
@given(
    st.sampled_from(
        ["create", "edit", "delete", "undelete", "erase", "empty-bin", "convert", "merge"]
    ),
    st.dictionaries(
        st.sampled_from(
            ["id", "ids", "object", "fields", "user", "hold_seconds", "lead_id", "master_id"]
        ),
        st.one_of(ids, st.lists(ids, max_size=3), st.dictionaries(names, values), values),
        max_size=4,
    ),
)
def test_nothing_that_people_do_breaks_the_org(org, action, body):
    answer = org.http.post(f"{org.url}/_admin/{action}", json=body, timeout=10)
    assert answer.status_code < 500, answer.text
    org.http.post(f"{org.url}/_admin/transactions/end", timeout=10)


@slowly
@given(st.sampled_from(["emptyRecycleBin", "undelete"]), st.lists(st.one_of(ids, texts)))
def test_no_call_of_soap_breaks_the_org(org, operation, given_ids):
    token = org.http.headers["Authorization"].removeprefix("Bearer ")
    wanted = "".join(f"<ids>{escape(each)}</ids>" for each in given_ids)
    body = f"<e><sessionId>{token}</sessionId><{operation}>{wanted}</{operation}></e>"
    url = f"{org.url}/services/Soap/u/66.0"
    answer = org.http.post(url, data=body.encode("utf-8", "ignore"), timeout=10)
    assert answer.status_code == 200 or "faultcode" in answer.text


@slowly
@given(composites)
def test_no_composite_breaks_the_org(org, body):
    check(org, "POST", "composite", body=body)
