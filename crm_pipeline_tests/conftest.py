"""Fixtures of all tests: one PostgreSQL for the session, and a database without a row for each."""

import gc
import os
import shutil
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine

from crm_pipeline.database.embedded import EmbeddedPostgres
from crm_pipeline_tests.databases import (
    folder_of_a_server,
    fresh_pipeline,
    make_migrated,
    new_server_folder,
    server_in,
)

# How long an example takes says nothing on a machine that does other things, too.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
# What is red is red again: `make fuzz` looks for examples that nobody has seen.
settings.register_profile(
    "the same each time", settings.get_profile("any machine"), derandomize=True
)
settings.load_profile("the same each time")

SERVER_FOLDER = "CRM_PIPELINE_TESTS_POSTGRES"


def pytest_configure(config: pytest.Config) -> None:
    """Chooses where the session's server lives; the workers of pytest-xdist inherit it.

    A shell has what it starts in the background ignore Ctrl-C. Dagster would hand that on to
    SIGTERM, by which tests stop the processes that they start.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        os.environ[SERVER_FOLDER] = str(new_server_folder())


def pytest_unconfigure(config: pytest.Config) -> None:
    """Removes the server from the disk, when all workers have left it."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(SERVER_FOLDER))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that wait for a clock come first, so that the others run meanwhile; then deep ones.

    A worker takes a file at a time: the long ones have to come before the many short ones.
    What takes a database is tried with one of its cases, by composite calls where there is a
    choice, and with the others in depth.
    """
    tried: set[tuple[str, str]] = set()
    for item in items:
        if isinstance(item, pytest.Function) and "pipeline" in item.fixturenames:
            case = (item.module.__name__, f"{item.cls}.{item.originalname}")
            is_bulk = hasattr(item, "callspec") and item.callspec.params.get("route") == "bulk"
            if is_bulk or case in tried:
                item.add_marker(pytest.mark.deep)
            elif item.get_closest_marker("deep") is None:
                tried.add(case)
    items.sort(
        key=lambda item: [item.get_closest_marker(name) is None for name in ("waits", "deep")]
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Garbage is looked for less often, and not among modules and tests, which stay to the end.

    While they are loaded none is looked for at all.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(10_000, 20, 50)
        gc.enable()


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """The session's PostgreSQL, shared by all workers; the last one stops it."""
    folder = Path(os.environ[SERVER_FOLDER])
    server = server_in(folder)
    server.url("postgres")
    make_migrated(server, folder)
    yield server
    server.leave()


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """A folder for a server of a test's own."""
    with folder_of_a_server() as folder:
        yield folder


@pytest.fixture
def pipeline(postgres: EmbeddedPostgres, tmp_path: Path) -> Iterator[Engine]:
    """A fresh, migrated database of the pipeline and the warehouse; the settings point at it."""
    with fresh_pipeline(postgres, tmp_path / "data") as engine:
        yield engine


@pytest.fixture(scope="module")
def module_pipeline(
    postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """As `pipeline`, one for all tests of a module; a module uses one of the two."""
    with fresh_pipeline(postgres, tmp_path_factory.mktemp("data")) as engine:
        yield engine
