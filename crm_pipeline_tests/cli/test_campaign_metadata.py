"""What is deployed for campaigns: well-formed metadata, whose fields can all be filled."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.webinar_objects import FIELDS, OBJECTS
from crm_pipeline.salesforce.org_objects import TYPES, OrgField
from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.campaigns.scenes import switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.flows.webinars.warehouse import (
    CLIENT,
    LONG_AGO,
    add_person,
    attend,
    insert,
    register,
)

__all__ = ["run"]

NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"


def local(field: OrgField) -> dict[str, Any]:
    """A declared field as the local org has it."""
    made: dict[str, Any] = {"type": TYPES[field.kind].described}
    if field.is_key:
        made["external_id"] = True
    if field.length:
        made["length"] = field.length
    return made | ({"scale": 0} if field.kind == "number" else {})


@pytest.fixture
def bench(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    objects = {
        each.name: {"fields": {field.name: local(field) for field in each.fields}}
        for each in OBJECTS
    }
    with bench_of({"name": ACCOUNT, **ORG, "objects": objects}, pipeline, monkeypatch) as made:
        switch_on(made)
        yield made


def written(bench: Bench, sobject: str, bare: Mapping[str, Any]) -> set[str]:
    """The fields that our records have something in, and one that has only this does not."""
    filled = [{f for f, v in r.items() if v is not None} for r in bench.records(sobject)]
    bench.seed(sobject, **bare)
    own = {f for f, value in bench.records(sobject)[-1].items() if value is not None}
    return set[str]().union(*filled) - own | bare.keys()


def test_every_field_that_is_deployed_is_filled_and_in_the_dictionary(
    run: Run, bench: Bench
) -> None:
    joins = {"join_link_field": "Webinar_Rating__c", "external_id_field": "Webinar_Event_Key__c"}
    switch_on(bench, campaign_status=True, census="daily", **joins)
    bench.settings(activity_external_id_field="Webinar_Key__c")
    run("campaign", "map", ACCOUNT)
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    attend(bench.connection, 1, 1, minute=1)
    attend(bench.connection, 2, 1, minute=2)
    for interaction, kind in enumerate(("question", "resource", "link", "rating")):
        at = {"at": LONG_AGO, "shipped_at": LONG_AGO}
        number = {"interaction_id": interaction, "client_id": CLIENT, "attendance_id": 1}
        insert(bench.connection, "interaction", kind=kind, label="L", value="4", **number, **at)
    for change in (
        "UPDATE warehouse.event SET series = 'Tuesdays'",
        "UPDATE warehouse.event_session SET ends_at = starts_at + interval '1 hour'",
        "UPDATE warehouse.registration SET utm_source = 'a', utm_medium = 'b', utm_campaign = 'c'",
        "UPDATE warehouse.attendance SET kind = 'on_demand' WHERE attendance_id = 2",
    ):
        bench.connection.execute(text(change))
    bench.cycle()
    for sobject in ("Campaign", "CampaignMember"):
        [record] = bench.records(sobject)
        wanted = {each.name for each in FIELDS if each.sobject == sobject and each.source}
        empty = {name for name in wanted if record.get(name) is None}
        assert empty == set(), sobject
    assert bench.cycle().counts.api_calls == 0
    assert "fills 0 fields more" in run("campaign", "map", ACCOUNT).stdout
    campaign = bench.records("Campaign")[0]["Id"]
    bare: dict[str, dict[str, Any]] = {
        "Lead": {"LastName": "Own", "Company": "C"},
        "Campaign": {"Name": "Own"},
        "Event": {
            "Subject": "Own",
            "ActivityDateTime": "2026-03-01T12:00:00Z",
            "DurationInMinutes": 5,
        },
    }
    told = run("account", "dictionary", ACCOUNT).stdout
    for sobject, fields in bare.items():
        for field in written(bench, sobject, fields):
            assert f"| {sobject}.{field} |" in told
    lead = bench.records("Lead")[-1]["Id"]
    member = {"CampaignId": campaign, "LeadId": lead, "Status": "Attended"}
    for field in written(bench, "CampaignMember", member):
        assert f"| CampaignMember.{field} |" in told


def test_the_project_has_help_rights_a_report_type_and_reports(
    run: Run, bench: Bench, tmp_path: Path
) -> None:
    said = run("campaign", "metadata", ACCOUNT, "--out", tmp_path / "project").stdout
    assert "sf project deploy start" in said
    room = tmp_path / "project/force-app/main/default"
    trees = {each.relative_to(room).as_posix(): ET.parse(each) for each in room.rglob("*.xml")}
    fields = {name: tree.getroot() for name, tree in trees.items() if "/fields/" in name}
    assert len(fields) == len(FIELDS)
    for each in FIELDS:
        deployed = fields[f"objects/{each.sobject}/fields/{each.name}.field-meta.xml"]
        said = str(deployed.findtext(f"{NAMESPACE}inlineHelpText"))
        assert said.startswith(each.says)
        parts = (each.source, each.rule, each.example) if each.source else (each.example,)
        assert all(part in said for part in parts)
        assert len(said) <= 510
    rights = trees["permissionsets/Webinars.permissionset-meta.xml"].getroot()
    shown = {each.text for each in rights.iter(f"{NAMESPACE}field")}
    assert {"Event.Webinar_Key__c", "CampaignMember.Webinar_Percent__c"} <= shown
    type_of_report = trees["reportTypes/Webinar_Members.reportType-meta.xml"].getroot()
    columns = {
        f"{each.findtext(f'{NAMESPACE}table')}${each.findtext(f'{NAMESPACE}field')}"
        for each in type_of_report.iter(f"{NAMESPACE}columns")
    }
    reports = [tree.getroot() for name, tree in trees.items() if name.endswith("report-meta.xml")]
    assert len(reports) == 2
    for report in reports:
        assert report.findtext(f"{NAMESPACE}reportType") == "Webinar_Members__c"
        used = {each.text for each in report.iter(f"{NAMESPACE}field")}
        used |= {each.text for each in report.iter(f"{NAMESPACE}column")}
        assert used <= columns
    to_call = trees["reports/Webinars/Webinar_Who_To_Call.report-meta.xml"].getroot()
    assert "Attended" in {each.text for each in to_call.iter(f"{NAMESPACE}value")}
    run("campaign", "metadata", ACCOUNT, "--out", tmp_path / "project", fails=1)
