"""What flows stand between as assets: the warehouse's tables, and the objects of the orgs.

Nothing materializes them here. What a run has read of them, and written to them, is observed, and
so is each day how many records there are.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dagster import (
    AssetObservation,
    AssetSpec,
    MetadataValue,
    TableColumn,
    TableRecord,
    TableSchema,
)

from crm_pipeline.declaration import Outside
from crm_pipeline.flows.registry import FLOWS
from crm_pipeline.lineage.assets import MOST_ACCOUNTS, TOPICS, asset_key
from crm_pipeline.lineage.legend import OF_A_RUN, ROW_COUNT, WRITTEN, legend
from crm_pipeline.report import CycleReport
from crm_pipeline.salesforce.org_objects import TYPES
from crm_pipeline.settings import settings

_OUTSIDE = tuple(each for flow in FLOWS for each in flow.outside)

_OBJECTS = "salesforce"
_WAREHOUSE = "warehouse"


def outside_specs(*, read: bool) -> list[AssetSpec]:
    """The tables that are read, or the objects that are written, by all flows."""
    return [_spec(each) for each in _OUTSIDE if bool(each.after) is not read]


def _spec(outside: Outside) -> AssetSpec:
    group, _, _ = outside.name.partition("/")
    columns = _columns(outside)
    schema = {"dagster/column_schema": TableSchema(columns)} if columns else {}
    technology, dialect = outside.technology, settings().warehouse_dialect
    if group == _WAREHOUSE and dialect != "postgresql":
        technology = dialect
    return AssetSpec(
        asset_key(outside.name),
        deps=[asset_key(name) for name in outside.after],
        group_name=group,
        kinds={technology},
        description=outside.says,
        metadata={**schema, **legend(_keys(outside))},
    )


def _keys(outside: Outside) -> tuple[str, ...]:
    """The keys of what is observed of it."""
    if outside.technology == _OBJECTS:
        written = WRITTEN if outside.after else ()
        return (*OF_A_RUN, *written, "records_read", ROW_COUNT)
    return (*OF_A_RUN, "rows_read") if outside.rows_of else ("read_along",)


def _columns(outside: Outside) -> list[TableColumn]:
    """The fields that are declared of it, then those that a topic's columns name, and its columns.

    What the mapping makes is text, where nothing else is declared.
    """
    fields = [
        TableColumn(each.name, TYPES[each.kind].described, each.says or each.label)
        for each in outside.fields
    ]
    named = (
        column.rpartition(".")
        for topic in TOPICS.values()
        for field, sources in topic.columns.items()
        for column in (f"salesforce/{field}", *sources)
    )
    known = {each.name for each in fields}
    texts = (name for table, _, name in named if table == outside.name and name not in known)
    types = {**dict.fromkeys(texts, "string"), **outside.columns}
    return [*fields, *(TableColumn(name, kind) for name, kind in types.items())]


def of_a_run(reports: Iterable[CycleReport]) -> Iterator[AssetObservation]:
    """Gives what cycles have read of each table, and written to or read of each object.

    It is the sum over the accounts, as these are the tables and objects of all of them. There is
    none of what nothing was done to.
    """
    seen: defaultdict[str, defaultdict[str, Counter[str]]] = defaultdict(
        lambda: defaultdict(Counter)
    )
    for report in reports:
        for (name, did), number in report.outside.items():
            if number:
                seen[name][report.account_id][did] += number
    for outside in _OUTSIDE:
        if outside.name in seen:
            yield AssetObservation(asset_key(outside.name), metadata=_summed_up(seen[outside.name]))


def _summed_up(of_accounts: Mapping[str, Counter[str]]) -> dict[str, Any]:
    sums: Counter[str] = Counter()
    for numbers in of_accounts.values():
        sums.update(numbers)
    most_first = sorted(of_accounts, key=lambda each: (-of_accounts[each].total(), each))
    rows = [
        TableRecord({"account_id": each, **{did: of_accounts[each][did] for did in sums}})
        for each in most_first[:MOST_ACCOUNTS]
    ]
    return {"accounts": len(of_accounts), **sums, "by_account": MetadataValue.table(rows)}


def row_counts(records: Mapping[str, int]) -> Iterator[AssetObservation]:
    """Gives how many records there are of the objects of which it is known.

    Args:
        records: their number over all accounts, by object.
    """
    for outside in _OUTSIDE:
        sobject = outside.name.removeprefix(f"{_OBJECTS}/")
        if outside.technology == _OBJECTS and sobject in records:
            yield AssetObservation(asset_key(outside.name), metadata={ROW_COUNT: records[sobject]})
