"""The local org that all programs load into, in a process of its own."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import requests
import yaml

from benchmarks import job
from benchmarks.examination import Person, Verdict, examine

NAME = "benchmark"
USERNAME = "loader@benchmark.test"
PASSWORD = "benchmark"
SECURITY_TOKEN = "TOKEN"
CLIENT_ID = CLIENT_SECRET = "benchmark"

_SEED_ROWS = 10_000
_START_SECONDS = 30
_DAY = 100_000_000
_STORAGE_MB = 100_000
_VERSION = "62.0"


@dataclass(frozen=True, slots=True)
class Statistics:
    """The work that a program made the org do."""

    api_calls: int
    """API requests, as Salesforce counts them: logins are not among them."""
    by_kind: dict[str, int]
    """All requests by kind, logins among them."""
    rows_written: dict[str, dict[str, int]]

    @property
    def logins(self) -> int:
        """The number of logins."""
        return self.by_kind.get("login", 0)


def org_config(name: str = NAME) -> dict[str, Any]:
    """An org as `crm-pipeline org serve --config` takes it, with more room than is needed."""
    return {
        "name": name,
        "users": [{"username": USERNAME, "password": PASSWORD, "security_token": SECURITY_TOKEN}],
        "connected_apps": [
            {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "run_as": USERNAME}
        ],
        "limits": {"daily_api_requests": _DAY, "data_storage_mb": _STORAGE_MB},
    }


class OrgServer:
    """The process that serves one or many orgs."""

    def __init__(self, folder: Path, configs: list[dict[str, Any]] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "orgs.yaml"
        file.write_text(yaml.safe_dump({"orgs": configs or [org_config()]}), encoding="utf-8")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        program = Path(sys.executable).with_name("crm-pipeline")
        self._log = (folder / "org.log").open("wb")
        self._process = subprocess.Popen(
            [program, "org", "serve", "--port", str(self.port), "--config", file],
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self._await(folder / "org.log")

    @property
    def url(self) -> str:
        """The server's address; an org's own has its name behind it."""
        return f"http://127.0.0.1:{self.port}"

    def _await(self, log: Path) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                requests.get(f"{self.url}/_admin/orgs", timeout=5)
            except requests.ConnectionError:
                time.sleep(0.05)
            else:
                return
        self.stop()
        raise RuntimeError(f"The local org did not start: {log.read_text(encoding='utf-8')}")

    def cpu_seconds(self) -> float:
        """The CPU seconds of the process since it started."""
        return sum(psutil.Process(self._process.pid).cpu_times()[:2])

    def stop(self) -> None:
        """Ends the process."""
        self._process.terminate()
        self._process.wait(10)
        self._log.close()


class Org:
    """One org, seen from its admin path: filled, set up, examined."""

    def __init__(self, server_url: str, name: str = NAME) -> None:
        self.url = f"{server_url}/{name}"
        self._session = requests.Session()

    def post(self, action: str, **body: Any) -> Any:
        """Does something by the admin path."""
        answer = self._session.post(f"{self.url}/_admin/{action}", json=body, timeout=600)
        answer.raise_for_status()
        return answer.json()

    def fill(self, rows: int) -> None:
        """Empties the org and puts into it what it holds before the job, as snapshot `before`."""
        self.post("reset")
        for records in job.records_of_the_org(rows, _SEED_ROWS):
            self.post("seed", **records)
        self.post("snapshot", name="before")

    def make_ready(self, latency_ms: float) -> None:
        """Takes the org back to before the job, with nothing counted yet."""
        self.post("restore", name="before")
        self.count_from_here(latency_ms)

    def count_from_here(self, latency_ms: float) -> None:
        """Sets the latency and begins to count anew."""
        self.post("settings", latency_ms=latency_ms, daily_api_requests_used=0)
        self.post("stats/reset")

    def statistics(self) -> Statistics:
        """Returns what was counted."""
        stats = self._session.get(f"{self.url}/_admin/stats", timeout=60).json()
        return Statistics(stats["api_requests"], stats["calls"], stats["rows_written"])

    def verdict(self, rows: int, subjects: list[str]) -> Verdict:
        """Compares all records with the right answer; ask for the statistics before."""
        self.post("settings", latency_ms=0)
        people = [
            Person(sobject, found["Id"], found["Email"], found["Title"])
            for sobject in ("Lead", "Contact")
            for found in query(self.url, f"SELECT Id, Email, Title FROM {sobject}")
        ]
        events: dict[str, list[str | None]] = {subject: [] for subject in subjects}
        for event in query(self.url, "SELECT WhoId, Subject FROM Event"):
            events[event["Subject"]].append(event["WhoId"])
        return examine(rows, people, events)


def query(org_url: str, soql: str) -> Iterator[dict[str, Any]]:
    """The records of a SOQL query, page by page, by a login of its own."""
    login = {
        "grant_type": "client_credentials",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }
    with requests.Session() as session:
        granted = session.post(f"{org_url}/services/oauth2/token", data=login, timeout=60)
        granted.raise_for_status()
        session.headers["Authorization"] = f"Bearer {granted.json()['access_token']}"
        url: str | None = f"{org_url}/services/data/v{_VERSION}/query"
        parameters = {"q": soql}
        while url:
            answer = session.get(url, params=parameters, timeout=600)
            answer.raise_for_status()
            page = answer.json()
            yield from page["records"]
            url = None if page["done"] else f"{org_url}{page['nextRecordsUrl']}"
            parameters = {}
