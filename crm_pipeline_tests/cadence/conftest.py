"""A Dagster instance for the tests of the pace."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance
from sqlalchemy import Connection, Engine

from crm_pipeline_tests.dagster_instances import instance_at


@pytest.fixture
def connection(pipeline: Engine) -> Iterator[Connection]:
    with pipeline.connect() as connection:
        yield connection


@pytest.fixture
def instance(pipeline: Engine, tmp_path: Path) -> Iterator[DagsterInstance]:
    with instance_at(tmp_path / "home") as instance:
        yield instance
