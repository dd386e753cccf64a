"""Accounts as Dagster's partitions, kept in step with the accounts table."""

from collections.abc import Collection

from dagster import (
    AddDynamicPartitionsRequest,
    DefaultSensorStatus,
    DeleteDynamicPartitionsRequest,
    DynamicPartitionsDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from crm_pipeline.cadence.cycle_runs import LIVE, accounts_in_runs
from crm_pipeline.cadence.due import pipeline
from crm_pipeline.database.statements import statement

ACCOUNTS = DynamicPartitionsDefinition(name="account")

PLANNED_ACCOUNTS = DynamicPartitionsDefinition(name="planned_account")
"""Those that may have a plan: drafts, too."""

DAYS = DynamicPartitionsDefinition(name="day")
"""Days that are over and on which something happened, as 2026-11-30 (UTC).

Not Dagster's own days, of which all since some first one would be missing in a new installation.
"""

_ACCOUNTS_OF = {
    ACCOUNTS: "cadence/enabled_accounts",
    PLANNED_ACCOUNTS: "cadence/accounts_with_plans",
}
"""The statement that says which accounts should be partitions, of each kind."""


def partition_changes(
    enabled: Collection[str], existing: Collection[str], in_flight: Collection[str] | None
) -> tuple[list[str], list[str]]:
    """Returns the partitions to add and those to remove.

    One whose account is in a run stays until the run has ended: a run of a range fails when a
    partition of it disappears.

    Args:
        enabled: the accounts that should be partitions.
        existing: the partitions that there are.
        in_flight: accounts of live runs; None: it may be any of them, so nothing is removed.
    """
    are, should_be = set(existing), set(enabled)
    add = [account for account in enabled if account not in are]
    gone = [account for account in existing if account not in should_be]
    if in_flight is None:
        return add, []
    return add, [account for account in gone if account not in in_flight]


@sensor(
    minimum_interval_seconds=20,
    default_status=DefaultSensorStatus.RUNNING,
    description="Keeps the partitions in step with the accounts: a new account in, a disabled "
    "one out once no run is about it; drafts have one for their plans.",
)
def account_partitions(context: SensorEvaluationContext) -> SensorResult | SkipReason:
    """A tick; when the accounts can't be read it fails, so that nothing is taken for gone."""
    with pipeline().connect() as connection:
        wanted = {
            partitions: list(connection.scalars(statement(accounts)))
            for partitions, accounts in _ACCOUNTS_OF.items()
        }
    in_runs = accounts_in_runs(context.instance, LIVE)
    requests: list[AddDynamicPartitionsRequest | DeleteDynamicPartitionsRequest] = []
    for partitions, accounts in wanted.items():
        existing = context.instance.get_dynamic_partitions(str(partitions.name))
        add, remove = partition_changes(accounts, existing, in_runs)
        requests += [partitions.build_add_request(add)] if add else []
        requests += [partitions.build_delete_request(remove)] if remove else []
    if not requests:
        return SkipReason(f"All {len(wanted[ACCOUNTS])} accounts are in step.")
    return SensorResult(dynamic_partitions_requests=requests)
