"""simple-salesforce, a client that is not ours, uses the org.

It always speaks https to Salesforce's hosts; an adapter brings its requests to the local org, so
that login, REST and Bulk run as they do in production.
"""

import csv
import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceError,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline_tests.local_org.wire import add_all

HOST = "acme.my.salesforce.com"


class ToLocalOrg(HTTPAdapter):
    """Sends what is meant for a host of Salesforce to the local org; the Host header stays."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = urlsplit(url)

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
        meant = urlsplit(str(request.url))
        request.headers["Host"] = meant.netloc
        request.headers["X-Forwarded-Proto"] = "https"
        request.url = urlunsplit((self._url.scheme, self._url.netloc, *meant[2:]))
        return super().send(request, *args, **options)


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def server(key: rsa.RSAPrivateKey) -> Iterator[LocalOrgServer]:
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    app = {
        "client_id": "3MVG9",
        "client_secret": "shhh",
        "run_as": "ada@acme.test",
        "certificate": public.decode(),
    }
    config = {
        "name": "acme",
        "host": HOST,
        "users": [{"username": "ada@acme.test", "password": "p&ss", "security_token": "TOKEN"}],
        "connected_apps": [app],
        "objects": {
            "Lead": {"fields": {"Key__c": {"type": "string", "external_id": True, "unique": True}}}
        },
    }
    with LocalOrgServer(config) as server:
        yield server


@pytest.fixture
def session(server: LocalOrgServer) -> Iterator[requests.Session]:
    requests.post(f"{server.url_of('acme')}/_admin/reset", timeout=10).raise_for_status()
    with requests.Session() as session:
        session.mount("https://", ToLocalOrg(server.url))
        yield session


@pytest.fixture
def sf(session: requests.Session) -> Salesforce:
    return Salesforce(
        username="ada@acme.test", password="p&ss", security_token="TOKEN", session=session
    )


def error_code(error: SalesforceError) -> str:
    content: Any = error.content
    code: str = content[0]["errorCode"]
    return code


LOGINS: dict[str, dict[str, Any]] = {
    "SOAP": {"username": "ada@acme.test", "password": "p&ss", "security_token": "TOKEN"},
    "SOAP at My Domain": {
        "username": "ada@acme.test",
        "password": "p&ss",
        "security_token": "TOKEN",
        "domain": "acme.my",
    },
    "password flow": {
        "username": "ada@acme.test",
        "password": "p&ssTOKEN",
        "consumer_key": "3MVG9",
        "consumer_secret": "shhh",
    },
    "client credentials": {
        "consumer_key": "3MVG9",
        "consumer_secret": "shhh",
        "domain": "acme.my",
    },
}


@pytest.mark.parametrize("login", LOGINS.values(), ids=LOGINS.keys())
def test_it_logs_in(session, login):
    sf = Salesforce(session=session, **login)
    assert sf.query("SELECT COUNT() FROM Lead")["totalSize"] == 0


def test_it_logs_in_with_a_private_key(session, key):
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    sf = Salesforce(
        username="ada@acme.test", consumer_key="3MVG9", privatekey=pem.decode(), session=session
    )
    assert sf.query("SELECT COUNT() FROM Lead")["totalSize"] == 0


def test_it_logs_in_from_the_organizations_network(session, server):
    sf = Salesforce(
        username="ada@acme.test",
        password="p&ss",
        organizationId=server.org("acme").id,
        session=session,
    )
    assert sf.query("SELECT COUNT() FROM Lead")["totalSize"] == 0


def test_it_takes_up_a_session_that_is_there(session, sf):
    again = Salesforce(session_id=sf.session_id, instance_url=f"https://{HOST}", session=session)
    assert again.query("SELECT COUNT() FROM Lead")["totalSize"] == 0


def test_it_is_told_why_it_may_not_log_in(session):
    with pytest.raises(SalesforceAuthenticationFailed) as caught:
        Salesforce(username="ada@acme.test", password="x", security_token="x", session=session)
    assert caught.value.code == "INVALID_LOGIN"
    with pytest.raises(SalesforceAuthenticationFailed) as caught:
        Salesforce(consumer_key="3MVG9", consumer_secret="x", domain="acme.my", session=session)
    assert caught.value.code == "invalid_client"


def test_it_logs_in_again_when_its_session_has_ended(sf, server):
    server.org("acme").sessions.clear()
    assert sf.query("SELECT COUNT() FROM Lead")["totalSize"] == 0


def test_it_writes_and_reads_single_records(sf):
    lead_id = sf.Lead.create({"LastName": "Lovelace", "Company": "Engines"})["id"]
    assert sf.Lead.update(lead_id, {"Title": "Countess"}) == 204
    assert sf.Lead.get(lead_id)["Title"] == "Countess"
    assert sf.Lead.upsert("Key__c/K1", {"LastName": "B", "Company": "C"}) == 201
    assert sf.Lead.upsert("Key__c/K1", {"LastName": "D"}) == 200
    assert sf.Lead.get_by_custom_id("Key__c", "K1")["LastName"] == "D"
    assert sf.Lead.delete(lead_id) == 204
    with pytest.raises(SalesforceResourceNotFound) as caught:
        sf.Lead.get(lead_id)
    assert error_code(caught.value) == "ENTITY_IS_DELETED"
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.Lead.create({"LastName": "x"})
    assert error_code(refused.value) == "REQUIRED_FIELD_MISSING"
    assert {field["name"] for field in sf.Lead.describe()["fields"]} >= {"LastName", "Key__c"}
    sf.query("SELECT COUNT() FROM Lead")
    assert sf.api_usage["api-usage"].total == 15_000


def test_it_queries_page_by_page(sf, server):
    org = server.org("acme")
    add_all(org, "Account", [{"Name": f"Account {number}"} for number in range(4500)])
    assert sf.query_all("SELECT Id FROM Account")["totalSize"] == 4500
    names = {record["Name"] for record in sf.query_all_iter("SELECT Name FROM Account")}
    assert len(names) == 4500
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.query("SELECT Nothing FROM Account")
    assert error_code(refused.value) == "INVALID_FIELD"


def test_it_sends_collections_and_composites(sf):
    records = [{"attributes": {"type": "Account"}, "Name": name} for name in ("A", "B")]
    made = sf.restful("composite/sobjects", method="POST", json={"records": records})
    assert [one["success"] for one in made] == [True, True]
    query = f"/services/data/v{sf.sf_version}/query?q=SELECT+Name+FROM+Account+ORDER+BY+Name"
    subrequest = {"method": "GET", "url": query, "referenceId": "accounts"}
    body = {"compositeRequest": [subrequest]}
    (part,) = sf.restful("composite", method="POST", json=body)["compositeResponse"]
    assert [one["Name"] for one in part["body"]["records"]] == ["A", "B"]


def test_it_loads_by_bulk_v1(sf):
    leads = [{"LastName": f"L{number}", "Company": "C"} for number in range(25)]
    made = sf.bulk.Lead.insert([*leads, {"LastName": "No company"}], batch_size=10)
    assert [one["success"] for one in made] == [True] * 25 + [False]
    assert made[-1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    changed = [{"Id": one["id"], "Title": "T"} for one in made[:2]]
    assert all(one["success"] for one in sf.bulk.Lead.update(changed))
    upserted = sf.bulk.Lead.upsert(
        [{"Key__c": "K", "LastName": "U", "Company": "C"}], "Key__c", batch_size=10
    )
    assert upserted[0]["created"]
    detailed = sf.bulk.Lead.update(changed, include_detailed_results=True)
    assert detailed[0]["Title"] == "T"
    assert all(one["success"] for one in sf.bulk.Lead.delete([{"Id": made[0]["id"]}]))
    found = sf.bulk.Lead.query("SELECT Id, LastName FROM Lead WHERE Title = 'T'", wait=0.05)
    assert [one["LastName"] for one in found] == ["L1"]
    everything = sf.bulk.Lead.query_all("SELECT Id FROM Lead", wait=0.05)
    assert len(everything) == 26


def test_it_loads_by_bulk_2(sf, tmp_path):
    bulk = sf.bulk2.Lead
    leads = [{"LastName": f"L{number}", "Company": "C"} for number in range(250)]
    (job,) = bulk.insert(records=[*leads, {"LastName": "Müller", "Company": ""}], wait=0.01)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (251, 1)
    bulk.get_failed_records(job["job_id"], file=str(tmp_path / "failed.csv"))
    with (tmp_path / "failed.csv").open(encoding="utf-8", newline="") as file:
        (failed,) = csv.DictReader(file)
    assert failed["LastName"] == "Müller"
    assert failed["sf__Error"].startswith("REQUIRED_FIELD_MISSING:")
    done = csv.DictReader(io.StringIO(bulk.get_successful_records(job["job_id"])))
    ids = {row["LastName"]: row["sf__Id"] for row in done}
    assert bulk.get_unprocessed_records(job["job_id"]).startswith('"')
    change = [{"Id": ids["L1"], "Title": "T"}, {"Id": ids["L2"], "Title": "T"}]
    (job,) = bulk.update(records=change, wait=0.01)
    assert job["numberRecordsFailed"] == 0
    upserts = [{"Key__c": "K", "LastName": "U", "Company": "C"}]
    (job,) = bulk.upsert(records=upserts, external_id_field="Key__c", wait=0.01)
    assert job["numberRecordsFailed"] == 0
    (job,) = bulk.delete(records=[{"Id": ids["L1"]}], wait=0.01)
    assert job["numberRecordsFailed"] == 0
    pages = bulk.query("SELECT LastName, Title FROM Lead", max_records=100, wait=0.01)
    rows = [row for page in pages for row in csv.DictReader(io.StringIO(page))]
    assert len(rows) == 250
    assert {row["Title"] for row in rows} == {"", "T"}
