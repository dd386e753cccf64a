"""Assets, asset checks and metadata, made from the flows' declarations."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dagster import (
    AssetCheckKey,
    AssetKey,
    AssetSpec,
    MetadataValue,
    TableColumn,
    TableColumnDep,
    TableColumnLineage,
    TableRecord,
    TableSchema,
)

from crm_pipeline.cadence.planner import wait_after
from crm_pipeline.declaration import Flow, Promise, Shown, Table, Topic, shown
from crm_pipeline.flows.registry import FLOWS, SYNC_STATE
from crm_pipeline.ledger.cycles import FinishedCycle
from crm_pipeline.lineage.legend import ALWAYS, OF_THE_STATE, OF_UNDONE, legend
from crm_pipeline.near_names import near
from crm_pipeline.report import CycleReport, CycleState
from crm_pipeline.settings import settings

_WAREHOUSE = "warehouse/"
"""Begins the names of the warehouse's tables."""

OWNERS = ["team:crm-operations"]

MOST_ACCOUNTS = 100
"""So many rows has a table of accounts; the views of `reporting` have all."""

DELIVERED_IN_TIME = Promise(
    "delivered_in_time",
    SYNC_STATE,
    "Nothing waits for Salesforce longer than the promised hour, read or unread.",
    numbers={
        "waiting": "Operations that wait for Salesforce.",
        "oldest_minutes": "How long the oldest of them waits.",
        "alerts": "1 where rows wait unread for longer than promised, else 0.",
    },
)

NOTHING_IS_HELD = Promise(
    "nothing_is_held",
    SYNC_STATE,
    "No cycle is held for a person to decide, as it would have done far more than usual: "
    "`crm-pipeline approve ACCOUNT` or `crm-pipeline reject ACCOUNT` does so.",
    numbers={
        "held_minutes": "How long a person's decision is waited for.",
        "hold_id": "The hold; 0: there is none.",
    },
)

PLANS_COME_TRUE = Promise(
    "plans_come_true",
    SYNC_STATE,
    "The cycle after a plan does what it says, but for what the source, the settings, the org's "
    "rules or people explain.",
    numbers={
        "plan": "The newest plan that a cycle was held against; 0: there is none.",
        "as_planned": "Its rows that came as it says.",
        "explained": "Those that came otherwise for a known reason.",
        "unexplained": "Those that came otherwise for none.",
    },
)


def _sync_state(report: CycleReport) -> Shown:
    said: dict[str, Any] = {
        "state": report.state,
        "reason": report.reason,
        "remedy": report.remedy,
        "notes": report.notes,
        "waiting": report.counts.waiting,
        "exhausted": report.counts.exhausted,
        "seconds": report.seconds,
    }
    standing = report.standing
    if standing is None:
        return said
    return said | {
        "watermark": standing.watermark,
        "since": standing.since,
        "last_complete": standing.complete_at,
        "next_try": _next_try(report.state, standing),
    }


def _next_try(state: CycleState, standing: FinishedCycle) -> datetime | str:
    match state:
        case "Failed" if standing.refused:
            return "when the credentials have been changed"
        case "Failed" if standing.finished_at is not None:
            return standing.finished_at + wait_after(standing.failures_in_a_row)
        case "Paused" if standing.paused_until is not None:
            return standing.paused_until
        case "Held":
            return "when somebody has approved or rejected what is held"
        case _:
            return "when there is something to do"


def _state_of_the_account(flows: Sequence[Flow[Any]]) -> Topic:
    """The last topic: it comes after all on which no other one stands."""
    topics = [topic for flow in flows for topic in flow.topics]
    inner = {name for topic in topics for name in topic.after}
    return Topic(
        SYNC_STATE,
        "How the account stands after its cycle: Complete, Paused, Held or Failed, since when and "
        "why, what can be done about it, when it is tried again, and what waits. Materialize it "
        "together with all assets of its job: where the dialog for this one alone warns of missing "
        "upstream partitions, these are steps that an account has not done yet; leave it in.",
        group="accounts",
        technology="postgres",
        after=tuple(topic.name for topic in topics if topic.name not in inner),
        shows=_sync_state,
    )


TOPICS: Mapping[str, Topic] = {
    topic.name: topic
    for topic in (
        *(topic for flow in FLOWS for topic in flow.topics),
        _state_of_the_account(FLOWS),
    )
}
"""All topics of an account's cycle, in the order in which it comes to them."""

PROMISES: Sequence[Promise] = (
    *(promise for flow in FLOWS for promise in flow.promises),
    DELIVERED_IN_TIME,
    NOTHING_IS_HELD,
    PLANS_COME_TRUE,
)


