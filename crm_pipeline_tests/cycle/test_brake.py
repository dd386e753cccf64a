"""A cycle that would do far more than usual sends nothing before a person has decided."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.accounts.limits import Limits
from crm_pipeline.cadence.due import due_accounts
from crm_pipeline.cycle.brake import beyond
from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline.cycle.plan import planned
from crm_pipeline.cycle.planning import Planning
from crm_pipeline.database.engines import engine
from crm_pipeline.database.statements import statement
from crm_pipeline.flows.registry import FLOWS
from crm_pipeline.ledger import holds
from crm_pipeline.ledger.codes import OwnCode
from crm_pipeline.ledger.decided import requeue
from crm_pipeline.ledger.holds import NewRows, Usual
from crm_pipeline.ledger.lock import account_lock
from crm_pipeline.ledger.plans import departures_of, kept_plans
from crm_pipeline.report import CycleReport
from crm_pipeline.settings import settings
from crm_pipeline_tests.cycle.attribution.test_walk_of_deals import dies_at
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.cycle.plans import applied, plan_of
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

FEW: dict[str, Any] = {
    "changed_people": 1,
    "new_people": 2,
    "times_usual": 0.1,
    "deletions": 1,
    "rejections": 2,
}
"""Limits for a handful of people."""


@pytest.fixture
def served(bench: Bench) -> Bench:
    """An account with limits for a handful of people, of whom three are in the org."""
    bench.settings(limits=FEW, cancelled_activity="delete")
    come(bench, 1, 2, 3)
    assert bench.cycle().state == "Complete"
    return bench


def come(bench: Bench, *people: int, minute: float = 0, **columns: Any) -> None:
    """People register."""
    for person in people:
        add_person(bench.connection, person, **columns)
        register(bench.connection, person, person, minute=minute)


def is_said(bench: Bench, table: str, minute: int, said: str, of: str = "true") -> None:
    bench.connection.execute(
        text(
            f"UPDATE warehouse.{table} SET {said}, shipped_at = timestamptz '2026-03-01 12:00Z' +"
            f" make_interval(mins => {minute}) WHERE {of}"
        )
    )


def leads(bench: Bench) -> dict[str, str]:
    return {
        str(each["Email"]).partition("@")[0]: str(each["LastName"])
        for each in bench.records("Lead")
    }


def decide(how: str, why: str = "they are meant") -> int:
    """Approves or rejects what is held; how many operations were dropped."""
    dropped = 0
    with account_lock(engine("pipeline"), ACCOUNT) as connection:
        assert connection is not None
        held = holds.open_hold(connection, ACCOUNT)
        assert held is not None
        if how == "approve":
            holds.approve(connection, held, decided_by="Ann", why=why)
        else:
            dropped = holds.reject(connection, held, decided_by="Ann", why=why)
        connection.commit()
    return dropped


def test_the_first_load_is_never_held_and_healthy_cycles_are_not(served: Bench) -> None:
    come(served, 4, 5, minute=60)
    assert served.cycle().state == "Complete"
    assert len(leads(served)) == 5


def test_what_is_held_is_sent_when_it_is_approved_and_what_came_since_is_judged_by_itself(
    served: Bench,
) -> None:
    come(served, 4, 5, 6, minute=60)
    report = served.cycle()
    assert report.state == "Held"
    assert "3 people would be new (at most 2)" in report.reason
    assert "crm-pipeline approve acme" in report.remedy
    assert "load_results" not in report.done
    assert "lead_payloads" in report.done
    assert report.api_calls_by_kind.keys() <= {"limits", "login", "query", "describe"}
    come(served, 7, minute=120)
    assert served.cycle().state == "Held"
    assert len(leads(served)) == 3
    decide("approve")
    assert served.cycle().state == "Complete"
    assert sorted(leads(served)) == ["p1", "p2", "p3", "p4", "p5", "p6", "p7"]
    come(served, 8, 9, 10, minute=180)
    assert served.cycle().state == "Held"


def test_many_that_come_while_an_account_is_held_are_held_again(served: Bench) -> None:
    come(served, 4, 5, 6, minute=60)
    served.cycle()
    come(served, 7, 8, 9, minute=120)
    served.cycle()
    decide("approve")
    report = served.cycle()
    assert report.state == "Held"
    assert "3 people would be new" in report.reason
    assert len(leads(served)) == 3
    decide("approve")
    assert served.cycle().state == "Complete"
    assert len(leads(served)) == 9


def test_new_people_who_are_rejected_come_never_and_others_go_on(served: Bench) -> None:
    come(served, 4, 5, 6, minute=60)
    register(served.connection, 7, 1, 2, minute=61)
    served.cycle()
    assert decide("reject", "a list that was bought") == 3
    assert served.cycle().state == "Complete"
    assert len(leads(served)) == 3
    states = served.states()
    assert states["registration:7"] == "done"
    assert states["person:p4@example.com"] == "dropped"
    assert states["registration:4"] == "left_out"
    assert served.cycle().counts.api_calls == 0


def test_known_people_who_change_in_great_number_are_held(served: Bench) -> None:
    is_said(served, "person", 60, "surname = 'N/A'")
    assert "3 of 3 known people would change (at most 1)" in served.cycle().reason
    assert leads(served)["p1"] == "Last 1"
    assert decide("reject", "a broken export") == 3
    assert served.cycle().state == "Complete"
    assert leads(served)["p1"] == "Last 1"
    is_said(served, "person", 120, "surname = 'Mended'", "person_id = 1")
    assert served.cycle().state == "Complete"
    assert leads(served) == {"p1": "Mended", "p2": "Last 2", "p3": "Last 3"}


def test_deletions_in_great_number_are_held_and_come_back_where_they_were_wrong(
    served: Bench,
) -> None:
    is_said(served, "registration", 60, "status = 'cancelled'")
    assert "3 of 3 activities would be deleted (at most 1)" in served.cycle().reason
    assert len(served.records("Event")) == 3
    assert decide("reject") == 3
    assert served.cycle().state == "Complete"
    assert len(served.records("Event")) == 3
    is_said(served, "registration", 120, "status = 'approved'", "registration_id = 1")
    is_said(served, "registration", 180, "status = 'cancelled'", "registration_id = 2")
    assert served.cycle().state == "Complete"
    assert len(served.records("Event")) == 3, "the source says of 2 what was rejected"
    assert due_accounts(only_urgent=False) == []
    asked = {"account_id": ACCOUNT, "error_code": OwnCode.HOLD_REJECTED}
    with served.connection.begin():
        rejected = served.connection.scalars(statement("operations/failed_with_code"), asked).all()
        assert requeue(served.connection, ACCOUNT, rejected) == 2
    assert [each.account_id for each in due_accounts(only_urgent=False)] == [ACCOUNT]
    assert served.cycle().state == "Complete"
    assert len(served.records("Event")) == 1


def test_rows_that_are_rejected_in_great_number_hold_the_rest(served: Bench) -> None:
    come(served, 4, minute=60)
    come(served, 5, 6, 7, minute=60, email="")
    assert "3 of 4 new rows are rejected (at most 2)" in served.cycle().reason
    assert len(leads(served)) == 3
    decide("approve")
    assert served.cycle().state == "Complete"
    assert len(leads(served)) == 4


def test_people_who_were_left_out_are_held_when_the_account_makes_people_again(
    bench: Bench,
) -> None:
    bench.settings(limits=FEW, unknown_email="neither")
    come(bench, 1, 2, 3)
    assert bench.cycle().state == "Complete"
    come(bench, 4, minute=60)
    assert bench.cycle().state == "Complete"
    bench.settings(unknown_email="Lead")
    assert "4 people would be new (at most 2)" in bench.cycle().reason
    assert leads(bench) == {}
    decide("approve")
    assert bench.cycle().state == "Complete"
    assert len(leads(bench)) == len(bench.records("Event")) == 4
    assert bench.cycle().counts.api_calls == 0


def test_people_who_were_left_out_are_held_though_a_plan_sent_one_of_them(bench: Bench) -> None:
    bench.settings(limits=FEW, unknown_email="neither")
    come(bench, 1, 2, 3, 4)
    assert bench.cycle().state == "Complete"
    bench.settings(unknown_email="Lead")
    applied(bench, plan_of(bench, Planning(address="p1@example.com")))
    assert leads(bench).keys() == {"p1"}
    assert "3 people would be new (at most 2)" in bench.cycle().reason
    decide("reject")
    assert bench.cycle().state == "Complete"
    assert leads(bench).keys() == {"p1"}


def test_rows_of_which_all_are_rejected_are_told_though_nothing_is_left_to_be_sent(
    served: Bench,
) -> None:
    come(served, 4, 5, 6, minute=60, email="")
    report = served.cycle()
    assert (report.state, "3 of 3 new rows are rejected" in report.reason) == ("Held", True)
    assert served.cycle().state == "Complete", "nothing waits for a decision"
    come(served, 7, minute=120)
    assert served.cycle().state == "Complete"
    assert len(leads(served)) == 4


@pytest.mark.deep
def test_rows_that_are_rejected_while_an_account_is_held_hold_what_came_with_them(
    served: Bench,
) -> None:
    come(served, 4, 5, 6, minute=60)
    served.cycle()
    come(served, 7, minute=120)
    come(served, 8, 9, 10, minute=120, email="")
    served.cycle()
    decide("approve")
    assert "3 of 4 new rows are rejected (at most 2)" in served.cycle().reason
    assert len(leads(served)) == 3
    assert decide("reject", "a column that moved") == 2
    assert served.cycle().state == "Complete"
    assert sorted(leads(served)) == ["p1", "p2", "p3", "p4", "p5", "p6"]


@pytest.mark.deep
def test_an_account_of_which_something_fails_for_days_is_held_all_the_same(served: Bench) -> None:
    """It reads each day: no more has come together."""
    served.settings(engagement={})
    come(served, 4, minute=60)
    report = served.cycle()
    assert report.state == "Failed", "the org lacks the objects of the workflow"
    assert len(leads(served)) == 4
    served.connection.execute(
        text("UPDATE crm.sync_state SET complete_at = complete_at - interval '10 days'")
    )
    is_said(served, "person", 120, "surname = 'N/A'")
    report = served.cycle()
    assert "4 of 4 known people would change (at most 1)" in report.reason
    assert leads(served)["p1"] == "Last 1"


def test_the_first_load_ends_when_all_was_read_and_sent_though_something_else_fails(
    bench: Bench,
) -> None:
    bench.settings(limits=FEW, engagement={})
    come(bench, 1, 2, 3)
    assert bench.cycle().state == "Failed", "the org lacks the objects of the workflow"
    assert len(leads(bench)) == 3
    come(bench, 4, 5, 6, minute=60)
    assert "3 people would be new (at most 2)" in bench.cycle().reason
    assert len(leads(bench)) == 3


def test_a_plan_says_that_a_cycle_would_be_held_and_is_applied_all_the_same(served: Bench) -> None:
    come(served, 4, 5, 6, minute=60)
    served.connection.commit()
    with planned(ACCOUNT, Planning(), run_id="plan") as plan:
        assert "would be held: 3 people would be new (at most 2)" in plan.report.notes
    applied(served, plan_of(served))
    assert len(leads(served)) == 6
    assert served.cycle().state == "Complete"


def test_a_plan_of_what_is_held_is_compared_with_the_cycle_that_sends_it(served: Bench) -> None:
    come(served, 4, 5, 6, minute=60)
    assert served.cycle().state == "Held"
    plan_of(served)
    assert served.cycle().state == "Held"
    decide("approve")
    assert served.cycle().state == "Complete"
    [plan] = kept_plans(served.connection, ACCOUNT)
    assert (plan.as_planned, plan.explained, plan.unexplained) == (6, 0, 0)


def test_what_somebody_rejects_departs_from_its_plan_for_that(served: Bench) -> None:
    come(served, 4, 5, 6, minute=60)
    assert served.cycle().state == "Held"
    plan = plan_of(served)
    decide("reject")
    assert served.cycle().state == "Complete"
    came = [each.explanation for each in departures_of(served.connection, plan)]
    assert sorted(map(str, came)) == ["follows"] * 3 + ["rejected"] * 3


def test_a_hold_lapses_where_the_source_takes_back_what_it_said(served: Bench) -> None:
    is_said(served, "person", 60, "surname = 'N/A'")
    register(served.connection, 4, 1, 2, minute=61)
    assert served.cycle().state == "Held"
    is_said(served, "person", 120, "surname = 'Last ' || person_id")
    assert served.cycle().state == "Complete"
    assert leads(served) == {"p1": "Last 1", "p2": "Last 2", "p3": "Last 3"}
    assert served.states()["registration:4"] == "done"
    [past] = holds.last_holds(served.connection, ACCOUNT)
    assert (past.decision, past.why) == ("lapsed", "nothing of it waits any more")


@pytest.mark.deep
def test_a_hold_lapses_where_a_plan_has_sent_it(served: Bench) -> None:
    come(served, 4, 5, 6, minute=60)
    assert served.cycle().state == "Held"
    with planned(ACCOUNT, Planning(), run_id="plan") as plan:
        assert "would be held: 3 people would be new (at most 2)" in plan.report.notes
    applied(served, plan_of(served))
    assert len(leads(served)) == 6
    assert served.cycle().state == "Complete"


def test_what_a_cycle_that_was_killed_has_read_is_judged_by_the_next_one(served: Bench) -> None:
    come(served, 4, 5, 6, minute=60)
    served.cycle(frozenset(("registrations", "attendances", "filtered_leads", "lead_payloads")))
    report = served.cycle()
    assert report.state == "Held"
    assert len(leads(served)) == 3


@pytest.mark.deep
def test_a_process_may_die_anywhere_before_a_hold_and_nothing_is_sent(served: Bench) -> None:
    """Before each statement of the cycle that is to be held, and of the one after that."""
    served.settings(limits={**FEW, "times_usual": 0.001})
    person = 3
    for place in range(3, 120, 6):
        come(served, *range(person + 1, person + 4), minute=60 + place)
        served.connection.commit()
        for _ in range(2):
            with dies_at(place):
                served.cycle()
        assert served.cycle().state == "Held", place
        assert len(leads(served)) == person
        with served.connection.begin():
            [one] = served.connection.scalars(
                text("SELECT count(*) FROM crm.hold WHERE decision IS NULL")
            )
        assert one == 1
        decide("approve")
        assert served.cycle().state == "Complete"
        person += 3
        assert len(leads(served)) == person


def test_limits_that_are_switched_off_hold_nothing(served: Bench) -> None:
    off = {"changed_share": 0, "times_usual": 0, "deleted_share": 0, "rejected_share": 0}
    served.settings(limits={**FEW, **off})
    is_said(served, "person", 60, "surname = 'N/A'")
    is_said(served, "registration", 60, "status = 'cancelled'")
    come(served, 4, 5, 6, minute=60)
    come(served, 7, 8, 9, minute=60, email="")
    assert served.cycle().state == "Complete"


USUAL = Usual(10_000, 20.0, 1.0, 1_000, 50)


@pytest.mark.parametrize(
    ("usual", "numbers", "held"),
    [
        # 20 % of the known people and 500: both.
        (USUAL, {"changed": 2_000}, None),
        (USUAL, {"changed": 2_001}, 2_000),
        (USUAL._replace(known_people=100), {"changed": 100}, None),
        (USUAL._replace(known_people=600), {"changed": 501}, 500),
        # Ten times the mean of a day, and 1,000: both.
        (USUAL, {"new": 1_000}, None),
        (USUAL, {"new": 1_001}, 1_000),
        (USUAL._replace(new_people_a_day=500.0), {"new": 5_000}, None),
        (USUAL._replace(new_people_a_day=500.0), {"new": 5_001}, 5_000),
        # 100 deletions, and 2 % of what we made.
        (USUAL, {"deleted": {"activity": 100}, "made": {"activity": 300}}, None),
        (USUAL, {"deleted": {"activity": 101}, "made": {"activity": 300}}, 100),
        (USUAL, {"deleted": {"member": 2_000}, "made": {"member": 100_000}}, None),
        (USUAL, {"deleted": {"member": 2_001}, "made": {"member": 100_000}}, 2_000),
        # Of what usually comes through more than half is rejected.
        (USUAL._replace(rejected=0), {"rows": NewRows(1_000, 500)}, None),
        (USUAL._replace(rejected=0), {"rows": NewRows(1_000, 501)}, 500),
        (USUAL._replace(rejected=0), {"rows": NewRows(10, 10)}, None),
        (USUAL._replace(rejected=900), {"rows": NewRows(1_000, 940)}, None),
        (USUAL._replace(rejected=900), {"rows": NewRows(1_000, 951)}, 950),
        (USUAL._replace(row_count=0, rejected=0), {"rows": NewRows(1_000, 501)}, 500),
        # After ten days of trouble ten times as much may have come together.
        (USUAL._replace(days_since_read=10.0), {"new": 2_000, "changed": 10_000}, None),
        (USUAL._replace(days_since_read=10.0), {"new": 2_001}, 2_000),
    ],
)
def test_the_limits(usual: Usual, numbers: dict[str, Any], held: int | None) -> None:
    nothing = {"changed": 0, "new": 0, "deleted": {}, "made": {}, "rows": NewRows(0, 0)}
    found = beyond(Limits(), usual, **{**nothing, **numbers})
    assert [each.most for each in found] == ([] if held is None else [held])


@pytest.fixture
def piece(served: Bench, monkeypatch: pytest.MonkeyPatch) -> Callable[[], CycleReport]:
    """A cycle that reads one new row of each flow, and leaves the others to the next one."""
    monkeypatch.setenv("CHUNK_ROWS", "1")
    settings.cache_clear()
    flows = [replace(flow, share=1) for flow in FLOWS]

    def cycle() -> CycleReport:
        served.connection.commit()
        return sync_account(ACCOUNT, run_id="test", flows=flows)

    return cycle


def test_rows_that_are_rejected_piece_by_piece_are_added_up(
    served: Bench, piece: Callable[[], CycleReport]
) -> None:
    """Each piece alone is within the limit; nor do they make each other usual."""
    for minute, person in enumerate((4, 5, 6, 7, 8, 9), start=60):
        come(served, person, minute=minute, **({} if person in (6, 9) else {"email": ""}))
    assert piece().state == "Complete"
    report = piece()
    assert report.state == "Held"
    assert "4 of 6 new rows are rejected (at most 3), 2 of these read before" in report.reason
    decide("approve")
    while "reads on" in (report := piece()).notes:
        assert report.state == "Complete"
    assert report.state == "Complete"


def test_a_mass_change_that_comes_in_pieces_is_judged_as_a_whole(
    served: Bench, piece: Callable[[], CycleReport]
) -> None:
    """Each piece alone is within the limit; what comes after all was read is judged by itself."""
    cycle = piece
    is_said(served, "person", 60, "surname = 'Other'")
    assert cycle().state == "Complete"
    assert sorted(leads(served).values()) == ["Last 2", "Last 3", "Other"]
    report = cycle()
    assert report.state == "Held"
    assert "2 of 3 known people would change (at most 1), 1 of these let through" in report.reason
    decide("approve")
    while "reads on" in (report := cycle()).notes:
        assert report.state == "Complete"
    assert set(leads(served).values()) == {"Other"}
    for minute in (120, 180):
        is_said(served, "person", minute, f"surname = 'At {minute}'", "person_id = 1")
        assert cycle().state == "Complete"
        assert cycle().state == "Complete"
