"""The definitions as a whole: they load fast, with the tools of the ecosystem, and are complete."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import dagster as dg
import pytest
import yaml

from crm_pipeline.cadence.cycle_runs import CYCLE_JOB
from crm_pipeline.declaration import shown
from crm_pipeline.definitions import cycle, defs
from crm_pipeline.flows.registry import ALL_TOPICS
from crm_pipeline.ledger.cycles import FinishedCycle
from crm_pipeline.lineage.assets import TOPICS, console_link, metadata
from crm_pipeline.report import CycleReport
from crm_pipeline.settings import PROJECT
from crm_pipeline_tests.databases import settings_of

VENV = Path(sys.executable).parent


def output_of(*command: str, **environment: str) -> str:
    """The output of a command of the ecosystem, run in the checkout."""
    done = subprocess.run(
        [str(VENV / command[0]), *command[1:]],
        cwd=PROJECT,
        env={**os.environ, "VIRTUAL_ENV": str(VENV.parent), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.deep
def test_dg_check_defs():
    assert "loaded successfully" in output_of("dg", "check", "defs")


def test_dg_list_defs_shows_the_lineage():
    listed = json.loads(output_of("dg", "list", "defs", "--json"))
    deps = {asset["asset_key"]: set(asset["dependency_keys"]) for asset in listed["assets"]}
    assert deps["filtered_leads"] == {"registrations", "attendances"}
    assert deps["lead_payloads"] == {"filtered_leads"}
    assert deps["retried_operations"] == {"lead_payloads"}
    assert deps["load_results"] == {"lead_payloads", "tracked_leads"}
    assert deps["sync_state"] == {
        "retried_operations",
        "lead_values",
        "removals",
        "platform_users",
        "feedback_records",
        "feedback",
        "user_data",
        "macros",
        "engaged_people",
        "campaign_census",
        "external_activities",
        "registrants_from_campaigns",
        "engagement_census",
    }
    assert deps["lead_values"] == {"opportunity_matches"}
    assert deps["opportunity_matches"] == {"opportunities", "tracked_leads"}
    assert deps["salesforce/Lead"] == {"load_results"}


def test_dagster_definitions_validate(pipeline):
    """With the instance of dagster.yaml, over the test's database."""
    output_of("dagster", "definitions", "validate", "-w", "workspace.yaml")


def test_every_step_of_a_cycle_is_an_asset_that_an_analyst_understands():
    assert {spec.key.to_user_string() for spec in cycle.specs} == ALL_TOPICS
    for spec in cycle.specs:
        assert spec.description
        assert len(spec.description) > 60
        assert spec.kinds
        assert spec.owners


def test_each_key_of_what_is_shown_is_explained_on_the_asset():
    standing = FinishedCycle("Failed", "", None, None, None, None, 0, None, refused=True)
    report = CycleReport("acme", "Acme", "run", "Failed", "why", "note", standing=standing)
    for spec in cycle.specs:
        topic = TOPICS[spec.key.to_user_string()]
        explained = spec.metadata["legend"].value
        for key in {"account", "cycle", *shown(topic, report)}:
            assert f"| `{key}` | " in explained, topic.name


def test_an_accounts_page_leads_to_its_org_and_to_the_console(pipeline):
    report = CycleReport("acme", "Acme", "run", login_url="https://acme.my.salesforce.com")
    state = TOPICS["sync_state"]
    assert metadata(state, report)["org"].value == "https://acme.my.salesforce.com"
    assert "console" not in metadata(state, report)
    assert "org" not in metadata(TOPICS["load_results"], report)
    with settings_of(CONSOLE_URL=(page := "https://console.example.com")):
        link = metadata(state, report)["console"].value
        plan = console_link("acme", "/plans/12")["console"].value
    assert (link, plan) == (f"{page}/accounts/acme", f"{page}/accounts/acme/plans/12")


def test_each_topic_stands_after_those_that_it_is_made_of():
    """In this order they are logged."""
    before: set[str] = set()
    for topic in TOPICS.values():
        assert TOPICS.keys() & set(topic.after) <= before
        before.add(topic.name)


def test_an_accounts_partition_can_be_materialized_in_any_step_by_itself():
    (assets,) = [
        each
        for each in defs.assets or ()
        if isinstance(each, dg.AssetsDefinition) and each.can_subset
    ]
    assert assets.partitions_def == dg.DynamicPartitionsDefinition(name="account")
    assert assets.backfill_policy is not None
    assert all(spec.skippable for spec in assets.specs)


def test_every_job_runs_in_one_process():
    repository = defs.get_repository_def()
    for job in repository.get_all_jobs():
        assert job.executor_def.name == "in_process", job.name


def test_the_cycles_job_leaves_the_checks_to_its_own_end():
    job = defs.resolve_job_def(CYCLE_JOB)
    assert not job.asset_layer.asset_graph.get_execution_set_asset_and_check_keys(
        dg.AssetKey("load_results")
    ) - {spec.key for spec in cycle.specs}
    assert not list(job.asset_layer.asset_graph.asset_check_keys)


def test_everything_that_ticks_is_on_from_the_start():
    repository = defs.get_repository_def()
    schedules = {s.name: s.default_status for s in repository.schedule_defs}
    sensors = {s.name: s.default_status for s in repository.sensor_defs}
    assert set(schedules.values()) == {dg.DefaultScheduleStatus.RUNNING}
    assert {
        name for name, status in sensors.items() if status == dg.DefaultSensorStatus.RUNNING
    } == {
        "new_data",
        "new_requests",
        "account_partitions",
        "crashed_runs",
        "stopped_runs",
        "broken_promises_alert",
        "overdue_accounts",
    }
    assert set(schedules) == {
        "accounts_due",
        "days_that_are_over",
        "purge_history_schedule",
        "scan_for_erased_people_schedule",
    }


def test_nothing_heavy_is_loaded_with_the_definitions():
    program = (
        "import sys, crm_pipeline.definitions;"
        "heavy = {'pandas', 'simple_salesforce', 'cryptography', 'requests', 'psycopg', 'apprise'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert output_of("python", "-c", program).strip() == "[]"


def test_workspace_and_project_name_the_same_module():
    workspace = yaml.safe_load((PROJECT / "workspace.yaml").read_text())
    (location,) = workspace["load_from"]
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    assert location["python_module"]["module_name"] == project["code_location_target_module"]


def test_an_impossible_setting_is_named(pipeline):
    done = subprocess.run(
        [sys.executable, "-c", "import crm_pipeline.definitions"],
        cwd=PROJECT,
        env={**os.environ, "CYCLE_MINUTES": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "cycle_minutes" in done.stderr.lower()
