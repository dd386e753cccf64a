"""An org becomes another one in the middle of everything: nothing is sent before a person decides.

Whoever decides is asked by `crm-pipeline account org`; both answers are tried, at several moments.
"""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from crm_pipeline.cli.app import app
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.seeding import snapshot
from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.chaos.ambush import Strike, fault
from crm_pipeline_tests.chaos.installation import CAMPAIGNS, Installation, installed, org_named
from crm_pipeline_tests.chaos.walk import bugs
from crm_pipeline_tests.chaos.world import World

REFRESHED = str(long_id("00DREFRESHED000"))

FIRST = ("registers", "registers again", "attends", "says", "person", "registers", "is corrected")
THEN = ("attends", "is corrected", "moves", "registers", "event changes", "changes job")

MOMENTS = pytest.mark.parametrize(
    "strike",
    [
        pytest.param(None, marks=pytest.mark.deep, id="delivered"),
        pytest.param(Strike(kills=True), id="killed"),
        pytest.param(Strike(fault("reset_before")), marks=pytest.mark.deep, id="not arrived"),
        pytest.param(Strike(fault("reset_after")), marks=pytest.mark.deep, id="answer lost"),
    ],
)
"""The end of the cycle before, at its fourth call."""


@pytest.fixture(scope="module")
def installation(module_pipeline: Engine) -> Iterator[Installation]:
    """An account whose org becomes another one."""
    with installed(module_pipeline, org_named("acme")) as installation:
        World(installation).begin({"acme": {"campaigns": CAMPAIGNS}})
        yield installation


def goes_on_until_the_org_is_another(
    installation: Installation, strike: Strike | None, other: str
) -> World:
    """One cycle, perhaps broken; then the org has another id, more comes, and nothing is sent."""
    installation.restore()
    world = World(installation)
    for pick, move in enumerate(FIRST):
        world.happens(move, "acme", pick)
    begun = installation.cycle("acme", call=(4, strike) if strike else None)
    assert begun.state != "NoDatabase", begun
    installation.org("acme").id = other
    for pick, move in enumerate(THEN):
        world.happens(move, "acme", pick)
    before = snapshot(installation.org("acme")).rows
    for _ in range(2):
        ended = installation.cycle("acme")
        assert ended.state == "Failed"
        assert other in ended.reason
        assert ended.counts["api_calls"] == 0
    assert snapshot(installation.org("acme")).rows == before
    return world


def decide(answer: str) -> None:
    decided = CliRunner().invoke(app, ["account", "org", "acme", answer, "--yes"])
    assert decided.exit_code == 0, decided.output


@MOMENTS
def test_with_the_same_data_all_goes_on_where_it_was(
    installation: Installation, strike: Strike | None
) -> None:
    world = goes_on_until_the_org_is_another(installation, strike, REFRESHED)
    decide("--same-data")
    assert not bugs(installation.settle())
    assert not (findings := world.examined(at_rest=True)), str(findings)


@pytest.mark.deep
@MOMENTS
def test_an_org_without_data_gets_everything_anew(
    installation: Installation, strike: Strike | None
) -> None:
    world = goes_on_until_the_org_is_another(installation, strike, REFRESHED)
    empty(installation.org("acme"))
    decide("--start-anew")
    assert not bugs(installation.settle())
    assert not (findings := world.examined(at_rest=True)), str(findings)
    assert installation.org("acme").table("Event").rows


def empty(org: Org) -> None:
    """An org as it is before anybody has worked in it."""
    for sobject in ("Lead", "Contact", "Event", "Campaign", "CampaignMember"):
        org.table(sobject).rows = {}
        org.table(sobject).build_indexes()
