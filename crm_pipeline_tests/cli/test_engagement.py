"""`crm-pipeline engagement`, and what the test of a login tells of its objects."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import Engine, text

from crm_pipeline.accounts.engagement import EngagementSettings
from crm_pipeline.ledger.engagement import ALL, requested_readings
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.sample.org_objects import objects_of_org
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, account_of
from crm_pipeline_tests.cycle.engagement.test_calls import PROSPECT
from crm_pipeline_tests.flows.engagement.warehouse import define_tag, now, prospect, tag
from crm_pipeline_tests.flows.webinars.warehouse import CLIENT


def engage(run: Run, chosen: str = "{}") -> None:
    run("account", "set", ACCOUNT, f"engagement={chosen}")


def test_metadata_is_written_to_an_empty_folder(run: Run, acme: str, tmp_path: Path):
    engage(run)
    out = tmp_path / "org"
    told = run("engagement", "metadata", acme, "--out", out).stdout
    assert "sf project deploy start" in told
    assert "Engagement_Workflow" in told
    files = [file for file in out.rglob("*") if file.is_file()]
    assert f"Wrote {len(files)} files" in told
    assert (out / "sfdx-project.json").is_file()
    assert (out / "force-app/main/default/objects/Prospect__c").is_dir()
    assert "not empty" in run("engagement", "metadata", acme, "--out", out, fails=1).stderr
    file = out / "sfdx-project.json" / "below"
    told = run("engagement", "metadata", acme, "--out", file, fails=1).stderr
    assert f"{file} cannot be written" in told


def test_metadata_needs_the_workflow_on(run: Run, acme: str, tmp_path: Path):
    told = run("engagement", "metadata", acme, "--out", tmp_path / "x", fails=1).stderr
    assert "crm-pipeline account set acme engagement={}" in told


def test_of_a_package_the_rights_are_written_and_its_absence_is_told(
    run: Run, server: LocalOrgServer, tmp_path: Path
):
    """One command named the other as what to do, and that one refused."""
    engage(run, '{"prefix": "saleswings__"}')
    told = run("engagement", "metadata", ACCOUNT, "--out", tmp_path / "x").stdout
    assert "Left out the objects and fields of saleswings__" in told
    [rights, config] = sorted(each.name for each in (tmp_path / "x").rglob("*.*") if each.is_file())
    assert (rights, config) == ("Engagement_Workflow.permissionset-meta.xml", "sfdx-project.json")
    told = run("account", "test-login", ACCOUNT, fails=1).stderr
    assert "saleswings__Prospect__c: not in the org" in told
    assert "but for that of saleswings__: a package brings it" in told


@pytest.fixture
def objects() -> dict[str, Any]:
    return objects_of_org(EngagementSettings().org_objects)


@pytest.fixture
def server(pipeline: Engine, objects: dict[str, Any]) -> Iterator[LocalOrgServer]:
    with LocalOrgServer({"name": ACCOUNT, **ORG, "objects": objects}) as server:
        with pipeline.connect() as connection:
            account_of(connection, server, ACCOUNT, engagement={})
        yield server


def test_an_org_with_all_objects_is_fine(run: Run, server: LocalOrgServer):
    told = run("account", "test-login", ACCOUNT).stdout
    assert "logged in to org" in told
    assert "0 of 1024 MB of the org's data storage are used" in told
    assert "room for 460300 records below 90%" in told


def test_everything_that_an_org_lacks_is_named_at_once(
    run: Run, pipeline: Engine, objects: dict[str, Any]
):
    del objects["SW_Tag_Segment_Trigger__c"]
    del objects["Lead"]["fields"]["Favorite__c"]
    objects["Prospect__c"]["fields"]["Prospect_Id__c"]["unique"] = False
    objects["Score__c"]["deletable"] = False
    with LocalOrgServer({"name": ACCOUNT, **ORG, "objects": objects}) as server:
        with pipeline.connect() as connection:
            account_of(connection, server, ACCOUNT, engagement={})
        told = run("account", "test-login", ACCOUNT, fails=1).stderr
    for lack in (
        "Score__c: the user lacks Delete",
        "Prospect__c.Prospect_Id__c: is not unique",
        "SW_Tag_Segment_Trigger__c: not in the org",
        "Lead.Favorite__c: not in the org",
        "crm-pipeline engagement metadata acme",
    ):
        assert lack in told


def test_person_accounts_are_told(run: Run, pipeline: Engine, objects: dict[str, Any]):
    objects["Contact"]["fields"]["IsPersonAccount"] = {"type": "boolean", "default": False}
    with LocalOrgServer({"name": ACCOUNT, **ORG, "objects": objects}) as server:
        with pipeline.connect() as connection:
            account_of(connection, server, ACCOUNT, engagement={})
        assert "has person accounts" in run("account", "test-login", ACCOUNT).stdout


def test_the_cost_is_said_before_it_is_switched_on(run: Run, acme: str, pipeline: Engine):
    with pipeline.begin() as connection:
        for number in range(1, 4):
            prospect(connection, f"p{number}")
            tag(connection, f"p{number}", "hot")
    told = run("account", "set", acme, "engagement={}", fails=1).stderr
    assert "3 prospects with 3 tags and scores: 1 API call and 1 MB of data storage" in told
    told = run("account", "set", acme, 'engagement={"accounts": true}', fails=1).stderr
    assert "of Accounts as many as 3 more." in told
    run("account", "set", acme, "engagement={}", "--yes")
    assert "3 prospects" in run("engagement", "resync", acme, "--yes").stdout
    told = run("engagement", "resync", acme, "--prospect", "p1").stdout
    assert "sends anew what is held of it: 0 records, 0 API calls, and" in told
    for unknown in ("0", "p17"):
        told = run("engagement", "resync", acme, "--prospect", unknown, fails=1).stderr
        assert f"neither the ledger nor the source has a prospect '{unknown}'" in told
    with pipeline.connect() as connection:
        assert requested_readings(connection, acme).keys() == {ALL, "p1"}


def test_storage_is_said_against_the_orgs_before(
    run: Run, pipeline: Engine, objects: dict[str, Any]
):
    small = {"name": ACCOUNT, **ORG, "objects": objects, "limits": {"data_storage_mb": 4}}
    with LocalOrgServer(small) as server:
        with pipeline.connect() as connection:
            account_of(connection, server, ACCOUNT)
            shipped = {"client": CLIENT, "prospects": 1_200, "at": now()}
            connection.execute(text(PROSPECT), shipped)
            connection.commit()
        told = run("account", "set", ACCOUNT, "engagement={}", fails=1).stderr
        assert (
            "0 of 4 MB of the org's data storage are used; the engagement workflow has room for "
            "1300 records below 90%." in told
        )
        chosen = 'engagement={"storage_share": 0.5}'
        told = run("account", "set", ACCOUNT, chosen, "--yes").stdout
        assert "room for 500 records below 50%; 700 of these records would wait." in told
        assert (
            "700 of these records would wait"
            in run("engagement", "resync", ACCOUNT, "--yes").stdout
        )
    told = run("account", "set", ACCOUNT, "engagement={}", "--yes").stdout
    assert "It cannot be checked whether the org has room for it" in told


def test_of_one_prospect_the_cost_is_said_and_what_stays_deleted(
    run: Run, server: LocalOrgServer, pipeline: Engine
):
    with pipeline.begin() as connection:
        define_tag(connection, "hot")
        prospect(connection, "ada")
        tag(connection, "ada", "hot")
    run("account", "set", ACCOUNT, "read_back_minutes=0", "--yes")
    run("cycle", ACCOUNT)
    command = ("engagement", "resync", ACCOUNT, "--prospect", "ada")
    told = run(*command).stdout
    assert "what is held of it: 3 records, 1 API call, and a few more" in told
    assert "stays so" not in told
    [record_id] = server.org(ACCOUNT).table("Prospect__c").rows
    url = f"{server.url_of(ACCOUNT)}/_admin/delete"
    requests.post(url, json={"ids": [record_id]}, timeout=30).raise_for_status()
    run("cycle", ACCOUNT)
    assert "people deleted its record in the org, which stays so until" in run(*command).stdout


def test_what_is_taken_off_is_said_before(run: Run, server: LocalOrgServer, pipeline: Engine):
    chosen = '{"pages": true, "accounts": true, "opportunity_tags": true}'
    run("account", "set", ACCOUNT, f"engagement={chosen}", "--yes")
    held = {"Page_Prospect__c": 3, "Website_Visit__c": 2, "Account_Score__c": 4, "Account": 1}
    with pipeline.begin() as connection:
        for sobject, number in (held | {"Prospect__c": 5}).items():
            connection.execute(
                text(
                    "INSERT INTO crm.record (account_id, natural_key, topic, sobject,"
                    " salesforce_id, last, ref_fields, ref_keys, ref_ids, as_of)"
                    " SELECT :account, :sobject || n, 'get_prospects', :sobject, :sobject || n,"
                    " '{}', '{}', '{}', '{}', now() FROM generate_series(1, :number) AS n"
                ),
                {"account": ACCOUNT, "sobject": sobject, "number": number},
            )

    def told(chosen: str) -> str:
        said: str = run("account", "set", ACCOUNT, f"engagement={chosen}", fails=1).stderr
        return said

    assert "10 records are to be deleted or emptied: 1 API call" in told("{}")
    assert "5 records are to be deleted" in told('{"pages": true}')
    assert "15 records are to be deleted" in told('{"clean_up": true}')
    assert "15 records of the engagement workflow stay" in told("")


def test_a_census_shows_the_numbers(run: Run, server: LocalOrgServer, pipeline: Engine):
    told = run("engagement", "census", ACCOUNT)
    assert "Prospect__c" in told.stdout
    org = server.org(ACCOUNT)
    url = f"{server.url_of(ACCOUNT)}/_admin/create"
    made = {"object": "Score__c", "fields": {"Name": "By hand", "Score_Id__c": "hand"}}
    requests.post(url, json=made, timeout=30).raise_for_status()
    [score_id] = org.table("Score__c").rows
    told = run("engagement", "census", ACCOUNT, fails=1)
    assert f"Score__c, not ours: {score_id}" in told.stdout
    assert "differ in Score__c" in told.stderr


def lookup(target: str) -> dict[str, Any]:
    return {"type": "reference", "reference_to": [target]}


def test_pages_of_an_earlier_installation_are_deleted_on_request(
    run: Run, pipeline: Engine, objects: dict[str, Any]
):
    objects |= objects_of_org(EngagementSettings(pages=True).org_objects)
    joint = {
        "fields": {"Own__c": lookup("Page_Prospect__c"), "Copy__c": lookup("Website_Visit__c")}
    }
    another = {"fields": {"Book__c": lookup("Account")}}
    for former in ({}, {"Page__c": another}, {"Page__c": joint}):
        with LocalOrgServer({"name": ACCOUNT, **ORG, "objects": objects | former}) as server:
            with pipeline.begin() as connection:
                connection.execute(text("DELETE FROM crm.account"))
            with pipeline.connect() as connection:
                account_of(connection, server, ACCOUNT, engagement={})
            command = ("engagement", "clean-pages", ACCOUNT)
            if not former:
                assert "the org has no Page__c" in run(*command, fails=1).stderr
                continue
            url = f"{server.url_of(ACCOUNT)}/_admin/seed"
            records = {"Page__c": [{"Name": f"P{n}"} for n in range(2_100)], "Prospect__c": [{}]}
            requests.post(url, json=records, timeout=20).raise_for_status()
            org = server.org(ACCOUNT)
            if former["Page__c"] is another:
                assert "is none of the workflow's" in run(*command, "--yes", fails=1).stderr
                assert len(org.table("Page__c").rows) == 2_100
                continue
            told = run(*command, fails=1).stderr
            assert "2100 records of Page__c are to be deleted: 3 API calls" in told
            assert "2100 records of Page__c were deleted" in run(*command, "--yes").stdout
            assert "0 records of Page__c were deleted" in run(*command).stdout
            assert not [e for e in org.table("Page__c").rows.values() if not e["IsDeleted"]]
            assert [e for e in org.table("Prospect__c").rows.values() if not e["IsDeleted"]]
