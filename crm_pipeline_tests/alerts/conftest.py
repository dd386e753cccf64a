"""A database for the tests of alerts, empty for each."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine

from crm_pipeline_tests.emptying import emptied_afterwards


@pytest.fixture
def pipeline(module_pipeline: Engine) -> Iterator[Engine]:
    with emptied_afterwards(module_pipeline) as engine:
        yield engine


@pytest.fixture
def connection(pipeline: Engine) -> Iterator[Connection]:
    with pipeline.connect() as connection:
        yield connection
