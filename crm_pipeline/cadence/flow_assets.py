"""What a flow brings for Dagster to show: its steps as assets, their metadata, its checks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dagster import (
    AssetCheckKey,
    AssetCheckSeverity,
    AssetKey,
    AssetSpec,
    MetadataValue,
    TableColumn,
    TableRecord,
    TableSchema,
)

from crm_pipeline.cycle.report import CycleReport, Step

Metadata = dict[str, Any]

OWNERS = ["team:crm-operations"]


@dataclass(frozen=True, slots=True)
class Check:
    """A promise: `sql/checks/<name>.sql` answers, for each of :account_ids, whether it holds.

    The statement's columns are account_id, passed, and numbers that go to the metadata;
    :freshness_minutes is the promised time.
    """

    name: str
    asset: Step
    description: str
    severity: AssetCheckSeverity = AssetCheckSeverity.ERROR

    @property
    def key(self) -> AssetCheckKey:
        """The check's key in Dagster."""
        return AssetCheckKey(AssetKey(self.asset), self.name)


@dataclass(frozen=True, slots=True)
class FlowAssets:
    """A flow's share of an account's cycle.

    Attributes:
        specs: an asset for each of the flow's steps, named as the step is.
        metadata: what the UI shows of each step, from the report; every number is plotted.
        checks: the flow's promises, each on one of its assets.
    """

    specs: Sequence[AssetSpec]
    metadata: Mapping[Step, Callable[[CycleReport], Metadata]]
    checks: Sequence[Check]


def step_asset(
    step: Step, description: str, *, group: str, kind: str, deps: Sequence[Any], **more: Any
) -> AssetSpec:
    """The asset of a step. It is skippable, as a run may be about some steps only."""
    return AssetSpec(
        step,
        description=description,
        deps=deps,
        kinds={kind},
        group_name=group,
        owners=OWNERS,
        skippable=True,
        **more,
    )


def table(name: str, numbers: Mapping[Any, int]) -> MetadataValue:
    """A table of numbers by name, for the UI; names are ids and reasons, never personal data."""
    return MetadataValue.table(
        [TableRecord({name: str(each), "number": numbers[each]}) for each in sorted(numbers)],
        TableSchema([TableColumn(name), TableColumn("number", "int")]),
    )
