"""The walk through the places, as far as a test run has the time; `make chaos` visits all."""

import pytest

from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.installation import Installation
from crm_pipeline_tests.chaos.walk import BREAKAGES, Breakage, Place, Walk
from crm_pipeline_tests.depth import deep_but_for

KILLED_AFTER_THE_ORG_WORKED = next(
    each for each in BREAKAGES if each.name == "process killed after the org worked"
)
OTHERS = [each for each in BREAKAGES if each is not KILLED_AFTER_THE_ORG_WORKED]
SAMPLE = (
    "process killed after a database commit",
    "commit made, and the line cut before it says so",
    "line cut after the org worked",
    "one row of one call locked",
)
STEP = 16
"""Of the places where a fault can strike, every so many-th is visited."""


@pytest.fixture(scope="module")
def walk(installation: Installation) -> Walk:
    """The small case, counted."""
    return Walk(installation, "by composite calls")


def broken(walk: Walk, breakage: Breakage, places: list[Place]) -> str:
    """Findings after this happened at these places; empty if the promise holds."""
    found: dict[Place, Findings] = {place: walk.break_at(place, breakage) for place in places}
    return "\n".join(f"{place}:\n{findings}" for place, findings in found.items() if findings)


def broken_by(walk: Walk, kind: str, step: int) -> str:
    """Findings after this kind of fault at every so many-th place, of which there are some."""
    [breakage] = [each for each in BREAKAGES if each.name == kind]
    chosen = walk.places(breakage)[BREAKAGES.index(breakage) % step :: step]
    assert chosen
    return broken(walk, breakage, chosen)


@pytest.mark.parametrize(
    "breakage",
    deep_but_for(lambda each: each.name in SAMPLE, OTHERS),
    ids=lambda breakage: breakage.name,
)
def test_the_promise_holds_wherever_a_cycle_breaks(walk: Walk, breakage: Breakage) -> None:
    places = walk.places(breakage)
    first = BREAKAGES.index(breakage) % STEP
    chosen = places[first::STEP] or places[:1]
    assert not (said := broken(walk, breakage, chosen)), said


@pytest.mark.deep
def test_a_process_killed_at_any_call_leaves_no_second_record(walk: Walk) -> None:
    breakage = KILLED_AFTER_THE_ORG_WORKED
    assert not (said := broken(walk, breakage, walk.places(breakage))), said


def test_the_small_case_has_places_of_every_kind(walk: Walk) -> None:
    counted = {at: len(places) for at, places in walk.counted.places.items()}
    assert all(counted[at] > 10 for at in ("commit", "call", "inside")), counted
