"""Accounts with an org each, and a Dagster instance to sync them through."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from dagster import AssetKey, DagsterInstance, ExecuteInProcessResult, partition_loading_context
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.loader import LoadingContextForTest
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value
from sqlalchemy import Connection, Engine

from crm_pipeline.cadence.cycle_runs import CYCLE_JOB, CYCLE_OP
from crm_pipeline.cadence.partitions import ACCOUNTS
from crm_pipeline.definitions import defs
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline_tests.cycle.conftest import ORG, account_of
from crm_pipeline_tests.dagster_instances import instance_at
from crm_pipeline_tests.flows.webinars.warehouse import add_person, add_sessions, register

FLEET = [f"acct-{number:02}" for number in range(1, 61)]


@dataclass
class Fleet:
    """Accounts, each with one registration; their orgs; Dagster. A test takes some of its own."""

    connection: Connection
    server: LocalOrgServer
    instance: DagsterInstance
    untouched: list[str]

    def take(self, number: int) -> list[str]:
        """Accounts that no other test has, next to each other in the order of partitions."""
        taken, self.untouched[:] = self.untouched[:number], self.untouched[number:]
        return taken

    def run(
        self, *account_ids: str, partition: str | None = None, **how: Any
    ) -> ExecuteInProcessResult:
        """A run of the job: about some accounts, or about one partition as from the UI."""
        config = {"ops": {CYCLE_OP: {"config": {"account_ids": list(account_ids)}}}}
        return defs.resolve_job_def(CYCLE_JOB).execute_in_process(
            instance=self.instance,
            run_config=config,
            partition_key=partition,
            raise_on_error=False,
            **how,
        )

    def statuses(self, asset: str, accounts: Sequence[str]) -> list[str]:
        """The accounts' partitions of the asset, as the UI shows them."""
        cached = get_and_update_asset_status_cache_value(self.instance, AssetKey(asset), ACCOUNTS)
        if cached is None:
            return ["missing" for _ in accounts]
        with partition_loading_context(dynamic_partitions_store=self.instance):
            failed = cached.deserialize_failed_partition_subsets(ACCOUNTS)
            done = cached.deserialize_materialized_partition_subsets(ACCOUNTS)
            return [
                "failed" if each in failed else "materialized" if each in done else "missing"
                for each in accounts
            ]

    def status(self, asset: str, account: str) -> str:
        """The account's partition of the asset, as the UI shows it."""
        (status,) = self.statuses(asset, [account])
        return status

    def stale(self, assets: Iterable[str], accounts: Sequence[str]) -> list[tuple[str, str]]:
        """Those partitions of the assets that the UI does not call synced, by asset and account."""
        resolver = CachingStaleStatusResolver(
            self.instance,
            defs.get_repository_def().asset_graph,
            LoadingContextForTest(self.instance),
        )
        return [
            (asset, account)
            for asset, account in product(assets, accounts)
            if resolver.get_status(AssetKey(asset), account).value != "FRESH"
        ]

    def records(self, account: str, sobject: str) -> int:
        """The number of records of an object that the account's org has."""
        return len(self.server.org(account).table(sobject).rows)


@pytest.fixture(scope="module")
def fleet(module_pipeline: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    orgs = [{"name": account, **ORG} for account in FLEET]
    with (
        LocalOrgServer(*orgs) as server,
        module_pipeline.connect() as connection,
        instance_at(tmp_path_factory.mktemp("dagster") / "home") as instance,
    ):
        for number, account in enumerate(FLEET, start=1):
            client = f"client-{account}"
            account_of(connection, server, account, client)
            add_sessions(connection, number, client=client)
            add_person(connection, number, client=client)
            register(connection, number, number, number, client=client)
        connection.commit()
        instance.add_dynamic_partitions("account", FLEET)
        yield Fleet(connection, server, instance, list(FLEET))
