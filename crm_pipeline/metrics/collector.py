"""The numbers of a scrape, made of one statement. Labels name accounts, and no people."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from crm_pipeline.database.statements import statement

log = logging.getLogger(__name__)

PREFIX = "crm_pipeline_"

OF_ACCOUNTS: Mapping[str, tuple[str, str]] = {
    "waiting": ("account_waiting_operations", "Operations that are not in Salesforce yet."),
    "exhausted": ("account_exhausted_operations", "Operations that failed in every try."),
    "alerts": ("account_open_alerts", "Open alerts, of whatever cause."),
    "late": ("account_late", "1: a record is later than promised."),
    "failures": ("account_failures_in_a_row", "Cycles that failed, one after the other."),
    "complete_at": (
        "account_complete_timestamp_seconds",
        "When a cycle was Complete last, in seconds since 1970.",
    ),
    "seconds": ("account_cycle_seconds", "How long the last cycle took."),
    "calls": ("account_cycle_api_calls", "API calls of the last cycle."),
    "api_used": ("account_api_requests_used", "API requests of the org's last 24 hours, of all."),
    "api_limit": ("account_api_requests_limit", "How many the org may have in 24 hours."),
}
"""By column of the statement: the gauge with the label `account`, and what it is."""


class PipelineCollector(Collector):
    """Reads the pipeline's database at each scrape."""

    def __init__(self, database: Engine, most_accounts: int) -> None:
        """Reads nothing yet.

        Args:
            database: the pipeline's own.
            most_accounts: how many accounts have numbers of their own, those in trouble first;
                the totals are of all.
        """
        self._database = database
        self._most = most_accounts

    def collect(self) -> Iterator[Metric]:
        """Yields the metrics; `crm_pipeline_database_up` alone where the database is away."""
        try:
            with self._database.connect() as connection:
                row = connection.execute(statement("metrics/scrape"), {"most": self._most}).one()
        except SQLAlchemyError as error:
            log.error("The pipeline's database cannot be read (%s).", type(error).__name__)  # noqa: TRY400
            yield _gauge("database_up", "1: the pipeline's database could be read.", 0)
            return
        yield _gauge("database_up", "1: the pipeline's database could be read.", 1)
        read = {name: orjson.loads(value or "null") for name, value in row._mapping.items()}
        yield _by("accounts", "Accounts that are enabled, by state.", "state", read["states"])
        yield _by("open_alerts", "Open alerts, by cause.", "cause", read["alerts"])
        totals = read["totals"]
        yield _gauge("late_accounts", "Accounts with a record later than promised.", totals["late"])
        yield _gauge("waiting_operations", OF_ACCOUNTS["waiting"][1], totals["waiting"])
        yield _gauge("exhausted_operations", OF_ACCOUNTS["exhausted"][1], totals["exhausted"])
        yield from _of_accounts(read["accounts"] or ())
        yield from _of_ticks(read["ticks"] or ())


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(PREFIX + name, told, value=value)


def _by(name: str, told: str, label: str, values: Mapping[str, float] | None) -> Metric:
    metric = GaugeMetricFamily(PREFIX + name, told, labels=[label])
    for key, value in (values or {}).items():
        metric.add_metric([key], value)
    return metric


def _of_accounts(accounts: Sequence[Mapping[str, Any]]) -> Iterator[Metric]:
    for column, (name, told) in OF_ACCOUNTS.items():
        metric = GaugeMetricFamily(PREFIX + name, told, labels=["account"])
        for each in accounts:
            if each[column] is not None:
                metric.add_metric([each["account"]], each[column])
        yield metric


def _of_ticks(ticks: Sequence[Mapping[str, Any]]) -> Iterator[Metric]:
    counted = {
        "ticks": "Ticks of a schedule or a sensor.",
        "failures": "Ticks that failed.",
    }
    for column, told in counted.items():
        name = "ticks" if column == "ticks" else "tick_failures"
        counter = CounterMetricFamily(PREFIX + name, told, labels=["tick"])
        for each in ticks:
            counter.add_metric([each["name"]], each[column])
        yield counter
    last = GaugeMetricFamily(
        f"{PREFIX}tick_timestamp_seconds",
        "When it ticked last, in seconds since 1970.",
        labels=["tick"],
    )
    for each in ticks:
        last.add_metric([each["name"]], each["ticked_at"])
    yield last
