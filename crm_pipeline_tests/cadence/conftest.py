"""A database and a Dagster instance for the tests of the pace, empty for each."""

from collections.abc import Iterator

import pytest
from dagster import DagsterInstance
from sqlalchemy import Connection, Engine

from crm_pipeline_tests.dagster_instances import instance_at
from crm_pipeline_tests.emptying import emptied_afterwards


@pytest.fixture
def pipeline(module_pipeline: Engine) -> Iterator[Engine]:
    with emptied_afterwards(module_pipeline) as engine:
        yield engine


@pytest.fixture
def connection(pipeline: Engine) -> Iterator[Connection]:
    with pipeline.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def module_instance(
    module_pipeline: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DagsterInstance]:
    with instance_at(tmp_path_factory.mktemp("dagster") / "home") as instance:
        yield instance


@pytest.fixture
def instance(pipeline: Engine, module_instance: DagsterInstance) -> DagsterInstance:
    return module_instance
