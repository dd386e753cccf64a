"""Metrics over real HTTP from a real database, read by the parser of OpenMetrics."""

import re

import pytest
import requests
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from sqlalchemy import Engine, create_engine, text

from crm_pipeline.cadence.tick_counts import counted_tick
from crm_pipeline.metrics.collector import OF_ACCOUNTS, PREFIX
from crm_pipeline.metrics.server import MetricsServer
from crm_pipeline.settings import PROJECT
from crm_pipeline_tests.cadence.rows import a_state, an_account, an_operation

OPEN_METRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}

Sample = tuple[str, str]


def scraped(server: MetricsServer) -> dict[Sample, float]:
    """By name and the value of its label what a scrape gives."""
    answer = requests.get(server.url, headers=OPEN_METRICS, timeout=10)
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    return {
        (sample.name.removeprefix(PREFIX), "".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)  # type: ignore[no-untyped-call]
        for sample in family.samples
    }


def test_a_scrape_has_totals_of_all_and_numbers_of_the_accounts_in_trouble(
    pipeline: Engine,
) -> None:
    with pipeline.begin() as connection:
        for name in ("a", "b", "c"):
            an_account(connection, name)
        an_account(connection, "off", enabled=False)
        a_state(connection, "a", api_used=900, api_limit=1000)
        a_state(connection, "b", "Failed", failures_in_a_row=2)
        for key, state in enumerate(("pending", "failed", "exhausted", "done")):
            an_operation(connection, "b", f"person:{key}", state=state)
        connection.execute(
            text(
                "INSERT INTO crm.cycle (account_id, run_id, state, started_at, finished_at, counts)"
                " VALUES ('b', 'r', 'Failed', now() - interval '9 s', now(),"
                """ '{"api_calls": 7}')"""
            )
        )
        connection.execute(
            text(
                "INSERT INTO crm.alert (account_id, cause, detail, message, closed_at) VALUES"
                " ('b', 'late', '', '', NULL), (NULL, 'alerts file', '', '', NULL),"
                " ('a', 'late', '', '', now())"
            )
        )
    with counted_tick("new_data"):
        pass
    with pytest.raises(ValueError, match="no"), counted_tick("new_data"):
        raise ValueError("no")
    with MetricsServer(pipeline, most_accounts=2) as server:
        found = scraped(server)
    assert {name: found[name] for name in found if "timestamp" not in name[0]} == {
        ("database_up", ""): 1,
        ("accounts", "Complete"): 1,
        ("accounts", "Failed"): 1,
        ("accounts", "New"): 1,
        ("open_alerts", "late"): 1,
        ("open_alerts", "alerts file"): 1,
        ("late_accounts", ""): 1,
        ("waiting_operations", ""): 2,
        ("exhausted_operations", ""): 1,
        ("account_waiting_operations", "b"): 2,
        ("account_waiting_operations", "a"): 0,
        ("account_exhausted_operations", "b"): 1,
        ("account_exhausted_operations", "a"): 0,
        ("account_open_alerts", "b"): 1,
        ("account_open_alerts", "a"): 0,
        ("account_late", "b"): 1,
        ("account_late", "a"): 0,
        ("account_failures_in_a_row", "b"): 2,
        ("account_failures_in_a_row", "a"): 0,
        ("account_cycle_seconds", "b"): 9,
        ("account_cycle_api_calls", "b"): 7,
        ("account_api_requests_used", "a"): 900,
        ("account_api_requests_limit", "a"): 1000,
        ("ticks_total", "new_data"): 2,
        ("tick_failures_total", "new_data"): 1,
    }
    assert found["tick_timestamp_seconds", "new_data"] > 1_700_000_000


def test_an_empty_database_has_zeros_and_none_that_is_away_has_no_numbers(
    pipeline: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with MetricsServer(pipeline) as server:
        assert scraped(server)["late_accounts", ""] == 0
    away = create_engine("postgresql+psycopg://me:hunter2@127.0.0.1:1/none")
    with MetricsServer(away) as server:
        assert scraped(server) == {("database_up", ""): 0}
    assert "hunter2" not in caplog.text


def test_the_document_names_each_metric() -> None:
    document = (PROJECT / "docs" / "alerts.md").read_text(encoding="utf-8")
    table = document.split("## Metrics")[1]
    rows = re.findall(r"^\| (`[^|]+`) \|", table, re.MULTILINE)
    named = {
        name.replace("…", "").removeprefix(PREFIX).strip("_")
        for row in rows
        for name in re.findall(r"`([^`]+)`", row)
    }
    for name, _ in OF_ACCOUNTS.values():
        assert any(name.endswith(each) for each in named), name
