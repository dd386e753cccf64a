"""The warehouse's tables under the keys that another project of Dagster gives them."""

import sys
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from pydantic import ValidationError

from crm_pipeline.lineage.assets import TOPICS, asset_key, topic_spec
from crm_pipeline.lineage.outside import outside_specs
from crm_pipeline.settings import settings
from crm_pipeline_tests.databases import settings_of

KEYS = "analytics/marts, person=analytics/dim_person"


def test_tables_have_the_keys_that_are_said():
    with settings_of(WAREHOUSE_ASSET_KEYS=KEYS):
        tables = {spec.key.to_user_string() for spec in outside_specs(read=True)}
        registrations = topic_spec(TOPICS["registrations"])
        lineage = topic_spec(TOPICS["lead_payloads"]).metadata["dagster/column_lineage"]
    assert {"analytics/dim_person", "analytics/marts/registration"} < tables
    assert not any(key.startswith("warehouse/") for key in tables)
    read_before = {dep.asset_key.to_user_string() for dep in registrations.deps}
    assert {"analytics/dim_person", "analytics/marts/registration"} <= read_before
    read = {dep.asset_key for deps in lineage.deps_by_column.values() for dep in deps}
    assert dg.AssetKey(["analytics", "dim_person"]) in read


THEIRS = """
import dagster as dg

@dg.asset(key=["analytics", "dim_person"], deps=[dg.AssetKey(["raw", "people"])])
def dim_person(): ...

defs = dg.Definitions(assets=[dim_person])
"""

OURS = """
import dagster as dg
from crm_pipeline.lineage.assets import TOPICS, topic_spec
from crm_pipeline.lineage.outside import outside_specs

defs = dg.Definitions(assets=[*outside_specs(read=True), *map(topic_spec, TOPICS.values())])
"""


def test_the_lineage_runs_through_from_another_code_location(tmp_path: Path):
    origins = []
    for name, code in (("ours", OURS), ("theirs", THEIRS)):
        file = tmp_path / f"asset_keys_{name}.py"
        file.write_text(code, encoding="utf-8")
        target = LoadableTargetOrigin(executable_path=sys.executable, python_file=str(file))
        origins.append(InProcessCodeLocationOrigin(target, location_name=name))
    person = dg.AssetKey(["analytics", "dim_person"])
    with (
        settings_of(WAREHOUSE_ASSET_KEYS=KEYS),
        dg.instance_for_test() as instance,
        WorkspaceProcessContext(instance, InProcessWorkspaceLoadTarget(origins)) as workspace,
    ):
        graph = workspace.create_request_context().asset_graph
        made = graph.get(person)
        assert made.is_materializable
        assert made.parent_keys == {dg.AssetKey(["raw", "people"])}
        assert dg.AssetKey("registrations") in made.child_keys


def test_without_the_setting_they_are_the_warehouses():
    assert asset_key("warehouse/person") == dg.AssetKey(["warehouse", "person"])


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("persons=dim", "names 'persons', a table that is not read; there are: person"),
        ("person=dim, registration=dim", "has one key for person and registration"),
    ],
)
def test_what_would_join_nothing_is_told_at_the_start(keys: str, told: str):
    with settings_of(WAREHOUSE_ASSET_KEYS=keys), pytest.raises(ValueError, match=told):
        asset_key("warehouse/person")


@pytest.mark.parametrize("keys", ["a b", "person=", "a,b", "person=a,person=b", "a//b"])
def test_keys_that_are_none_are_refused(keys: str):
    with settings_of(WAREHOUSE_ASSET_KEYS=keys), pytest.raises(ValidationError, match="asset_keys"):
        settings()
