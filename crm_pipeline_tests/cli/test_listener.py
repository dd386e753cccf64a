"""`crm-pipeline listener`: configuration of what Salesforce may ask, and keys."""

import json
import re
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.store import get_account
from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.cli.conftest import Run

FILE = """
in_org: delete
macros:
  forget: {does: erase}
listeners:
  gdpr: {macro: forget, filter: {country_code: [GB, DE]}}
external_sources:
  bugs:
    project: Beta
    feedback_type: Bug
    form: {title: {type: text, required: true}, severity: {type: choice, choices: [low, high]}}
    mapping: {Subject: title, Severity__c: severity}
    submitter: Email
    default_submitter: "17"
"""


def test_a_file_says_all_and_is_shown_again(run: Run, acme: str, tmp_path: Path, pipeline: Engine):
    file = tmp_path / "inbound.yaml"
    file.write_text(FILE, encoding="utf-8")
    run("listener", "configure", acme, "--file", file)
    shown = run("listener", "show", acme).stdout
    again = tmp_path / "again.yaml"
    again.write_text(shown, encoding="utf-8")
    run("listener", "configure", acme, "--file", again)
    assert run("listener", "show", acme).stdout == shown
    with pipeline.connect() as connection:
        chosen = get_account(connection, acme).settings.inbound
    assert chosen is not None
    assert chosen.listeners["gdpr"].filter == {"country_code": ("GB", "DE")}
    source = chosen.external_sources["bugs"]
    assert (source.team, source.status, source.default_submitter) == ("Participants", "New", "17")
    run("listener", "configure", acme, "--off")
    assert "takes no requests" in run("listener", "show", acme).stdout


def test_commands_come_to_the_same_as_a_file(run: Run, acme: str, pipeline: Engine):
    run("listener", "set", acme, "in_org=anonymize", "ignore_plus_parts=true")
    run("listener", "macro", acme, "forget", "--does=erase", "--in-org=delete")
    run("listener", "macro", acme, "mail", "--does=tell", "--platform-macro=Send mail")
    run("listener", "add", acme, "gdpr", "--macro=forget", "--filter", "country_code=GB")
    run(
        *("listener", "source", acme, "bugs", "--project=Beta", "--feedback-type=Bug"),
        *("--field", "title=text!", "--field", "seen=date", "--map", "Subject=title"),
        *("--status=Open", "--default-submitter=17"),
    )
    run("listener", "user-data", acme, "plan", "--map", "Plan__c=plan")
    with pipeline.connect() as connection:
        chosen = get_account(connection, acme).settings.inbound
    assert chosen is not None
    assert chosen.model_dump(mode="json", exclude_unset=True) == {
        "in_org": "anonymize",
        "ignore_plus_parts": True,
        "macros": {
            "forget": {"does": "erase", "in_org": "delete"},
            "mail": {"does": "tell", "platform_macro": "Send mail"},
        },
        "listeners": {"gdpr": {"macro": "forget", "filter": {"country_code": ["GB"]}}},
        "external_sources": {
            "bugs": {
                "project": "Beta",
                "feedback_type": "Bug",
                "status": "Open",
                "form": {
                    "title": {"type": "text", "required": True},
                    "seen": {"type": "date", "required": False},
                },
                "mapping": {"Subject": "title"},
                "default_submitter": "17",
            }
        },
        "user_data": {"plan": {"mapping": {"Plan__c": "plan"}}},
    }
    run("listener", "add", acme, "gdpr", "--remove")
    run("listener", "macro", acme, "forget", "--remove")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("add", "acme", "gdpr", "--macro=nothing"), "which is no macro"),
        (("macro", "acme", "m", "--does=tell"), "platform_macro goes with does=tell"),
        (("macro", "acme", "m"), "Say what m is to be"),
        (("macro", "acme", "m", "--remove"), "has no m there"),
        (("macro", "acme", "a/b", "--does=erase"), "Account acme"),
        (("set", "acme", "in_org=burn"), "in_org"),
        (("set", "acme", "nothing=1"), "there is no setting 'inbound.nothing'; those that exist"),
        (
            *(("source", "acme", "s", "--project=P", "--feedback-type=B", "--field", "a=text"),),
            "Account acme",
        ),
        (
            ("source", "acme", "s", "--project=P", "--feedback-type=B", "--map", "x=y"),
            "Account acme",
        ),
        (("configure", "acme"), "Say either"),
        (("key", "revoke", "acme", "crm_none"), "no key that begins"),
        (("key", "new", "nobody"), "nobody"),
    ],
)
def test_mistakes_are_told(run: Run, acme: str, arguments: tuple[str, ...], told: str):
    assert told in run("listener", *arguments, fails=1).stderr


