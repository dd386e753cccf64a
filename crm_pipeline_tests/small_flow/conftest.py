"""An org that has the small flow's objects."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.small_flow.badges import OBJECTS


@pytest.fixture
def bench(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_of({"name": ACCOUNT, **ORG, "objects": OBJECTS}, pipeline, monkeypatch) as made:
        yield made
