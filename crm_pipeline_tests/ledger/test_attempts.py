"""An operation is tried as often as its topic says."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from crm_pipeline.database.statements import statement
from crm_pipeline.ledger.intents import record_intents
from crm_pipeline.ledger.outcomes import Failed, record_failed
from crm_pipeline.ledger.records import RecordWant, Target, intents_of
from crm_pipeline_tests.ledger.conftest import ACCOUNT

PAUSE = 300


def wanted(ledger: Connection, attempts: int) -> int:
    """A record that is tried so often in all; its operation."""
    target = Target("Badge__c", ("Badge_Key__c", "1"))
    at = datetime(2026, 1, 1, tzinfo=UTC)
    want = RecordWant("badge:1", "badges", at, target, {"Level__c": 1}, attempts=attempts)
    intents = intents_of(ledger, ACCOUNT, [want])
    record_intents(ledger, ACCOUNT, flow="badges", cycle_id=1, intents=intents)
    return int(ledger.scalar(text("SELECT operation_id FROM crm.operation")) or 0)


def fail(ledger: Connection, operation: int, attempts: int | None = 1) -> str:
    """Records a failure; the state that follows."""
    failed = [Failed(operation, "X", "refused", attempts)]
    record_failed(ledger, 1, failed, backoff_seconds=PAUSE)
    return str(standing(ledger).state)


def standing(ledger: Connection) -> Any:
    return ledger.execute(
        text("SELECT state, attempts_left, next_attempt_at FROM crm.operation")
    ).one()


@pytest.mark.parametrize("attempts", [5, 30])
def test_all_tries_are_used_one_by_one(ledger: Connection, attempts: int) -> None:
    operation = wanted(ledger, attempts)
    states = [fail(ledger, operation) for _ in range(attempts)]
    assert states == ["failed"] * (attempts - 1) + ["exhausted"]
    assert standing(ledger)[:2] == ("exhausted", 0)


@pytest.mark.parametrize("attempts", [5, 30])
def test_the_hopeless_is_not_tried_again_however_many_are_left(
    ledger: Connection, attempts: int
) -> None:
    assert fail(ledger, wanted(ledger, attempts), None) == "exhausted"
    assert standing(ledger)[:2] == ("exhausted", 0)


@pytest.mark.parametrize("attempts", [5, 30])
def test_pauses_grow_from_the_first_and_stay_within_days(ledger: Connection, attempts: int) -> None:
    operation = wanted(ledger, attempts)
    pauses = []
    for _ in range(attempts - 1):
        fail(ledger, operation)
        pauses.append(standing(ledger).next_attempt_at - datetime.now(UTC))
    assert timedelta(seconds=0.7 * PAUSE) < pauses[0] < timedelta(seconds=1.3 * PAUSE)
    assert pauses[3] > 5 * pauses[0]
    assert max(pauses) < timedelta(days=2)


@pytest.mark.parametrize(
    ("target", "publishing"),
    [(Target("Badge__c"), ()), (Target("Call__e", ("Key__c", "1")), ("badges",))],
)
def test_a_record_that_a_lost_answer_would_make_twice_is_refused(
    ledger: Connection, target: Target, publishing: tuple[str, ...]
) -> None:
    want = RecordWant("badge:1", "badges", datetime(2026, 1, 1, tzinfo=UTC), target, {})
    with pytest.raises(ValueError, match="of the topic badges has"):
        intents_of(ledger, ACCOUNT, [want], publishing=publishing)


@pytest.mark.parametrize("attempts", [5, 30])
def test_requeued_it_has_all_of_them_again(ledger: Connection, attempts: int) -> None:
    operation = wanted(ledger, attempts)
    fail(ledger, operation, None)
    parameters = {"account_id": ACCOUNT, "operation_ids": [operation]}
    ledger.execute(statement("operations/requeue"), parameters)
    assert standing(ledger)[:2] == ("failed", attempts)
