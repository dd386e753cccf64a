"""An asset's page of Dagster at many accounts: what its questions cost the webserver."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
import requests
from dagster import (
    AssetCheckEvaluation,
    AssetKey,
    AssetMaterialization,
    DagsterInstance,
)
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from rich.console import Console
from rich.table import Table

from benchmarks import installation
from benchmarks.databases import Databases, connect, settle
from benchmarks.processes import CHECKOUT
from benchmarks.report import write_json

_DATABASE = "benchmark_page"
_MODEL = "a00000"
_QUERIES = Path(__file__).with_name("queries")
_SQL = Path(__file__).with_name("sql")
_START_SECONDS = 240


@dataclass(frozen=True, slots=True)
class Question:
    """One question of an asset's page, and what it cost."""

    asset: str
    query: str
    seconds: float
    cpu_seconds: float
    """Of the webserver and its code server; not PostgreSQL's."""


def measure(folder: Path, partitions: int) -> list[Question]:
    """Asks what the page of each asset asks, of a webserver over so many partitions.

    Args:
        folder: for data.
        partitions: accounts, each with a materialization of each asset and a verdict of each check.
    """
    with webserver(folder, partitions) as (process, url):
        queries = {file.stem: file.read_text("utf-8") for file in sorted(_QUERIES.iterdir())}
        return [
            _asked(process, url, asset, name, query)
            for asset in map(list, (key.path for key in _assets()))
            for name, query in queries.items()
        ]


def report(found: list[Question], console: Console, file: Path) -> None:
    """Prints what was measured, and writes it."""
    names = sorted({each.query for each in found})
    table = Table("page of", *(f"{name}, s (CPU)" for name in names), "all, s", "all, CPU s")
    for asset in dict.fromkeys(each.asset for each in found):
        of_it = {each.query: each for each in found if each.asset == asset}
        cells = (f"{of_it[n].seconds:.2f} ({of_it[n].cpu_seconds:.2f})" for n in names)
        together = [sum(each.seconds for each in of_it.values())]
        together.append(sum(each.cpu_seconds for each in of_it.values()))
        table.add_row(asset, *cells, *(f"{total:.2f}" for total in together))
    console.print(table)
    write_json({"questions": [asdict(each) for each in found]}, file)
    console.print(f"Numbers: {file}")


@contextmanager
def webserver(folder: Path, partitions: int) -> Iterator[tuple[psutil.Process, str]]:
    """Dagster's webserver over an instance with so many partitions, and its address."""
    databases = Databases(folder / "postgres")
    home = folder / "page"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    for file in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(CHECKOUT / file, home)
    try:
        database = databases.create(_DATABASE)
        environment = installation.environment(database)
        with installation.in_force(environment):
            _fill(home, database, partitions)
        with _served(home, environment) as served:
            yield served
    finally:
        databases.drop(_DATABASE)
        databases.close()


def _assets() -> list[AssetKey]:
    from crm_pipeline.definitions import defs

    return sorted(_graph(defs).materializable_asset_keys)


def _graph(defs: Any) -> AssetGraph:
    graph: AssetGraph = defs.resolve_asset_graph()
    return graph


def _fill(home: Path, database: str, partitions: int) -> None:
    from crm_pipeline.definitions import defs

    graph = _graph(defs)
    accounts = [f"a{number:05d}" for number in range(partitions)]
    with DagsterInstance.from_config(str(home)) as instance:
        instance.add_dynamic_partitions("account", accounts)
        for key in graph.materializable_asset_keys:
            instance.report_runless_asset_event(
                AssetMaterialization(key, partition=_MODEL, metadata={"rows": 1})
            )
        for check in graph.asset_check_keys:
            verdict = AssetCheckEvaluation(
                asset_key=check.asset_key, check_name=check.name, passed=True, partition=_MODEL
            )
            instance.report_runless_asset_event(verdict)
    with connect(database) as connection:
        for name in ("materializations_of_all_partitions", "verdicts_of_all_partitions"):
            statement = (_SQL / f"{name}.sql").read_text(encoding="utf-8")
            connection.execute(statement.encode(), {"model": _MODEL})
    settle(database)


@contextmanager
def _served(home: Path, variables: Mapping[str, str]) -> Iterator[tuple[psutil.Process, str]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    program = Path(sys.executable).with_name("dagster-webserver")
    with (home / "webserver.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-w", "workspace.yaml", "-p", str(port)],
            cwd=home,
            env={**os.environ, **variables, "DAGSTER_HOME": str(home)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _await(url, process)
        yield psutil.Process(process.pid), url
    finally:
        process.terminate()
        process.wait()


def _await(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            requests.get(f"{url}/server_info", timeout=5).raise_for_status()
        except requests.ConnectionError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(f"The webserver did not answer within {_START_SECONDS} s; see its log.")


def _asked(process: psutil.Process, url: str, asset: list[str], name: str, query: str) -> Question:
    body = {"query": query, "variables": {"key": {"path": asset}}}
    before, began = _cpu_seconds(process), time.perf_counter()
    answer = requests.post(f"{url}/graphql", json=body, timeout=600)
    seconds = time.perf_counter() - began
    computed = _cpu_seconds(process) - before
    told = answer.json()
    if errors := told.get("errors"):
        raise ValueError(f"{name} about {asset}: {json.dumps(errors)}")
    return Question("/".join(asset), name, seconds, computed)


def _cpu_seconds(process: psutil.Process) -> float:
    family = [process, *process.children(recursive=True)]
    return float(sum(sum(each.cpu_times()[:2]) for each in family))
