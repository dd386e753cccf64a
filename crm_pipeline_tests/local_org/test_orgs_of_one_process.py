"""An org is found among the others of its process."""

import pytest
import requests

from crm_pipeline.local_org.config import OrgConfigError
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline_tests.local_org.wire import VERSION, add

ORGS = [
    {"name": "one", "users": [{"username": "ada@one.test", "password": "p"}]},
    {
        "name": "two",
        "host": "two.my.salesforce.test",
        "users": [{"username": "bob@two.test", "password": "p"}],
    },
]


@pytest.fixture(scope="module")
def server():
    with LocalOrgServer(*ORGS) as server:
        yield server


def organization(
    server: LocalOrgServer, base: str, token_of: str, **headers: str
) -> requests.Response:
    org = server.org(token_of)
    token = org.open_session(next(iter(org.users.values())).id, None).token
    return requests.get(
        f"{base}/services/data/v{VERSION}/sobjects/Organization/{org.id}",
        headers={"Authorization": f"Bearer {token}", **headers},
        timeout=30,
    )


def test_by_the_first_part_of_the_path(server):
    assert organization(server, server.url_of("two"), "two").json()["Name"] == "two"
    assert organization(server, f"{server.url_of('two')}/", "two").json()["Name"] == "two"
    assert organization(server, f"{server.url}//two", "two").json()["Name"] == "two"


def test_by_the_host(server):
    answer = organization(server, server.url, "two", Host="two.my.salesforce.test:443")
    assert answer.json()["Name"] == "two"


def test_by_a_token_of_its_own_where_the_path_says_nothing(server):
    assert organization(server, server.url, "two").json()["Name"] == "two"
    assert organization(server, server.url, "one").json()["Name"] == "one"


def test_a_token_of_one_org_is_worth_nothing_in_another(server):
    assert organization(server, server.url_of("one"), "two").status_code == 401


def test_orgs_share_no_records_and_no_ids(server):
    one, two = (add(server.org(name), "Account", Name=name) for name in ("one", "two"))
    assert one != two
    assert list(server.org("two").table("Account").rows) == [two]


def test_two_orgs_of_one_name_are_refused():
    with pytest.raises(OrgConfigError, match="two orgs are named one"):
        LocalOrgServer(ORGS[0], ORGS[0])
