import re
from pathlib import Path

import pytest
import requests
import yaml

from crm_pipeline.local_org.config import OrgConfigError, dev_org, load
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.local_org.setup import build_org
from crm_pipeline_tests.local_org.switches import switches

PAGE = Path(__file__).parents[2] / "docs" / "local-org.md"


def test_the_example_of_the_documentation_is_a_whole_org(tmp_path):
    example = PAGE.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    path = tmp_path / "acme.yaml"
    path.write_text(example)
    (config,) = load(path)
    org = build_org(config)
    assert org.name == "acme"
    assert len(org.table("Lead").rows) == 1
    assert org.table("Webinar__c").type.find("Key__c")
    assert org.table("Event").type.find("External_Key__c")
    assert (tmp_path / "acme.org").exists()


def test_the_documentation_has_every_switch_with_its_values_and_the_default_first():
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    documented = {name: tuple(values.split(", ")) for name, values in rows}
    assert documented == {
        name: tuple(str(value).lower() if isinstance(value, bool) else value for value in values)
        for name, values in switches().items()
    }


def test_the_org_without_a_file_lets_people_in_as_documented():
    known = {"client_id": "dev", "client_secret": "secret"}
    person = {"username": "admin@dev.test", "password": "password"}
    with LocalOrgServer(dev_org()) as server:
        for way in ({"grant_type": "client_credentials"}, {"grant_type": "password", **person}):
            url = f"{server.url_of('dev')}/services/oauth2/token"
            assert requests.post(url, data=way | known, timeout=30).status_code == 200


def test_one_file_may_hold_several_orgs(tmp_path):
    path = tmp_path / "orgs.yaml"
    path.write_text("orgs:\n  - name: one\n  - {name: two, company: Two Inc.}\n")
    with LocalOrgServer(path) as server:
        assert server.org("two").config.company == "Two Inc."
        assert server.url_of("one") == f"{server.url}/one"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no settings"),
        ("a: [", "is not YAML"),
        ("- a", "holds no settings"),
        ("company: x", "name: Field required"),
        ("name: A B", "name: String should match"),
        ("name: a\nusers: [{user: x}]", "users.0.username: Field required"),
        ("name: a\nlatency_ms: fast", "latency_ms: Input should be a valid number"),
        ("name: a\nnope: 1", "nope: Extra inputs are not permitted"),
        ("orgs: 7", "`orgs` is not a list"),
    ],
)
def test_a_setting_at_fault_is_named_in_one_line(tmp_path, content, message):
    path = tmp_path / "acme.yaml"
    path.write_text(content)
    with pytest.raises(OrgConfigError, match=message) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(OrgConfigError, match="No such file"):
        load(tmp_path / "nope.yaml")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"objects": {"Nope": {}}}, "ends in __c"),
        ({"objects": {"Lead": {"fields": {"X__c": {"length": 5}}}}}, "type: is needed"),
        ({"hidden_fields": ["Lead.Nope"]}, "hidden_fields: there is no field Lead.Nope"),
        ({"records": {"Lead": [{"LastName": "x"}]}}, "records: REQUIRED_FIELD_MISSING"),
        ({"id": "00D000000000001AAA"}, "id: is not an id of an org"),
    ],
)
def test_what_does_not_fit_together_is_refused_before_the_org_serves(settings, message):
    with pytest.raises(OrgConfigError, match=message):
        LocalOrgServer({"name": "acme", **settings})


def test_passwords_and_secrets_are_in_no_repr(tmp_path):
    path = tmp_path / "acme.yaml"
    content = {
        "name": "acme",
        "users": [{"username": "a@b.test", "password": "hunter2", "security_token": "tok3n"}],
        "connected_apps": [{"client_id": "3MVG9", "client_secret": "s3cret"}],
    }
    path.write_text(yaml.safe_dump(content))
    org = build_org(load(path)[0])
    for shown in (repr(org.config), repr(org.users)):
        for secret in ("hunter2", "tok3n", "s3cret"):
            assert secret not in shown
