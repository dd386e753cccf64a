"""A short random walk of prospects, and of people with them; `make chaos` goes on for minutes."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from crm_pipeline_tests.chaos.installation import installed, org_named
from crm_pipeline_tests.chaos.random_walk import SCENES, RandomWalk

pytestmark = pytest.mark.deep

SCENE = SCENES["prospects"]


@pytest.fixture(scope="module")
def walk(module_pipeline: Engine) -> Iterator[RandomWalk]:
    with installed(module_pipeline, *map(org_named, SCENE.settings)) as installation:
        walk = RandomWalk(installation, 1, SCENE)
        yield walk
        walk.close()


@pytest.mark.parametrize("number", range(1))
def test_the_promise_holds_after_several_faults(walk: RandomWalk, number: int) -> None:
    findings = walk.episode(number)
    assert not findings, str(findings)