def test_keys_are_shown_once_and_there_are_two_at_a_time(run: Run, acme: str, pipeline: Engine):
    first, second = (run("listener", "key", "new", acme).stdout.strip() for _ in range(2))
    assert first != second
    refused = run("listener", "key", "new", acme, fails=1).stderr
    assert "two" in refused or "2 keys" in refused
    listed = run("listener", "key", "list", acme).stdout
    assert first not in listed
    assert first[:16] in listed
    run("listener", "key", "revoke", acme, first[:16])
    assert first[:16] not in run("listener", "key", "list", acme).stdout
    run("listener", "key", "new", acme)
    with pipeline.connect() as connection:
        stored = connection.execute(text("SELECT * FROM crm.listener_key")).all()
    assert not any(key in str(stored) for key in (first, second))


NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"


def test_a_project_for_salesforce_is_written_whole(run: Run, tmp_path: Path):
    folder = tmp_path / "project"
    asked = ("listener", "salesforce-project", "gdpr", "--folder", folder)
    run(*asked, "--url=https://crm.example.com/")
    project = json.loads((folder / "sfdx-project.json").read_text())
    assert project["packageDirectories"] == [{"path": "force-app", "default": True}]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not any("@" + "URL@" in path.read_text() for path in files)
    roots = {
        path.name: fromstring(path.read_bytes())
        for path in files
        if path.name.endswith("-meta.xml")
    }
    kinds = {
        "cls": "ApexClass",
        "externalCredential": "ExternalCredential",
        "namedCredential": "NamedCredential",
        "flow": "Flow",
        "permissionset": "PermissionSet",
    }
    for name, root in roots.items():
        assert root.tag == NAMESPACE + kinds[name.split(".")[1].removesuffix("-meta")]
    named = roots["CRM_Pipeline.namedCredential-meta.xml"]
    values = [each.text for each in named.iter(f"{NAMESPACE}parameterValue")]
    assert values == ["https://crm.example.com"]
    external = roots["CRM_Pipeline.externalCredential-meta.xml"]
    principal = external.findtext(
        f"{NAMESPACE}externalCredentialParameters/{NAMESPACE}parameterName"
    )
    allowed = roots["CRM_Pipeline_Requests.permissionset-meta.xml"].findtext(
        f"{NAMESPACE}externalCredentialPrincipalAccesses/{NAMESPACE}externalCredentialPrincipal"
    )
    assert allowed == f"CRM_Pipeline-{principal}"
    flow = roots["Remove_Person_From_Webinar_Platform.flow-meta.xml"]
    action = flow.findtext(f"{NAMESPACE}actionCalls/{NAMESPACE}actionName")
    apex = next(path for path in files if path.name == f"{action}.cls").read_text()
    assert "callout:CRM_Pipeline/api/v1/userMacroListeners/gdpr?find=" in apex
    for said in (apex, next(p for p in files if p.name == f"{action}Test.cls").read_text()):
        code = re.sub(r"'(\\.|[^'])*'|/\*.*?\*/", "", said, flags=re.DOTALL)
        assert [code.count(left) - code.count(right) for left, right in ("{}", "()", "[]")] == [
            0
        ] * 3
    run(*asked, "--url=https://crm.example.com", fails=1)
    run(*asked[:3], "--url=http://crm.example.com", fails=1)


def test_tickets_in_the_org_need_an_object_that_a_command_writes(
    run: Run, org: Org, tmp_path: Path
):
    acme = org.name
    out = tmp_path / "feedback"
    told = run("listener", "metadata", acme, "--out", out, fails=1).stderr
    assert "crm-pipeline listener set acme feedback_in_org={}" in told
    run("listener", "set", acme, "feedback_in_org={}", "users_in_org=true")
    assert "Platform_Feedback" in run("listener", "metadata", acme, "--out", out).stdout
    fields = out / "force-app/main/default/objects/Feedback__c/fields"
    key = fromstring((fields / "Ticket_Id__c.field-meta.xml").read_text(encoding="utf-8"))
    said = {each.tag.rpartition("}")[2]: each.text for each in key}
    assert (said["externalId"], said["unique"]) == ("true", "true")
    lacks = run("account", "test-login", acme, fails=1).stderr
    assert "lacks for feedback tickets: Feedback__c" in lacks
    assert "crm-pipeline listener metadata acme" in lacks
    assert "object is expected" in run("listener", "set", acme, "feedback_in_org=x", fails=1).stderr
