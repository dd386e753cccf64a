"""The real webserver and the real daemon, as production starts them, seen through GraphQL."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import requests
from dagster._core.remote_origin import RemoteRepositoryOrigin
from dagster._core.workspace.load import location_origins_from_yaml_paths
from sqlalchemy import Connection, Engine, text

from crm_pipeline.accounts.credentials import set_credentials
from crm_pipeline.cadence.cycle_runs import FORMER_CYCLE_JOB, PARTITION_TAG, account_tags
from crm_pipeline.cadence.due import claim
from crm_pipeline.definitions import cycle
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.salesforce.credentials import PasswordToken
from crm_pipeline.settings import PROJECT
from crm_pipeline_tests.cycle.conftest import ORG, account_of
from crm_pipeline_tests.dagster_instances import make_home
from crm_pipeline_tests.flows.webinars.warehouse import add_person, add_sessions, register

VENV = Path(sys.executable).parent
PATIENCE = 150
ACCOUNTS = ("a", "b", "c", "d")


@dataclass
class Deployment:
    """Webserver and daemon over the test's database, and the accounts' orgs."""

    url: str
    connection: Connection
    orgs: LocalOrgServer

    def ask(self, query: str, **variables: Any) -> Any:
        """GraphQL's answer."""
        answer = requests.post(
            f"{self.url}/graphql", json={"query": query, "variables": variables}, timeout=30
        ).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def row(self, sql: str) -> Any:
        """The only row of a query, seen from a transaction of its own."""
        found = self.connection.execute(text(sql)).one_or_none()
        self.connection.rollback()
        return found

    def change(self, sql: str) -> None:
        """A change by hand, committed."""
        self.connection.execute(text(sql))
        self.connection.commit()


