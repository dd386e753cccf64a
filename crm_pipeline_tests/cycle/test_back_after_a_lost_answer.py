"""What the source takes back after a change whose answer was lost stands in the org in the end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from sqlalchemy import text

from crm_pipeline_tests.cycle.campaigns.scenes import one_registration, switch_on
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.depth import deep_but_first
from crm_pipeline_tests.flows.webinars.warehouse import LONG_AGO, add_person


class Change(NamedTuple):
    """A statement that sets a value of the source, and where it arrives in the org."""

    statement: str
    before: object
    after: object
    there: Callable[[Bench], Any]


def _address_of_activity(bench: Bench) -> str:
    leads = {lead["Id"]: lead["Email"] for lead in bench.records("Lead")}
    [activity] = bench.records("Event")
    address: str = leads[activity["WhoId"]]
    return address


CHANGES = {
    "a person's title": Change(
        "UPDATE warehouse.person SET job_title = :value, shipped_at = :at WHERE person_id = 1",
        "Analyst",
        "Director",
        lambda bench: bench.records("Lead")[0]["Title"],
    ),
    "a person's address": Change(
        "UPDATE warehouse.person SET email = :value, shipped_at = :at WHERE person_id = 1",
        "p1@example.com",
        "new@example.com",
        lambda bench: bench.records("Lead")[0]["Email"],
    ),
    "whose a registration is": Change(
        "UPDATE warehouse.registration SET person_id = :value, shipped_at = :at",
        1,
        2,
        _address_of_activity,
    ),
    "a member's status": Change(
        "UPDATE warehouse.registration SET status = :value, shipped_at = :at",
        "registered",
        "cancelled",
        lambda bench: bench.records("CampaignMember")[0]["Status"],
    ),
    "an event's name": Change(
        "UPDATE warehouse.event SET name = :value, shipped_at = :at",
        "Expo",
        "Summit",
        lambda bench: bench.records("Campaign")[0]["Name"],
    ),
}


@pytest.mark.parametrize("nth", deep_but_first(1, [2, 1, 3]))
@pytest.mark.parametrize("name", deep_but_first(2, CHANGES))
def test_what_is_taken_back_after_a_lost_answer_is_taken_back_in_the_org(
    bench: Bench, name: str, nth: int
) -> None:
    change = CHANGES[name]

    def ship(value: object, days: int) -> None:
        at = {"value": value, "at": LONG_AGO + timedelta(days=days)}
        bench.connection.execute(text(change.statement), at)

    switch_on(bench)
    one_registration(bench)
    add_person(bench.connection, 2)
    ship(change.before, 1)
    bench.cycle()
    before = change.there(bench)
    bench.fault("composite", "reset_after", nth=nth)
    ship(change.after, 2)
    bench.cycle()
    ship(change.before, 3)
    states = [bench.cycle().state for _ in range(4)]
    assert states[-1] == "Complete"
    assert change.there(bench) == before
    # Of the other person nothing is to be sent any more.
    assert set(bench.states().values()) <= {"done", "rejected"}
