"""What is deployed for campaigns: well-formed metadata, whose fields can all be filled."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.webinar_objects import FIELDS, OBJECTS
from crm_pipeline.salesforce.org_objects import TYPES
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


def local(kind: str, length: int) -> dict[str, Any]:
    """A declared field as the local org has it."""
    made: dict[str, Any] = {"type": TYPES[kind].described}  # type: ignore[index]
    return made | ({"length": length} if length else {"scale": 0} if kind == "number" else {})


@pytest.fixture
def bench(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    objects = {
        each.name: {"fields": {f.name: local(f.kind, f.length) for f in each.fields}}
        for each in OBJECTS
    }
    with bench_of({"name": ACCOUNT, **ORG, "objects": objects}, pipeline, monkeypatch) as made:
        switch_on(made)
        yield made


def test_every_field_that_is_deployed_is_filled(run: Run, bench: Bench) -> None:
    run("campaign", "map", ACCOUNT)
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    attend(bench.connection, 1, 1, minute=1)
    attend(bench.connection, 2, 1, minute=2)
    for kind in ("question", "resource", "link", "rating"):
        at = {"at": LONG_AGO, "shipped_at": LONG_AGO}
        number = {"interaction_id": hash(kind) % 1000, "client_id": CLIENT, "attendance_id": 1}
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


def test_the_project_has_help_rights_a_report_type_and_reports(
    run: Run, bench: Bench, tmp_path: Path
) -> None:
    said = run("campaign", "metadata", ACCOUNT, "--out", tmp_path / "project").stdout
    assert "sf project deploy start" in said
    room = tmp_path / "project/force-app/main/default"
    trees = {each.relative_to(room).as_posix(): ET.parse(each) for each in room.rglob("*.xml")}
    fields = {name: tree.getroot() for name, tree in trees.items() if "/fields/" in name}
    assert len(fields) == len(FIELDS)
    assert all(each.findtext(f"{NAMESPACE}inlineHelpText") for each in fields.values())
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
