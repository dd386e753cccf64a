"""A short random walk; `make chaos` goes on for minutes."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from crm_pipeline_tests.chaos.installation import installed, org_named
from crm_pipeline_tests.chaos.random_walk import SETTINGS, RandomWalk

pytestmark = pytest.mark.deep

SEED = 1


@pytest.fixture(scope="module")
def walk(module_pipeline: Engine) -> Iterator[RandomWalk]:
    """Three accounts, and three processes for their cycles."""
    with installed(module_pipeline, *map(org_named, SETTINGS)) as installation:
        walk = RandomWalk(installation, SEED)
        yield walk
        walk.close()


@pytest.mark.parametrize("number", range(1, 4))
def test_the_promise_holds_after_several_faults_at_several_accounts(
    walk: RandomWalk, number: int
) -> None:
    findings = walk.episode(number)
    assert not findings, str(findings)


def test_an_episode_is_the_same_whenever_its_seed_is(walk: RandomWalk) -> None:
    struck = []
    for _ in range(2):
        walk.faults.clear()
        findings = walk.episode(0)
        assert not findings, str(findings)
        struck.append(walk.faults.copy())
    assert struck[0] == struck[1]