def until(what: str, look: Callable[[], Any]) -> Any:
    """The first finding of `look`; waits for it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.5)
    pytest.fail(f"Not seen within {PATIENCE} seconds: {what}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(log: Path, *command: str, **environment: str) -> Iterator[None]:
    """A service of Dagster, away from the checkout; with all of its children it is stopped."""
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(VENV / command[0]), *command[1:]],
            cwd=log.parent,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@pytest.fixture
def deployment(pipeline: Engine, tmp_path: Path) -> Iterator[Deployment]:
    folder = tmp_path / "deployment"
    folder.mkdir()
    home = make_home(folder / "home")
    port = free_port()
    environment = {
        "DAGSTER_HOME": str(home),
        "CYCLE_MINUTES": "1",
        "SENSOR_SECONDS": "5",
        "LOST_ANSWER_GRACE_SECONDS": "0",
    }
    workspace = ("-w", str(PROJECT / "workspace.yaml"))
    webserver = ("dagster-webserver", "-h", "127.0.0.1", "-p", str(port), *workspace)
    with (
        LocalOrgServer(*({"name": name, **ORG} for name in ACCOUNTS)) as orgs,
        pipeline.connect() as connection,
    ):
        for number, account in enumerate(ACCOUNTS, start=1):
            client = f"client-{account}"
            account_of(connection, orgs, account, client)
            add_sessions(connection, number, client=client)
            add_person(connection, number, client=client)
            register(connection, number, number, number, client=client)
        set_credentials(connection, "c", PasswordToken(username="api@acme.test", password="wrong"))
        connection.commit()
        runs_of_the_former_job(home, "d")
        with (
            running(folder / "webserver.log", *webserver, **environment),
            running(folder / "daemon.log", "dagster-daemon", "run", *workspace, **environment),
        ):
            yield Deployment(f"http://127.0.0.1:{port}", connection, orgs)


def runs_of_the_former_job(home: Path, account: str) -> None:
    """The release before has run the account, and its next run waits when this one starts."""
    former = dg.Definitions(
        assets=[cycle],
        jobs=[
            dg.define_asset_job(
                FORMER_CYCLE_JOB, selection=dg.AssetSelection.assets(cycle).without_checks()
            )
        ],
    )
    (location,) = location_origins_from_yaml_paths([str(PROJECT / "workspace.yaml")])
    repository = RemoteRepositoryOrigin(location, former.get_repository_def().name)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        instance.add_dynamic_partitions("account", [account])
        for status in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.QUEUED):
            instance.create_run_for_job(
                former.resolve_job_def(FORMER_CYCLE_JOB),
                tags={PARTITION_TAG: account, **account_tags([account])},
                status=status,
                remote_job_origin=repository.get_job_origin(FORMER_CYCLE_JOB),
            )
    assert claim([account]) == {account}


PARTITIONS = """
query($asset: [String!]!) {
  assetNodeOrError(assetKey: {path: $asset}) {
    ... on AssetNode {
      partitionStats { numMaterialized numFailed numPartitions }
      assetPartitionStatuses {
        ... on DefaultPartitionStatuses { materializedPartitions failedPartitions }
      }
    }
  }
}
"""

RUNS = """
query($asked_by: String!) {
  runsOrError(filter: {tags: [{key: "crm/asked_by", value: $asked_by}]}) {
    ... on Runs { results { runId status jobName } }
  }
}
"""

TIMELINE = """
query($job: String!) {
  runsOrError(filter: {pipelineName: $job}) {
    ... on Runs { results { status repositoryOrigin { repositoryLocationName } } }
  }
}
"""

TICKS = """
query($name: String!) {
  scheduleOrError(scheduleSelector: {
    repositoryName: "__repository__", repositoryLocationName: "crm_pipeline", scheduleName: $name
  }) {
    ... on Schedule { scheduleState { status ticks(limit: 10) { status error { message } } } }
  }
}
"""


@pytest.mark.deep
@pytest.mark.waits
def test_webserver_and_daemon_sync_accounts_at_the_pace_that_is_set(deployment):
    """One test, since what it starts is heavy; its parts wait for the same clock."""
    new_accounts_are_synced_and_each_shows_its_own_status(deployment)
    runs_of_the_former_job_are_still_in_the_timeline(deployment)
    break_a_write_of(deployment, "a")
    hold_and_kill_the_worker_of(deployment, "b")
    the_killed_cycle_has_a_reason_and_the_next_goes_on(deployment, "b")
    a_tick_of_the_schedule_has_brought_the_retry(deployment, "a")


def new_accounts_are_synced_and_each_shows_its_own_status(deployment: Deployment) -> None:
    def partitions() -> Any:
        try:
            node = deployment.ask(PARTITIONS, asset=["load_results"])["assetNodeOrError"]
        except requests.ConnectionError:
            return None
        statuses = node.get("assetPartitionStatuses", {})
        shown = (
            sorted(statuses.get("materializedPartitions", ())),
            sorted(statuses.get("failedPartitions", ())),
        )
        # The run of "d" that waits under the job's former name fails first.
        return shown if sum(map(len, shown)) == 4 and "d" in shown[0] else None

    assert until("a status of all accounts", partitions) == (["a", "b", "d"], ["c"])
    for account in ("a", "b", "d"):
        assert len(deployment.orgs.org(account).table("Event").rows) == 1


def runs_of_the_former_job_are_still_in_the_timeline(deployment: Deployment) -> None:
    """The timeline takes runs that have an origin, whether their job is still there or not."""
    runs = deployment.ask(TIMELINE, job=FORMER_CYCLE_JOB)["runsOrError"]["results"]
    assert {run["status"] for run in runs} == {"SUCCESS", "FAILURE"}
    origins = [run["repositoryOrigin"]["repositoryLocationName"] for run in runs]
    assert origins == ["crm_pipeline", "crm_pipeline"]


def break_a_write_of(deployment: Deployment, account: str) -> None:
    """An activity that failed, to be tried again now: only the schedule asks for that."""
    deployment.change(
        "UPDATE crm.operation SET state = 'failed', next_attempt_at = now()"
        f" WHERE account_id = '{account}' AND kind = 'activity'"
    )


def hold_and_kill_the_worker_of(deployment: Deployment, account: str) -> None:
    """SIGKILL for the run worker, while the account's org lets it wait for an answer."""
    hang = {"kind": "composite", "action": "hang", "seconds": 60}
    url = f"{deployment.orgs.url_of(account)}/_admin/faults"
    requests.post(url, json=hang, timeout=30).raise_for_status()
    deployment.change(
        "UPDATE warehouse.person SET surname = 'Changed', shipped_at = now()"
        f" WHERE client_id = 'client-{account}'"
    )
    worker = until(
        "the worker in the middle of the cycle",
        lambda: deployment.row(
            "SELECT e.event::json -> 'dagster_event' ->> 'pid' AS pid"
            " FROM crm.sync_state AS s JOIN event_logs AS e ON e.run_id = s.run_id"
            f" WHERE s.account_id = '{account}' AND s.state = 'Processing'"
            " AND e.dagster_event_type = 'STEP_START'"
        ),
    )
    os.kill(int(worker.pid), signal.SIGKILL)


def the_killed_cycle_has_a_reason_and_the_next_goes_on(
    deployment: Deployment, account: str
) -> None:
    ended = until(
        "the reason of the interrupted cycle",
        lambda: deployment.row(
            f"SELECT reason FROM crm.cycle WHERE account_id = '{account}' AND state = 'Failed'"
        ),
    )
    assert "ended in the middle" in ended.reason
    until(
        "the account complete again",
        lambda: deployment.row(
            f"SELECT 1 FROM crm.sync_state WHERE account_id = '{account}' AND state = 'Complete'"
        ),
    )
    assert len(deployment.orgs.org(account).table("Event").rows) == 1


def a_tick_of_the_schedule_has_brought_the_retry(deployment: Deployment, account: str) -> None:
    def schedule_runs() -> Any:
        runs = deployment.ask(RUNS, asked_by="schedule")["runsOrError"]["results"]
        return [run for run in runs if run["status"] == "SUCCESS"]

    assert until("a successful run of the schedule", schedule_runs)[0]["jobName"] == "account_cycle"
    state = deployment.ask(TICKS, name="accounts_due")["scheduleOrError"]["scheduleState"]
    assert state["status"] == "RUNNING"
    assert "SUCCESS" in {tick["status"] for tick in state["ticks"]}
    assert not [tick for tick in state["ticks"] if tick["error"]]
    until(
        "the retry done",
        lambda: deployment.row(
            "SELECT 1 FROM crm.operation WHERE kind = 'activity' AND state = 'done'"
            f" AND account_id = '{account}' AND sent_by > 1"
        ),
    )
