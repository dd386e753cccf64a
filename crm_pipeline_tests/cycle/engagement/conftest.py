"""An account with the engagement workflow on, and an org that has its objects."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine

from crm_pipeline.accounts.engagement import EngagementSettings
from crm_pipeline.report import CycleReport
from crm_pipeline.sample.org_objects import objects_of_org
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of

Engaged = Callable[..., AbstractContextManager[Bench]]


@pytest.fixture
def engaged(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Engaged:
    """Makes such an account with choices; the org's file may be another one."""

    @contextmanager
    def make(org: dict[str, Any] | None = None, **chosen: Any) -> Iterator[Bench]:
        objects = objects_of_org(EngagementSettings(**chosen).org_objects)
        described = {"name": ACCOUNT, **ORG, "objects": objects, **(org or {})}
        with bench_of(described, pipeline, monkeypatch) as made:
            made.settings(engagement=chosen, read_back_minutes=0)
            yield made

    return make


@pytest.fixture
def bench(engaged: Engaged) -> Iterator[Bench]:
    with engaged() as made:
        yield made


def complete(bench: Bench) -> CycleReport:
    """One cycle, which comes to its end."""
    report = bench.cycle()
    assert report.state == "Complete", report.reason
    return report
