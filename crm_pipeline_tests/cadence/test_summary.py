"""Each day in numbers, as a partition of an asset that outlives Dagster's log."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import Connection, Engine, text

from crm_pipeline.cadence.purge import purge
from crm_pipeline.definitions import defs
from crm_pipeline.lineage.legend import OF_A_DAY
from crm_pipeline.lineage.summary import DAILY_SUMMARY, days_that_are_over
from crm_pipeline_tests.cadence.rows import an_account


def a_day(connection: Connection, ago: int, account: str, leads: int, late: int = 0) -> str:
    """What an account did so many days ago; returns the day."""
    day = datetime.now(UTC).date() - timedelta(days=ago)
    of = {"day": day, "account": account, "leads": leads, "late": late}
    connection.execute(
        text(
            "WITH c AS (INSERT INTO daily.cycle (account_id, day, complete, failed, paused, held,"
            " cut_off, seconds, longest_seconds, api_calls) VALUES (:account, :day, 2, 0, 0, 0, 0,"
            " 5, 3, 10)), r AS (INSERT INTO daily.reading VALUES (:account, :day, 'webinars',"
            " 'activity', '', 4, 1, 7), (:account, :day, 'webinars', 'activity', 'filtered', 3, 0,"
            " 2)) INSERT INTO daily.delivery VALUES (:account, :day, 'webinars', 'person', 'Lead',"
            " 'create', :leads, :late, 9, 9), (:account, :day, 'webinars', 'person', 'Contact',"
            " 'none', 99, 99, 9, 9)"
        ),
        of,
    )
    return day.isoformat()


def summed_up(instance: dg.DagsterInstance, partition: str) -> dg.ExecuteInProcessResult:
    job = defs.get_repository_def().get_job("summarize_day")
    return job.execute_in_process(instance=instance, partition_key=partition, raise_on_error=False)


def ticked(instance: dg.DagsterInstance) -> list[str | None]:
    context = dg.build_schedule_context(instance=instance)
    asked = days_that_are_over(context)
    return [run.partition_key for run in asked] if isinstance(asked, list) else []


def latest(instance: dg.DagsterInstance) -> dict[str, Any]:
    """What the asset told last."""
    event = instance.get_latest_materialization_event(dg.AssetKey(DAILY_SUMMARY))
    assert event is not None
    assert event.asset_materialization is not None
    return {name: each.value for name, each in event.asset_materialization.metadata.items()}


def test_days_that_are_over_are_summed_up_once_and_last(
    pipeline: Engine, connection: Connection, instance: dg.DagsterInstance
) -> None:
    for account in ("acme", "beta"):
        an_account(connection, account)
    before = a_day(connection, 20, "acme", leads=1)
    yesterday = a_day(connection, 1, "acme", leads=3)
    a_day(connection, 1, "beta", leads=40, late=10)
    today = a_day(connection, 0, "acme", leads=5)
    connection.commit()
    assert ticked(instance) == [before, yesterday]
    for day in (before, yesterday):
        assert summed_up(instance, day).success
    assert ticked(instance) == []
    shown = latest(instance)
    assert shown.keys() == set(OF_A_DAY)
    assert (shown["accounts"], shown["leads_created"], shown["written"]) == (2, 43, 43)
    assert shown["activities_read"] == 2 * (5 + 3 + 9)
    assert (shown["activities_known"], shown["activities_rejected"]) == (18, 6)
    assert shown["on_time_percent"] == pytest.approx(100 * 33 / 43, abs=0.01)
    rows = [row.data for row in shown["by_account"].records]
    assert [row["account_id"] for row in rows] == ["beta", "acme"], "what went wrong comes first"
    assert sum(row["leads_created"] for row in rows) == 43
    connection.execute(
        text("UPDATE daily.delivery SET late = NULL WHERE action <> 'none' AND account_id = 'beta'")
    )
    connection.execute(
        text("UPDATE daily.reading SET known = NULL WHERE rejected_because = '' AND day = :day"),
        {"day": yesterday},
    )
    connection.execute(text("UPDATE runs SET update_timestamp = now() - interval '90 days'"))
    connection.commit()
    assert purge(pipeline, days=14)["runs"] == 0, "trends do not end after some days"
    before_its_end = text(
        "UPDATE event_logs SET event = regexp_replace(event, '\"timestamp\": [0-9.]+',"
        " '\"timestamp\": 1000000000.0') WHERE partition = :day"
    )
    connection.execute(before_its_end, {"day": yesterday})
    connection.commit()
    assert ticked(instance) == [yesterday], "a day summed up before its end is summed up again"
    assert summed_up(instance, yesterday).success
    shown = latest(instance)
    assert shown.keys() == set(OF_A_DAY) - {"on_time_percent"}, "what is not known is not 100 %"
    assert (shown["written"], shown["written_late"]) == (43, "not counted")
    assert (shown["activities_known"], shown["activities_rejected"]) == ("not counted", 6)
    of = {row.data["account_id"]: row.data["written_late"] for row in shown["by_account"].records}
    assert of == {"acme": 0, "beta": "not counted"}
    assert ticked(instance) == []
    instance.add_dynamic_partitions("day", [today, "2999-01-01", "monday"])
    assert summed_up(instance, today).success, "on demand, though it is not over"
    for odd in ("2999-01-01", "monday"):
        result = summed_up(instance, odd)
        assert not result.success


def test_a_day_tells_how_many_records_there_are_of_each_object(
    connection: Connection, instance: dg.DagsterInstance
) -> None:
    an_account(connection, "acme")
    day = a_day(connection, 1, "acme", leads=1)
    stock = text(
        "INSERT INTO daily.stock SELECT 'acme', :day, s.what, s.object, s.number, now() FROM"
        " (VALUES ('people', 'Lead', 7), ('engaged people', 'Lead', 3), ('failed', 'person', 2),"
        " ('opportunities matched', 'Opportunity', 1), ('opportunities waiting', 'Opportunity', 4))"
        " AS s (what, object, number)"
    )
    connection.execute(stock, {"day": day})
    connection.commit()
    ticked(instance)
    assert summed_up(instance, day).success
    assert {
        sobject: [
            record.asset_observation.metadata["dagster/row_count"].value
            for record in instance.fetch_observations(
                dg.AssetKey(["salesforce", sobject]), limit=9
            ).records
            if record.asset_observation
        ]
        for sobject in ("Lead", "Opportunity", "Contact")
    } == {"Lead": [7], "Opportunity": [5], "Contact": []}


def test_a_day_without_anything_is_zero(
    connection: Connection, instance: dg.DagsterInstance
) -> None:
    instance.add_dynamic_partitions("day", ["2026-01-01"])
    result = summed_up(instance, "2026-01-01")
    [event] = result.asset_materializations_for_node(DAILY_SUMMARY)
    assert {name: each.value for name, each in event.metadata.items()} == {"accounts": 0}
