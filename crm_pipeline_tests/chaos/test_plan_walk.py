"""The walk of a cycle that is planned and applied, or replays, as far as a run has the time."""

from collections.abc import Iterator

import pytest

from crm_pipeline.database.embedded import EmbeddedPostgres
from crm_pipeline_tests.chaos.installation import installed, org_named
from crm_pipeline_tests.chaos.test_walk import broken_by
from crm_pipeline_tests.chaos.walk import Walk
from crm_pipeline_tests.databases import fresh_pipeline

pytestmark = pytest.mark.deep

KINDS = (
    "process killed before a database commit",
    "process killed after a database commit",
    "commit made, and the line cut before it says so",
    "process killed after the org worked",
    "line cut after the org worked",
    "answer cut in half",
)
STEP = 30


@pytest.fixture(scope="module", params=["planned and applied", "replayed"])
def walk(
    postgres: EmbeddedPostgres,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Walk]:
    """The small case with campaigns, each cycle of which is planned so, counted."""
    data = tmp_path_factory.mktemp("data")
    with fresh_pipeline(postgres, data) as engine, installed(engine, org_named("acme")) as made:
        yield Walk(made, request.param)


@pytest.mark.parametrize("kind", KINDS)
def test_the_promise_holds_wherever_a_plan_breaks(walk: Walk, kind: str) -> None:
    assert not (said := broken_by(walk, kind, STEP)), said
