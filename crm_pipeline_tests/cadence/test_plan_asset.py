"""The plan of an account as an asset: of a draft, too, and without a word that names a person."""

from typing import Any

import dagster as dg
from sqlalchemy import text

from crm_pipeline.accounts.store import update_settings
from crm_pipeline.definitions import defs
from crm_pipeline.ledger.holds import load_ended
from crm_pipeline_tests.cadence.test_ticks import step_partitions
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench, bench
from crm_pipeline_tests.cycle.plans import applied
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

__all__ = ["bench"]


def plan_in_dagster(
    instance: dg.DagsterInstance, account: str = ACCOUNT, **config: object
) -> dg.ExecuteInProcessResult:
    """As the UI does when somebody chooses a partition of the asset and materializes it."""
    job = defs.get_repository_def().get_implicit_job_def_for_assets([dg.AssetKey("plan")])
    assert job is not None
    return job.execute_in_process(
        instance=instance,
        partition_key=account,
        asset_selection=[dg.AssetKey("plan")],
        run_config={"ops": {"plan": {"config": config}}},
        raise_on_error=False,
    )


def test_a_draft_is_planned_in_its_partition_and_shown_in_tables(
    bench: Bench, instance: dg.DagsterInstance
) -> None:
    limits = {"limits": {"new_people": 1, "times_usual": 0.1}}
    update_settings(bench.connection, ACCOUNT, limits)
    load_ended(bench.connection, ACCOUNT)
    bench.connection.execute(text("UPDATE crm.account SET activated_at = NULL, enabled = false"))
    for person in (1, 2):
        add_person(bench.connection, person)
        register(bench.connection, person, person)
    bench.connection.commit()
    step_partitions(instance)
    assert instance.get_dynamic_partitions("account") == []
    assert instance.get_dynamic_partitions("planned_account") == [ACCOUNT]
    result = plan_in_dagster(instance)
    assert result.success
    [event] = result.asset_materializations_for_node("plan")
    shown: dict[str, Any] = {name: each.value for name, each in event.metadata.items()}
    assert event.partition == ACCOUNT
    records = {row.data["object"]: dict(row.data) for row in shown["records"].records}
    assert records["Lead"] == {"object": "Lead", "outcome": "create", "records": 2}
    assert shown["state"] == "Complete"
    assert "As a cycle it would be held: 2 people would be new (at most 1)" in shown["notes"]
    assert "example.com" not in str(shown)
    assert not bench.records("Lead")
    assert applied(bench, shown["plan"]).departures == []
    assert len(bench.records("Lead")) == 2


def test_what_cannot_be_planned_fails_in_words(bench: Bench, instance: dg.DagsterInstance) -> None:
    step_partitions(instance)
    assert plan_in_dagster(instance, since="2026-11-01", limit=1).success
    failed = plan_in_dagster(instance, since="soon")
    assert not failed.success
    assert "a date as 2026-11-01" in str(failed.all_events)
