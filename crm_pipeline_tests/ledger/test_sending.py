"""Notes before something is sent, and what a lost answer or a dead process leaves."""

import pytest
from sqlalchemy import Connection, Engine, text

from crm_pipeline.ledger.due import lost_operations
from crm_pipeline.ledger.intents import record_intents
from crm_pipeline.ledger.lock import account_lock
from crm_pipeline.ledger.outcomes import (
    Done,
    Failed,
    back_to_pending,
    end_sending,
    note_sending,
    record_done,
    record_failed,
)
from crm_pipeline_tests.ledger.conftest import ACCOUNT, activity, operations


def sending(ledger: Connection, number: int) -> list[int]:
    """Operations that are noted as being sent; their ids."""
    intents = [activity(f"registration:{each}") for each in range(1, number + 1)]
    record_intents(ledger, ACCOUNT, flow="webinars", cycle_id=1, intents=intents)
    ids = list(ledger.scalars(text("SELECT operation_id FROM crm.operation ORDER BY operation_id")))
    note_sending(ledger, ACCOUNT, 1, {("Event", "create"): ids}, "composite")
    ledger.commit()
    return ids


def states(ledger: Connection) -> list[str]:
    return [state for _, _, state in operations(ledger)]


def test_what_a_dead_process_was_sending_is_in_flight_for_the_next_holder_of_the_lock(
    ledger: Connection, pipeline: Engine
) -> None:
    answered, *_ = sending(ledger, 3)
    # An activity is sought under its person, whose record is known.
    ledger.execute(
        text(
            "INSERT INTO crm.identity"
            " (account_id, person_key, address, sobject, salesforce_id, reason, sent, as_of)"
            " VALUES (:account, 1, 'p1@example.com', 'Lead', '00Q000000000001AAA', 'new', '{}',"
            " now())"
        ),
        {"account": ACCOUNT},
    )
    done = Done(answered, "Event", "create", "00U000000000001AAA", "new")
    record_done(ledger, 1, [done])
    ledger.commit()

    with account_lock(pipeline, ACCOUNT) as connection:
        assert connection is not None
        lost = lost_operations(connection, ACCOUNT, grace_seconds=0, limit=10)

    assert states(ledger) == ["done", "in_flight", "in_flight"]
    assert {(each.sobject, each.action) for each in lost} == {("Event", "create")}


def test_only_what_has_no_answer_is_in_flight_when_sending_ends(ledger: Connection) -> None:
    _, unanswered, _ = sending(ledger, 3)

    end_sending(ledger, ACCOUNT, [unanswered])

    assert states(ledger) == ["pending", "in_flight", "pending"]


def test_what_is_in_flight_was_sent_when_the_request_went_out(ledger: Connection) -> None:
    [operation_id] = sending(ledger, 1)
    noted = ledger.scalar(text("SELECT sent_at FROM crm.sending"))

    end_sending(ledger, ACCOUNT, [operation_id])

    assert ledger.scalar(text("SELECT sent_at FROM crm.operation")) == noted


def test_another_account_s_sending_is_left_alone(ledger: Connection, pipeline: Engine) -> None:
    sending(ledger, 1)

    with account_lock(pipeline, "other"):
        pass

    assert states(ledger) == ["pending"]


@pytest.mark.parametrize("outcome", ["not there", "refused"])
@pytest.mark.parametrize(
    ("newer", "state"),
    [
        ("pending", "superseded"),
        ("left_out", "superseded"),
        ("dropped", "superseded"),
        ("superseded", "sent again"),
    ],
)
def test_what_a_newer_version_has_overtaken_is_sent_no_more(
    ledger: Connection, newer: str, state: str, outcome: str
) -> None:
    """One that is left out, or was dropped, says what is wanted all the same."""
    [first] = sending(ledger, 1)
    end_sending(ledger, ACCOUNT, [first])
    intents = [activity(minute=1, Subject="Newer")]
    record_intents(ledger, ACCOUNT, flow="webinars", cycle_id=1, intents=intents)
    second = text("UPDATE crm.operation SET state = :state WHERE version = 2")
    ledger.execute(second, {"state": newer})
    if outcome == "refused":
        record_failed(ledger, 1, [Failed(first, "X", "refused", 1)], backoff_seconds=300)
    else:
        back_to_pending(ledger, [first])
    again = "failed" if outcome == "refused" else "pending"
    assert states(ledger) == [again if state == "sent again" else state, newer]
