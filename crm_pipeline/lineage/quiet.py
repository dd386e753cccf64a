"""What Dagster's log says already of steps that had nothing to do.

Most of a cycle's steps do nothing: those of flows that the account has off, and those that nobody
had news for. To say the same of them again would be most of Dagster's log.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from dagster import AssetCheckEvaluation, AssetMaterialization, DagsterInstance, EventLogEntry
from dagster._serdes import deserialize_value

from crm_pipeline.dagster_storage import BatchingEventLogStorage
from crm_pipeline.database.statements import statement
from crm_pipeline.lineage.assets import TOPICS

_PASSING = "cycle"
"""Of what is shown of a step, what is another in each cycle."""


def news(
    instance: DagsterInstance,
    run_id: str,
    materializations: Iterable[AssetMaterialization],
    did_something: Collection[tuple[str, str]],
) -> list[AssetMaterialization]:
    """Returns those of the steps that did something, or of which something else is shown than now.

    And those that are made of these, in their order: Dagster takes a partition for out of date
    where something above it was logged after it.

    Args:
        instance: where the events are.
        run_id: the run, whose own plans do not count.
        materializations: of steps, each after those that it depends on.
        did_something: the steps that did, each with its account.
    """
    asked = list(materializations)
    shown = _shown(instance, run_id, asked)
    logged: set[tuple[str, str]] = set()
    told = []
    for each in asked:
        step, account_id = each.asset_key.to_user_string(), str(each.partition)
        if (
            (step, account_id) in did_something
            or any((above, account_id) in logged for above in TOPICS[step].after)
            or shown.get((step, account_id)) != _lasting(each)
        ):
            logged.add((step, account_id))
            told.append(each)
    return told


def _shown(
    instance: DagsterInstance, run_id: str, asked: Sequence[AssetMaterialization]
) -> Mapping[tuple[str, str], Mapping[str, Any]]:
    """What partitions show, by step and account; nothing of those with another mark."""
    rows = _ask(
        instance,
        "lineage/last_materializations",
        asset_keys=sorted({each.asset_key.to_string() for each in asked}),
        partitions=sorted({str(each.partition) for each in asked}),
        run_id=run_id,
    )
    events = (deserialize_value(row["event"], EventLogEntry) for row in rows)
    found = (event.asset_materialization for event in events)
    return {
        (each.asset_key.to_user_string(), str(each.partition)): _lasting(each)
        for each in found
        if each is not None
    }


def _lasting(materialization: AssetMaterialization) -> Mapping[str, Any]:
    return {name: each for name, each in materialization.metadata.items() if name != _PASSING}


def new_verdicts(
    instance: DagsterInstance,
    verdicts: Iterable[AssetCheckEvaluation],
) -> Iterator[AssetCheckEvaluation]:
    """Yields verdicts but those that a check still holds for the same materialization.

    One that does not hold is told each time, as its numbers say how bad it is.
    """
    asked = list(verdicts)
    about = [
        (each, each.target_materialization_data.storage_id)
        for each in asked
        if each.passed and each.target_materialization_data
    ]
    rows = _ask(
        instance,
        "lineage/verdicts_that_hold",
        asset_keys=[each.asset_key.to_string() for each, _ in about],
        check_names=[each.check_name for each, _ in about],
        partitions=[each.partition for each, _ in about],
        materializations=[storage_id for _, storage_id in about],
    )
    held = {(row["asset_key"], row["check_name"], row["partition"]) for row in rows}
    for each in asked:
        key = (each.asset_key.to_string(), each.check_name, each.partition)
        if not each.passed or key not in held:
            yield each


def _ask(instance: DagsterInstance, name: str, **values: Any) -> Sequence[Mapping[str, Any]]:
    """Rows of Dagster's tables; none where its storage is another one than this project's."""
    storage = instance.event_log_storage
    if not isinstance(storage, BatchingEventLogStorage):
        return []
    with storage.index_connection() as connection:
        return [dict(row) for row in connection.execute(statement(name), values).mappings()]
