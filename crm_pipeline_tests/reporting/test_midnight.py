"""What happens around midnight (UTC) belongs to one of two days, and both are all of it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, text

from crm_pipeline.database.statements import statement
from crm_pipeline.reporting.days import days_by_account, days_over
from crm_pipeline_tests.chaos.database_clock import DatabaseClock
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, bench_of
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)

_STRIKES = """
CREATE FUNCTION clock.strikes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
UPDATE clock.wrong SET by = '{by} seconds'; RETURN NULL; END $$;
CREATE TRIGGER strikes AFTER INSERT ON crm.operation EXECUTE FUNCTION clock.strikes()
"""
"""It is past midnight once rows are read, and nothing of them is sent yet."""


def digest_of(connection: Connection, hour: int) -> list[date]:
    """The days whose digest somebody is to be told of, by what the database takes for now."""
    asked = {"targets": ["mail"], "hour": hour}
    return [
        row.digested_at.date() for row in connection.execute(statement("alerts/undigested"), asked)
    ]


def test_a_cycle_over_midnight_is_all_of_what_two_days_have(
    pipeline: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = DatabaseClock(pipeline)
    # Sessions go by it that begin from now on.
    with pipeline.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    pipeline.dispose()
    with bench_of({"name": ACCOUNT, **ORG}, pipeline, monkeypatch) as bench:
        for person in range(1, 4):
            add_person(bench.connection, person)
            register(bench.connection, person, person, minute=person)
        add_person(bench.connection, 4, "nobody")
        register(bench.connection, 4, 4, minute=4)
        bench.connection.commit()
        now = datetime.now(UTC)
        second = now.date() + DAY
        first = now.date()
        midnight = datetime(second.year, second.month, second.day, tzinfo=UTC)
        clock.is_wrong(by=midnight - HOUR - now)
        with pipeline.begin() as connection:
            by = (midnight + HOUR - now).total_seconds()
            connection.exec_driver_sql(_STRIKES.format(by=by))
        with pipeline.connect() as connection:
            assert digest_of(connection, 7) == [first]
            assert digest_of(connection, 0) == [first]
            assert days_over(connection) == []
        assert bench.cycle().state == "Complete"
        with pipeline.connect() as connection:
            began, ended, counts = connection.execute(
                text("SELECT started_at, finished_at, counts FROM crm.cycle")
            ).one()
            assert (began.date(), ended.date()) == (first, second), "it ran over midnight"
            assert digest_of(connection, 7) == [], "not before its hour"
            assert digest_of(connection, 0) == [second]
            numbers = [
                row for day in (first, second) for row in days_by_account(connection, day, day)
            ]
            told = {
                name: sum(int(row[name] or 0) for row in numbers)
                for name in numbers[0]
                if name not in ("account_id", "account")
            }
            [both] = days_by_account(connection, first, second)
            assert {name: both[name] for name in told} == told
            topics = counts["topics"]
            assert told["cycles"] == 1
            assert told["leads_created"] == len(bench.records("Lead")) == 3
            assert told["activities_created"] == len(bench.records("Event")) == 3
            assert told["api_calls"] == counts["api_calls"] > 0
            assert told["activities_rejected"] == 1, topics
            assert told["activities_read"] == topics["filtered_leads"]["rows_read"] == 4
            phases = connection.scalar(text("SELECT sum(seconds) FROM reporting.phases"))
            assert phases == pytest.approx(sum(counts["seconds_by_phase"].values()))
            # The day that is over is summed up by itself, once; today is not yet.
            assert days_over(connection) == [first]
