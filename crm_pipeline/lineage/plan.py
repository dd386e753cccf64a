"""The plan of an account as an asset: the UI makes and shows one, of drafts, too.

Drafts have no cycle and so no partition of the cycle's assets: plans have partitions of their own.
Their tables have numbers and codes alone; examples and reasons, which name people, stay with the
command line.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    Config,
    Failure,
    MaterializeResult,
    MetadataValue,
    TableRecord,
    asset,
)
from pydantic import Field

from crm_pipeline.accounts.account import AccountError
from crm_pipeline.cadence.due import pipeline
from crm_pipeline.cadence.partitions import PLANNED_ACCOUNTS
from crm_pipeline.lineage.assets import OWNERS, console_link
from crm_pipeline.lineage.legend import OF_A_PLAN, legend

if TYPE_CHECKING:
    from crm_pipeline.cycle.plan import Plan


class PlanConfig(Config):
    """What a plan is to be about; by default all that the next cycle would do."""

    since: str | None = Field(
        default=None,
        description="As if nothing that happened before were to be sent; now, or a date.",
    )
    limit: int | None = Field(default=None, ge=1, description="Of the first people alone.")


def plan_asset() -> AssetsDefinition:
    """The asset of the plans, a partition for each account that may have one."""

    @asset(
        name="plan",
        partitions_def=PLANNED_ACCOUNTS,
        group_name="accounts",
        kinds={"salesforce"},
        owners=OWNERS,
        metadata=legend(OF_A_PLAN),
        description="What the next cycle of an account would do, before it does: nothing is sent. "
        "`crm-pipeline apply` sends exactly that.",
    )
    def plan(context: AssetExecutionContext, config: PlanConfig) -> MaterializeResult[Any]:
        """Plans the next cycle of one account, and keeps that.

        Raises:
            Failure: it cannot be planned now.
        """
        from crm_pipeline.cycle.plan import planned
        from crm_pipeline.cycle.planning import Planning

        account_id = context.partition_key
        planning = Planning(config.since, config.limit)
        try:
            with planned(account_id, planning, run_id=context.run.run_id) as found:
                report, shown = found.report, _shown(found)
                if report.state == "Complete":
                    with pipeline().begin() as connection:
                        shown["plan"] = found.keep(connection)
                    shown["apply"] = f"crm-pipeline apply {account_id} {shown['plan']}"
                    shown |= console_link(account_id, f"/plans/{shown['plan']}")
        except AccountError as error:
            raise Failure(str(error), allow_retries=False) from None
        if report.state == "Failed":
            raise Failure(report.reason, metadata=shown, allow_retries=False)
        return MaterializeResult(metadata=shown)

    return plan


def _shown(found: "Plan") -> dict[str, Any]:
    """A plan as metadata: without a word that may name a person."""
    report = found.report
    facts = {
        "state": report.state,
        "reason": report.reason,
        "notes": report.notes,
        "known_already": report.tally.overall("known_already"),
        "api_calls": report.counts.api_calls,
        "calls_of_this_plan": report.api_calls_asked,
        "minutes_about": round(found.seconds / 60, 1),
    }
    if report.api_limit:
        facts["share_of_the_day"] = round(report.counts.api_calls / report.api_limit, 4)
    calls = sorted(report.api_calls_by_kind.items())
    changes = [(e.sobject, e.field, e.why, e.records) for e in found.field_changes()]
    tables = {
        "records": _table(("object", "outcome", "records"), found.numbers()),
        "codes": _table(("object", "outcome", "code", "records"), found.codes()),
        "values_that_do_not_fit": _table(("object", "field", "why", "records"), changes),
        "calls_by_kind": _table(("kind", "calls"), calls),
    }
    return facts | {name: table for name, table in tables.items() if table is not None}


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> MetadataValue[Any] | None:
    """A table of the UI; None where it would have no rows, which Dagster cannot show."""
    records = [TableRecord(dict(zip(columns, row, strict=True))) for row in rows]
    return MetadataValue.table(records) if records else None
