"""Recording what a flow wants, as often as it reads it."""

from collections import Counter
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from crm_pipeline.ledger.intents import Intent, Recorded, record_intents
from crm_pipeline_tests.ledger.conftest import ACCOUNT, activity, operations


def record(connection: Connection, *intents: Intent) -> Recorded:
    recorded = record_intents(connection, ACCOUNT, flow="webinars", cycle_id=1, intents=intents)
    connection.commit()
    return recorded["activity"]


def set_state(connection: Connection, state: str) -> None:
    connection.execute(text("UPDATE crm.operation SET state = :state"), {"state": state})
    connection.commit()


def test_an_intent_becomes_a_pending_operation(ledger: Connection) -> None:
    assert record(ledger, activity()) == Recorded(new=1)
    assert operations(ledger) == [("registration:1", 1, "pending")]


def test_the_same_intent_again_changes_nothing(ledger: Connection) -> None:
    record(ledger, activity())
    assert record(ledger, activity()) == Recorded(unchanged=1)
    assert record(ledger, activity(minute=5)) == Recorded(unchanged=1)
    assert operations(ledger) == [("registration:1", 1, "pending")]


def test_a_changed_one_supersedes_what_still_waits(ledger: Connection) -> None:
    record(ledger, activity())
    assert record(ledger, activity(minute=5, Description="more chat")) == Recorded(changed=1)
    assert operations(ledger) == [
        ("registration:1", 1, "superseded"),
        ("registration:1", 2, "pending"),
    ]


def test_a_changed_one_leaves_what_is_done_or_in_flight_alone(ledger: Connection) -> None:
    for state in ("done", "in_flight"):
        record(ledger, activity(f"registration:{state}"))
        set_state(ledger, state)
        record(ledger, activity(f"registration:{state}", minute=5, Description="more chat"))
        assert operations(ledger)[-2:] == [
            (f"registration:{state}", 1, state),
            (f"registration:{state}", 2, "pending"),
        ]


def test_an_older_one_never_replaces_a_newer(ledger: Connection) -> None:
    record(ledger, activity(minute=5, Description="newer"))
    assert record(ledger, activity(minute=1, Description="older")) == Recorded(unchanged=1)
    assert operations(ledger) == [("registration:1", 1, "pending")]


def test_what_goes_back_to_an_earlier_value_is_a_change(ledger: Connection) -> None:
    record(ledger, activity(Description="a"))
    record(ledger, activity(minute=1, Description="b"))
    assert record(ledger, activity(minute=2, Description="a")) == Recorded(changed=1)
    assert operations(ledger)[-1] == ("registration:1", 3, "pending")


def test_a_rejected_one_is_recorded_with_its_reason_and_may_be_accepted_later(
    ledger: Connection,
) -> None:
    rejected = replace(activity(), rejected_because="filtered")
    assert record(ledger, rejected) == Recorded(rejected=Counter(filtered=1))
    assert record(ledger, rejected) == Recorded(unchanged=1)
    assert operations(ledger) == [("registration:1", 1, "rejected")]
    assert record(ledger, activity()) == Recorded(changed=1)
    assert operations(ledger)[-1] == ("registration:1", 2, "pending")


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 9), st.sampled_from("abc"))))
def test_however_rows_arrive_the_newest_that_was_said_stands_last(
    ledger: Connection, rows: list[tuple[int, int, str]]
) -> None:
    ledger.execute(text("DELETE FROM crm.operation"))
    for number, minute, said in rows:
        record(ledger, activity(f"registration:{number}", minute=minute, Description=said))
    for number in {row[0] for row in rows}:
        newest = max(minute for n, minute, _ in rows if n == number)
        said_last = [said for n, minute, said in rows if n == number and minute == newest][-1]
        latest = ledger.execute(
            text(
                "SELECT intent ->> 'Description' FROM crm.operation WHERE natural_key = :key"
                " ORDER BY version DESC LIMIT 1"
            ),
            {"key": f"registration:{number}"},
        ).scalar_one()
        assert latest == said_last
    states = [state for _, _, state in operations(ledger)]
    assert states.count("pending") == len({row[0] for row in rows})


@pytest.mark.parametrize("place", [0, 4, 5])
def test_one_that_postgresql_takes_in_no_form_is_found_and_rejected_alone(
    ledger: Connection, place: int
) -> None:
    no_index_holds_it = "".join(sha256(bytes([n])).hexdigest() for n in range(200))
    odd = [no_index_holds_it, "registration:\0", "registration:x"]
    given_intents = [replace(activity(), natural_key=f"registration:{n}") for n in range(8)]
    given_intents[place] = replace(activity(), natural_key=odd[place % 3])

    recorded = record(ledger, *given_intents)

    rejected = 0 if place % 3 == 2 else 1
    assert (recorded.new, recorded.rejected.total()) == (8 - rejected, rejected)
    states = [state for _, _, state in operations(ledger)]
    assert (states.count("pending"), states.count("rejected")) == (8 - rejected, rejected)
