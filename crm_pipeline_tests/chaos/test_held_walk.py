"""The walks of cycles that are held and decided about, as far as a run has the time."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.database.embedded import EmbeddedPostgres
from crm_pipeline_tests.chaos.installation import installed, org_named
from crm_pipeline_tests.chaos.random_walk import SCENES, RandomWalk
from crm_pipeline_tests.chaos.test_walk import broken_by
from crm_pipeline_tests.chaos.walk import Walk
from crm_pipeline_tests.databases import fresh_pipeline

pytestmark = pytest.mark.deep

AT_COMMITS = (
    "process killed before a database commit",
    "process killed after a database commit",
    "commit made, and the line cut before it says so",
)
AT_CALLS = ("process killed after the org worked", "answer cut in half")

APPROVED, REJECTED = "held and approved", "held and rejected at first, by bulk jobs"

DECIDED = {
    APPROVED: {("approved", "new people"), ("approved", "changed people")},
    # Who was rejected is not known yet, and does not change.
    REJECTED: {("rejected", "new people")},
}
"""What is decided about, by settings."""

_DECIDED = text("SELECT decision, e ->> 'limit' FROM crm.hold, jsonb_array_elements(exceeded) AS e")

SCENE = SCENES["webinars, held"]


@pytest.fixture(scope="module")
def walk(
    postgres: EmbeddedPostgres,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Walk]:
    """The small case, each cycle of which exceeds its limits, counted."""
    data = tmp_path_factory.mktemp("data")
    with fresh_pipeline(postgres, data) as engine, installed(engine, org_named("acme")) as made:
        walk = Walk(made, request.param)
        with made.rows() as rows:
            found = {tuple(each) for each in rows.execute(_DECIDED)}
        # Else nothing of this would be about holds.
        assert found == DECIDED[request.param]
        yield walk


@pytest.mark.parametrize("walk", [APPROVED], indirect=True)
@pytest.mark.parametrize("kind", [*AT_COMMITS, *AT_CALLS])
def test_the_promise_holds_wherever_a_held_cycle_breaks(walk: Walk, kind: str) -> None:
    assert not (said := broken_by(walk, kind, 40)), said


@pytest.mark.parametrize("walk", [REJECTED], indirect=True)
@pytest.mark.parametrize("kind", AT_COMMITS)
def test_the_promise_holds_wherever_a_rejected_cycle_breaks(walk: Walk, kind: str) -> None:
    """What was rejected is sent after the two cycles: these call nobody."""
    assert not (said := broken_by(walk, kind, 60)), said


def test_the_promise_holds_while_people_decide_at_random(module_pipeline: Engine) -> None:
    with installed(module_pipeline, *map(org_named, SCENE.settings)) as installation:
        walk = RandomWalk(installation, 11, SCENE)
        try:
            findings = walk.episode(0)
        finally:
            walk.close()
        with installation.rows() as rows:
            decisions = set(rows.scalars(_DECIDED))
    assert not findings, str(findings)
    assert decisions == {"approved", "rejected", "lapsed"}
