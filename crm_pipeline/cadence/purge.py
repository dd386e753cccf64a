"""Keeps Dagster's log and the accounts' cycles a window of some days.

Dagster has no retention of its own for runs and events. Operations stay in `crm.operation`.
"""

from dagster import (
    DefaultScheduleStatus,
    OpExecutionContext,
    ScheduleDefinition,
    in_process_executor,
    job,
    op,
)
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from crm_pipeline.cadence.due import pipeline
from crm_pipeline.cadence.partitions import ACCOUNTS, DAYS
from crm_pipeline.database.engines import database_url
from crm_pipeline.database.statements import statement
from crm_pipeline.reporting.counting import count_requests, count_stock
from crm_pipeline.settings import settings

RUNS_AT_ONCE = 200
ROWS_AT_ONCE = 5_000


def purge(storage: Engine, days: int) -> dict[str, int]:
    """Deletes runs, events and verdicts older than some days, in small transactions.

    The latest event and the latest verdict of every account's partition are kept, however old, and
    so is each day's summary.
    A statement for each run by Dagster's own API costs 17 ms a run; this a tenth. Each batch is
    committed: what comes to its end too late has less to do the next time.

    Args:
        storage: Dagster's database.
        days: how old, in days.

    Returns:
        How many were deleted: `runs`, `events`, `verdicts`.
    """
    with storage.connect() as connection:
        runs = list(
            connection.scalars(
                statement("cadence/purgeable_runs"),
                {"days": days, "partitions": [ACCOUNTS.name, DAYS.name]},
            )
        )
    events = 0
    for start in range(0, len(runs), RUNS_AT_ONCE):
        with storage.begin() as connection:
            events += connection.execute(
                statement("cadence/purge_runs"), {"run_ids": runs[start : start + RUNS_AT_ONCE]}
            ).scalar_one()
    events += _purge_rows(storage, days, "purgeable_runless_events", "purge_events")
    verdicts = _purge_rows(storage, days, "purgeable_verdicts", "purge_verdicts")
    return {"runs": len(runs), "events": events, "verdicts": verdicts}


def purge_cycles(own: Engine, days: int) -> int:
    """Deletes cycles older than some days from the pipeline's own history; returns how many.

    The latest one of each account is kept, however old.
    """
    return _purge_rows(own, days, "purgeable_cycles", "purge_cycles")


def purge_firings(own: Engine, days: int) -> int:
    """Deletes firings of opportunities older than some days; returns how many.

    An opportunity knows itself when each of its triggers fired last.
    """
    return _purge_some(own, days, "purge_firings")


def purge_sendings(own: Engine, days: int) -> int:
    """Deletes what `find` tells of requests before some days; returns how many sendings.

    These are the sendings that ended, refusals, and who else might have stood for a person.
    """
    _purge_some(own, days, "purge_refusals")
    _purge_some(own, days, "purge_candidates")
    return _purge_some(own, days, "purge_sendings")


def purge_replaced(own: Engine, days: int) -> int:
    """Deletes values that were replaced in orgs before some days; returns of how many updates."""
    return _purge_some(own, days, "purge_replaced")


def purge_console_log(own: Engine, days: int) -> int:
    """Deletes what was looked at and done in the console before some days; returns how many."""
    return _purge_some(own, days, "purge_console_log")


def purge_alerts(own: Engine, days: int) -> int:
    """Deletes alerts that were over before some days, and who took old digests; returns how many.

    An alert stays while a target that takes nothing now is still to be told its end.
    """
    with own.begin() as connection:
        connection.execute(statement("cadence/purge_digests"), {"days": days})
    return _purge_some(own, days, "purge_alerts")


def purge_plans(own: Engine, days: int) -> int:
    """Deletes kept plans older than some days; returns how many."""
    with own.begin() as connection:
        return connection.execute(statement("cadence/purge_plans"), {"days": days}).rowcount


def _purge_some(database: Engine, days: int, delete: str) -> int:
    """Deletes in batches, each committed, as long as a statement of `sql/cadence` finds rows."""
    deleted = 0
    while True:
        with database.begin() as connection:
            parameters = {"days": days, "limit": ROWS_AT_ONCE}
            batch = connection.execute(statement(f"cadence/{delete}"), parameters).rowcount
        deleted += batch
        if batch < ROWS_AT_ONCE:
            return deleted


def _purge_rows(database: Engine, days: int, which: str, delete: str) -> int:
    """Deletes in batches, each committed, the rows whose ids a statement of `sql/cadence` gives."""
    with database.connect() as connection:
        ids = list(connection.scalars(statement(f"cadence/{which}"), {"days": days}))
    for start in range(0, len(ids), ROWS_AT_ONCE):
        with database.begin() as connection:
            batch = {"ids": ids[start : start + ROWS_AT_ONCE]}
            connection.execute(statement(f"cadence/{delete}"), batch)
    return len(ids)


@op(
    description="Counts what there is today, then deletes runs, events, verdicts, cycles, plans "
    "and alerts that are over, older than HISTORY_DAYS, replaced values older than UNDO_DAYS, and "
    "the console's log older than CONSOLE_LOG_DAYS."
)
def purge_old_history(context: OpExecutionContext) -> None:
    """One clean-up; its numbers are on the run."""
    url = database_url("dagster").set(drivername="postgresql+psycopg")
    days = settings().history_days
    own = pipeline()
    with own.begin() as connection:
        count_requests(connection)
        count_stock(connection)
    deleted = {
        "cycles": purge_cycles(own, days),
        "firings": purge_firings(own, days),
        "plans": purge_plans(own, days),
        "alerts": purge_alerts(own, days),
        # By these it is known what a cycle wrote, and when.
        "sendings": purge_sendings(own, max(days, settings().undo_days)),
        "replaced_values": purge_replaced(own, settings().undo_days),
        "console_log": purge_console_log(own, settings().console_log_days),
    }
    deleted |= purge(create_engine(url, poolclass=NullPool), days)
    context.add_output_metadata(deleted)
    context.log.info("Deleted %s", ", ".join(f"{n} {what}" for what, n in deleted.items()))


@job(
    executor_def=in_process_executor,
    description="Deletes what is older than HISTORY_DAYS from Dagster's log and from the accounts' "
    "cycles, plans and alerts; what each account's partition shows stays, and so does what was "
    "sent.",
)
def purge_history() -> None:
    """The daily clean-up."""
    purge_old_history()


purge_daily = ScheduleDefinition(
    job=purge_history,
    cron_schedule="17 3 * * *",
    execution_timezone="UTC",
    default_status=DefaultScheduleStatus.RUNNING,
)
