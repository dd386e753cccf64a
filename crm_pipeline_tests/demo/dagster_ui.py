"""Dagster's UI, asked of a webserver as the UI asks it."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import requests

_RUNS = """{ runsOrError { ... on Runs { results {
    status tags { key value } repositoryOrigin { repositoryLocationName }
} } } }"""

_STATES = "{ runsOrError { ... on Runs { results { id status } } } }"
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}

_PATIENCE_SECONDS = 60

_ASSETS = """query ($group: String!) { assetNodes(group: {
    groupName: $group, repositoryName: "__repository__", repositoryLocationName: "crm_pipeline"
}) {
    assetKey { path }
    partitionKeys
    staleStatusByPartition
    assetPartitionStatuses { ... on DefaultPartitionStatuses { failedPartitions } }
    assetChecksOrError { ... on AssetChecks { checks {
        name
        partitionStatuses { ... on AssetCheckDefaultPartitionStatuses {
            succeededPartitions failedPartitions inProgressPartitions
            skippedPartitions executionFailedPartitions
        } }
    } } }
} }"""

_BACKFILL = """query ($params: AssetBackfillPreviewParams!) {
    assetBackfillPreview(params: $params) { assetKey { path } partitions { partitionKeys } }
}"""

_GROUPS = "{ assetNodes { groupName isPartitioned } }"


@dataclass(frozen=True)
class Shown:
    """The accounts as they are shown, each as (asset or check, account).

    Attributes:
        failed: partitions that are red.
        unsynced: partitions that are out of date.
        missing: partitions that were never materialized.
        broken: checks that do not hold.
        unjudged: checks without a verdict, or of which it could not be had.
    """

    failed: set[tuple[str, str]]
    unsynced: set[tuple[str, str]]
    missing: set[tuple[str, str]]
    broken: set[tuple[str, str]]
    unjudged: set[tuple[str, str]]


def ask(ui: str, query: str, **variables: Any) -> Any:
    """The webserver's answer to a query of GraphQL."""
    body = {"query": query, "variables": variables}
    answer = requests.post(f"{ui}/graphql", json=body, timeout=60).json()
    assert "errors" not in answer, answer
    return answer["data"]


def runs_by_account(ui: str) -> dict[str, str]:
    """The status of each account's run, of those that the timeline has: they have an origin."""
    return {
        tag["value"]: run["status"]
        for run in ask(ui, _RUNS)["runsOrError"]["results"]
        if run["repositoryOrigin"] == {"repositoryLocationName": "crm_pipeline"}
        for tag in run["tags"]
        if tag["key"] == "dagster/partition"
    }


def accounts_shown(ui: str) -> Shown:
    """The assets of all groups and their checks, as they show each account between two runs."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        before = ask(ui, _STATES)
        shown = _accounts_shown(ui)
        under_way = {run["status"] for run in before["runsOrError"]["results"]} - _ENDED
        if not under_way and ask(ui, _STATES) == before:
            return shown
    raise TimeoutError("There is always a run under way.")


def backfilled(ui: str, assets: Collection[str], accounts: Collection[str]) -> set[tuple[str, str]]:
    """The partitions that a backfill of these assets would run, each as (asset, account)."""
    params = {
        "assetSelection": [{"path": [each]} for each in assets],
        "partitionNames": list(accounts),
    }
    return {
        ("/".join(asset["assetKey"]["path"]), account)
        for asset in ask(ui, _BACKFILL, params=params)["assetBackfillPreview"]
        for account in asset["partitions"]["partitionKeys"]
    }


def _accounts_shown(ui: str) -> Shown:
    shown = Shown(set(), set(), set(), set(), set())
    nodes = ask(ui, _GROUPS)["assetNodes"]
    for group in {each["groupName"] for each in nodes if each["isPartitioned"]}:
        for asset in ask(ui, _ASSETS, group=group)["assetNodes"]:
            _note(asset, shown)
    return shown


def _note(asset: Any, shown: Shown) -> None:
    name, accounts = "/".join(asset["assetKey"]["path"]), asset["partitionKeys"]
    failed = asset["assetPartitionStatuses"]["failedPartitions"]
    shown.failed.update((name, account) for account in failed)
    staleness = zip(accounts, asset["staleStatusByPartition"], strict=True)
    for account, status in staleness:
        if status != "FRESH":
            of_status = shown.unsynced if status == "STALE" else shown.missing
            of_status.add((name, account))
    for check in asset["assetChecksOrError"].get("checks", ()):
        verdicts = check["partitionStatuses"]
        bad = verdicts["failedPartitions"]
        shown.broken.update((check["name"], account) for account in bad)
        without = set(accounts).difference(bad, verdicts["succeededPartitions"])
        shown.unjudged.update((check["name"], account) for account in without)
