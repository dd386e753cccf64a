"""A short random walk of tracked leads and opportunities; `make chaos` goes on for minutes."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from crm_pipeline_tests.chaos.installation import installed, org_named
from crm_pipeline_tests.chaos.random_walk import SCENES, RandomWalk

pytestmark = pytest.mark.deep

SCENE = SCENES["tracked leads and opportunities"]


@pytest.fixture(scope="module")
def walk(module_pipeline: Engine) -> Iterator[RandomWalk]:
    with installed(module_pipeline, *map(org_named, SCENE.settings)) as installation:
        walk = RandomWalk(installation, 1, SCENE)
        yield walk
        walk.close()


def test_the_promise_holds_after_several_faults(walk: RandomWalk) -> None:
    findings = walk.episode(1)
    assert not findings, str(findings)
