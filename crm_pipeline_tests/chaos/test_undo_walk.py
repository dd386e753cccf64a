"""The walks of a cycle that is taken back, as far as a run has the time."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from crm_pipeline.database.embedded import EmbeddedPostgres
from crm_pipeline_tests.chaos.installation import installed, org_named
from crm_pipeline_tests.chaos.test_walk import broken_by
from crm_pipeline_tests.chaos.walk import Walk
from crm_pipeline_tests.databases import fresh_pipeline

pytestmark = pytest.mark.deep

REPEATED, LEFT = "taken back", "taken back, and left to the planner"

_UNDOS = text("SELECT DISTINCT action, sobject FROM crm.operation WHERE kind = 'undo'")


@pytest.fixture(scope="module")
def walk(
    postgres: EmbeddedPostgres,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Walk]:
    """The small case with campaigns, of which the first cycle is taken back, counted."""
    data = tmp_path_factory.mktemp("data")
    with fresh_pipeline(postgres, data) as engine, installed(engine, org_named("acme")) as made:
        walk = Walk(made, request.param)
        with made.rows() as rows:
            undos = {tuple(each) for each in rows.execute(_UNDOS)}
        # Else nothing of this would be about undos.
        assert undos >= {("update", "Lead"), ("update", "Contact")}
        assert undos >= {
            ("delete", sobject) for sobject in ("Lead", "Event", "Campaign", "CampaignMember")
        }
        yield walk


@pytest.mark.parametrize("walk", [LEFT], indirect=True)
@pytest.mark.parametrize(
    "kind", ["process killed after a database commit", "process killed after the org worked"]
)
def test_the_promise_holds_wherever_an_undo_breaks(walk: Walk, kind: str) -> None:
    assert not (said := broken_by(walk, kind, 24)), said


@pytest.mark.parametrize("walk", [REPEATED], indirect=True)
@pytest.mark.parametrize(
    "kind", ["one call of a composite is over the limit", "one row of one call locked"]
)
def test_the_promise_holds_wherever_a_repeated_undo_breaks(walk: Walk, kind: str) -> None:
    assert not (said := broken_by(walk, kind, 30)), said
