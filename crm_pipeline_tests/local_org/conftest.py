"""One server for the session; every test finds its org as the configuration describes it."""

import pytest
import requests

from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline_tests.local_org.wire import Caller

ACME = {
    "name": "acme",
    "company": "Acme Inc.",
    "users": [
        {"username": "admin@acme.test", "first_name": "Ada", "last_name": "Admin"},
        {"username": "sales@acme.test", "last_name": "Sales", "marketing_user": False},
    ],
    "objects": {
        "Webinar__c": {
            "label": "Webinar",
            "fields": {
                "Key__c": {
                    "type": "string",
                    "length": 64,
                    "external_id": True,
                    "unique": True,
                },
                "Code__c": {
                    "type": "string",
                    "external_id": True,
                    "unique": True,
                    "case_sensitive": True,
                },
                "Campaign__c": {
                    "reference_to": "Campaign",
                    "child_relationship_name": "Webinars",
                },
                "Level__c": {
                    "type": "picklist",
                    "values": ["Basic", "Expert"],
                    "restricted": True,
                    "default": "Basic",
                },
                "Tags__c": {"type": "multipicklist", "values": ["a", "b"], "restricted": True},
            },
        },
        "Lead": {
            "fields": {
                "Ext__c": {"type": "string", "external_id": True},
                "Score__c": {"type": "double", "precision": 5, "scale": 2},
            }
        },
        "Activity": {"fields": {"External_Key__c": {"type": "string", "external_id": True}}},
    },
}


@pytest.fixture(scope="session")
def org_server():
    with LocalOrgServer(ACME) as server:
        yield server


@pytest.fixture
def acme(org_server):
    """The org Acme, fresh, and a session of its first user."""
    answer = requests.post(f"{org_server.url_of('acme')}/_admin/reset", timeout=10)
    assert answer.status_code == 200, answer.text
    org = org_server.org("acme")
    with requests.Session() as http:
        token = org.open_session(next(iter(org.users.values())).id, None).token
        http.headers["Authorization"] = f"Bearer {token}"
        yield Caller(org, org_server.url_of("acme"), http)