def asset_key(name: str) -> AssetKey:
    """The key of a topic, or of a thing outside (`warehouse/person`).

    A table of the warehouse has the key by which another project makes it, where
    WAREHOUSE_ASSET_KEYS says so.
    """
    key = _keys_elsewhere().get(name, name)
    return AssetKey(key.split("/"))


def _keys_elsewhere() -> Mapping[str, str]:
    """The keys of the warehouse's tables in another project, by our own.

    Raises:
        ValueError: the setting names a table that no flow reads, or one key for two of them.
    """
    chosen = settings().warehouse_asset_keys
    if not chosen:
        return {}
    tables = sorted(
        each.name.removeprefix(_WAREHOUSE)
        for flow in FLOWS
        for each in flow.outside
        if each.name.startswith(_WAREHOUSE)
    )
    if unknown := sorted(chosen.keys() - {"", *tables}):
        meant = near(unknown[0], tables) or tables
        raise ValueError(
            f"WAREHOUSE_ASSET_KEYS names {unknown[0]!r}, a table that is not read; there are: "
            f"{', '.join(meant)}"
        )
    prefix = chosen.get("")
    keys = {
        table: key
        for table in tables
        if (key := chosen.get(table, prefix and f"{prefix}/{table}")) is not None
    }
    if twice := sorted(table for table, key in keys.items() if [*keys.values()].count(key) > 1):
        raise ValueError(f"WAREHOUSE_ASSET_KEYS has one key for {' and '.join(twice)}")
    return {f"{_WAREHOUSE}{table}": key for table, key in keys.items()}


def check_key(promise: Promise) -> AssetCheckKey:
    """The key of a promise as an asset check."""
    return AssetCheckKey(asset_key(promise.topic), promise.name)


def topic_spec(topic: Topic) -> AssetSpec:
    """The asset of a topic. It is skippable, as a run may be about some topics only."""
    return AssetSpec(
        asset_key(topic.name),
        description=topic.says,
        deps=[asset_key(name) for name in topic.after],
        kinds={topic.technology},
        group_name=topic.group,
        owners=OWNERS,
        skippable=True,
        metadata=legend(_keys(topic))
        | ({"dagster/column_lineage": _column_lineage(topic)} if topic.columns else {}),
    )


def _keys(topic: Topic) -> list[str]:
    """The keys of the metadata that a cycle shows of a topic."""
    of_state = OF_THE_STATE if topic.name == SYNC_STATE else ()
    shows = topic.shows(CycleReport("", "", ""))
    return [*ALWAYS, *of_state, *topic.counts, *shows, "absent", *OF_UNDONE]


def _column_lineage(topic: Topic) -> TableColumnLineage:
    return TableColumnLineage(
        {
            field: [
                TableColumnDep(asset_key(table), column)
                for table, _, column in (each.rpartition(".") for each in columns)
            ]
            for field, columns in topic.columns.items()
        }
    )


def metadata(topic: Topic, report: CycleReport) -> dict[str, Any]:
    """Returns the UI's metadata of a topic after a cycle, with whose and which cycle it was."""
    values = {name: _value(each) for name, each in shown(topic, report).items()}
    said = {name: value for name, value in values.items() if value not in (None, "")}
    links = _links(report) if topic.name == SYNC_STATE else {}
    return {"account": report.account_name, "cycle": report.cycle_id or 0} | said | links


def _links(report: CycleReport) -> dict[str, MetadataValue[Any]]:
    """The ways from an account's page to its org, and to the console where there is one."""
    org = {"org": MetadataValue.url(report.login_url)} if report.login_url else {}
    return {**org, **console_link(report.account_id)}


def console_link(account_id: str, page: str = "") -> dict[str, MetadataValue[Any]]:
    """Returns the metadata that leads to an account in the console; none without CONSOLE_URL.

    Args:
        account_id: the account.
        page: below that of the account, as `/plans/12`.
    """
    address = settings().account_page(account_id)
    return {"console": MetadataValue.url(f"{address}{page}")} if address else {}


def _value(each: Any) -> Any:
    if isinstance(each, datetime):
        return MetadataValue.timestamp(each)
    if not isinstance(each, Table):
        return each
    numbers = each.numbers
    rows = [TableRecord({each.column: str(n), "number": numbers[n]}) for n in sorted(numbers)]
    schema = TableSchema([TableColumn(each.column), TableColumn("number", "int")])
    return MetadataValue.table(rows, schema)
