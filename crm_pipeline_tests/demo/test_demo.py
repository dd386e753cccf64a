"""The demo itself, as `make demo` runs it: twice in one folder, and cut off by signals."""

import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from crm_pipeline.demo.demo import LISTENER_PORT, ORGS_PORT, PLATFORM_PORT, UI_PORT
from crm_pipeline.lineage.assets import TOPICS
from crm_pipeline.sample.accounts import SAMPLE_ACCOUNTS
from crm_pipeline.settings import PROJECT
from crm_pipeline_tests.demo.dagster_ui import Shown, accounts_shown, backfilled, runs_by_account
from crm_pipeline_tests.topics import undone_without

COMMAND = str(Path(sysconfig.get_path("scripts")) / "crm-pipeline")
pytestmark = pytest.mark.waits


@pytest.fixture
def data_dir(server_folder: Path) -> Path:
    return server_folder / "a demo"


@pytest.fixture
def environment(data_dir: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    return {**own, "CRM_PIPELINE_DATA_DIR": str(data_dir), "COLUMNS": "200"}


class Demo:
    """A demo under way, and what it has said so far."""

    def __init__(self, output: Path, environment: dict[str, str], *arguments: str) -> None:
        self.output = output
        with output.open("wb") as log:
            self.process = subprocess.Popen(
                [COMMAND, "demo", "--registrations", "400", *arguments],
                env=environment,
                cwd=PROJECT,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for(self, pattern: str) -> str:
        deadline = time.monotonic() + 150
        while not (found := re.search(pattern, self.output.read_text())):
            assert self.process.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.1)
        return found.group(found.lastindex or 0)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(90)


@pytest.fixture
def demos(environment: dict[str, str]) -> Iterator[list[Demo]]:
    """Demos that a test starts; a killed one leaves its processes to the next, or to `clean`."""
    started: list[Demo] = []
    yield started
    for demo in started:
        demo.process.kill()
        demo.process.wait()
    clean(environment)


def clean(environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "crm_pipeline.demo.clean"],
        env=environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


def processes_of(data_dir: Path) -> list[list[str]]:
    """Processes that have this data folder in their environment or their arguments."""
    found = []
    for process in psutil.process_iter():
        try:
            arguments, environment = process.cmdline(), process.environ()
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
        about = (*arguments, environment.get("CRM_PIPELINE_DATA_DIR", ""))
        if any(str(data_dir) in text for text in about):
            found.append(arguments)
    return found


BROKEN = [each.account_id for each in SAMPLE_ACCOUNTS if each.state == "Failed"]
"""Accounts that never succeed."""


def foreseen_in_dagster() -> Shown:
    """All is green, in sync, present and judged but what the sample data means to be broken.

    Plans are made where somebody asks for one, and nobody has.
    """
    refused = [each.account_id for each in SAMPLE_ACCOUNTS if each.refused_addresses]
    not_done = {(step, each) for step in undone_without("load_results") for each in BROKEN}
    state = {("sync_state", account) for account in BROKEN}
    unasked = {("plan", each.account_id) for each in SAMPLE_ACCOUNTS if each.state != "Disabled"}
    return Shown(
        failed=not_done | state,
        unsynced=state,
        missing=not_done | unasked,
        broken={("no_exhausted_retries", account) for account in refused},
        unjudged=set(),
    )


@pytest.mark.deep
def test_it_serves_what_it_made_and_a_second_one_goes_on_from_there(
    data_dir: Path, environment: dict[str, str], demos: list[Demo], tmp_path: Path
):
    first = Demo(tmp_path / "first", environment)
    demos.append(first)
    ui = first.wait_for(r"Dagster: +(http://\S+)")
    orgs = first.wait_for(r"Local orgs: +(http://\S+)")
    platform = first.wait_for(r"Local platform: +(http://\S+)")

    assert runs_by_account(ui) == {
        each.account_id: "SUCCESS" if each.state == "Complete" else "FAILURE"
        for each in SAMPLE_ACCOUNTS
        if each.state != "Disabled"
    }
    assert accounts_shown(ui) == foreseen_in_dagster()
    all_of_broken = {(step, account) for step in TOPICS for account in BROKEN}
    assert backfilled(ui, list(TOPICS), BROKEN) == all_of_broken, "as the README advises"
    assert requests.get(orgs, timeout=30).ok
    told = requests.get(f"{platform}/_admin/current?topic=lead_values", timeout=30).json()
    assert {"won", "lost", "open"} <= {each["body"]["standing"] for each in told}
    assert "values told to the platform, cobalt-harbour" in first.output.read_text()
    assert "is: Augusta " in first.output.read_text()
    assert requests.get(f"{platform}/", timeout=30).ok
    listener = first.wait_for(r"Listener: +(http://\S+)")
    assert requests.get(listener, timeout=30).json()["openapi"] == "3.1.0"
    asked = "feedback: 202, the same feedback again: 202, removal of somebody unknown: 404"
    assert asked in " ".join(first.output.read_text().split())
    assert "Tickets named A quiz at the end in the org of alder-finch: 1" in " ".join(
        first.output.read_text().split()
    )
    page = requests.get(first.wait_for(r"to the console, once: +(http://\S+)"), timeout=30)
    assert "alder-finch" in page.text
    running = " ".join(" ".join(arguments) for arguments in processes_of(data_dir))
    assert all(
        kind in running
        for kind in (
            *("postgres", "org serve", "platform serve", "listen", "console", "webserver"),
            "daemon",
        )
    )

    assert first.end(signal.SIGINT) == 0, first.output.read_text()
    assert processes_of(data_dir) == []

    second = Demo(tmp_path / "second", environment, "--once")
    demos.append(second)

    assert second.process.wait(150) == 0, second.output.read_text()
    text = second.output.read_text()
    assert "more minutes of traffic" in text
    assert len(re.findall(r" (Complete|Failed|Disabled) ", text)) == len(SAMPLE_ACCOUNTS)
    assert processes_of(data_dir) == []


@pytest.mark.deep
def test_it_is_not_cleaned_away_while_it_runs_and_leaves_nothing_when_it_was_killed(
    data_dir: Path, environment: dict[str, str], demos: list[Demo], tmp_path: Path
):
    demo = Demo(tmp_path / "output", environment)
    demos.append(demo)
    demo.wait_for("Accounts registered")

    refused = clean(environment)
    demo.process.kill()
    demo.process.wait()
    cleaned = clean(environment)

    assert "stop it first" in refused.stderr
    assert cleaned.returncode == 0, cleaned.stderr
    assert processes_of(data_dir) == []
    assert not data_dir.exists()


def test_it_can_be_ended_in_the_middle(
    data_dir: Path, environment: dict[str, str], demos: list[Demo], tmp_path: Path
):
    demo = Demo(tmp_path / "output", environment)
    demos.append(demo)
    demo.wait_for("Accounts registered")

    assert demo.end(signal.SIGTERM) == 1
    assert processes_of(data_dir) == []


def test_the_readme_names_the_ports_of_its_pages():
    readme = (PROJECT / "README.md").read_text()
    ports = {"Dagster": UI_PORT, "local orgs": ORGS_PORT, "local platform": PLATFORM_PORT}
    ports["listener"] = LISTENER_PORT
    assert all(f"| {page} | {port} |" in readme for page, port in ports.items())


@pytest.mark.deep
@pytest.mark.parametrize(
    "own",
    [
        {"WAREHOUSE_URL": "postgresql://somebody@db.example/precious"},
        {"PLATFORM_URL": "https://platform.example/in", "PLATFORM_SECRET": "a long enough secret"},
    ],
)
def test_it_touches_no_system_of_the_users_own(environment: dict[str, str], own: dict[str, str]):
    refused = subprocess.run(
        [COMMAND, "demo", "--once"],
        env={**environment, **own},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert refused.returncode == 1
    assert refused.stderr.startswith(f"{next(iter(own))} is set")
    assert len(refused.stderr.splitlines()) == 1
