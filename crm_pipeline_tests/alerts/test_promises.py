"""Promises that count as broken, and those that do not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crm_pipeline.alerts.promises import PromiseFacts, broken_promises, late_since

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def minutes_ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def standing(**facts: Any) -> PromiseFacts:
    made: dict[str, Any] = {"account_id": "acme", "name": "Acme", "created_at": minutes_ago(10_000)}
    return PromiseFacts(**made | facts)


@pytest.mark.parametrize(
    ("facts", "causes"),
    [
        ({}, []),
        ({"exhausted": 3}, ["exhausted retries"]),
        ({"refused": "INVALID_LOGIN"}, ["refused credentials"]),
        ({"hold_id": 1}, ["held"]),
        ({"failures": 2, "failed_reason": "The org is down"}, []),
        ({"failures": 3, "failed_reason": "The org is down"}, ["failing cycles"]),
        ({"failures": 3, "refused": "INVALID_LOGIN"}, ["refused credentials"]),
        ({"incidents": "STORAGE holds up Lead records"}, ["incident"]),
        ({"removals": 1, "removals_since": minutes_ago(59)}, []),
        ({"removals": 2, "removals_since": minutes_ago(61)}, ["overdue removals"]),
        ({"erased_in": "crm.person.address"}, ["erased people found"]),
        ({"paused": "until 2026-11-21 13:00 UTC by ann"}, ["alerts paused"]),
        ({"waiting_since": minutes_ago(59)}, []),
        ({"waiting_since": minutes_ago(61)}, ["late"]),
        ({"unread_since": minutes_ago(61)}, ["late"]),
        ({"unread_since": minutes_ago(61), "created_at": minutes_ago(30)}, []),
        ({"unread_since": minutes_ago(999), "created_at": minutes_ago(61)}, ["late"]),
        ({"waiting_since": minutes_ago(61), "exhausted": 1}, ["late", "exhausted retries"]),
    ],
)
def test_which_promises_are_broken(facts, causes):
    assert [a.cause for a in broken_promises([standing(**facts)], NOW, HOUR)] == causes


def test_a_chosen_number_replaces_the_declared_one():
    found = broken_promises([standing(exhausted=9)], NOW, HOUR, {"exhausted retries": 10})
    assert found == []
    found = broken_promises([standing(exhausted=10)], NOW, HOUR, {"exhausted retries": 10})
    assert [alert.detail for alert in found] == ["10"]


def test_the_oldest_record_counts_wherever_it_waits():
    waits = standing(waiting_since=minutes_ago(70), unread_since=minutes_ago(90))
    assert late_since(waits) == minutes_ago(90)


def test_an_alert_says_who_what_and_why_in_one_line():
    failed = standing(
        state="Failed", reason="The org does not answer", waiting_since=minutes_ago(90)
    )
    (alert,) = broken_promises([failed], NOW, HOUR)
    assert alert.message == (
        "Acme (acme): a record of 2026-11-21 10:30 UTC is not in Salesforce, "
        "60 minutes were promised: The org does not answer."
    )


def test_a_longer_wait_for_the_same_reason_is_the_same_alert():
    late = standing(state="Failed", reason="The org is down", unread_since=minutes_ago(90))
    (first,) = broken_promises([late], NOW, HOUR)
    (second,) = broken_promises([late], NOW + HOUR, HOUR)
    assert first.detail == second.detail


def test_a_reason_that_differs_in_numbers_alone_is_the_same_alert():
    """What an org has used is another number after each cycle."""
    said = "The org has used {} of its 15,000 API requests"
    told = []
    for reason in (said.format("14,100"), said.format("9"), "The org is down"):
        paused = standing(
            state="Paused",
            reason=reason,
            failures=3,
            failed_reason=reason,
            waiting_since=minutes_ago(90),
            removals=1,
            removals_since=minutes_ago(90),
        )
        told.append([alert.detail for alert in broken_promises([paused], NOW, HOUR)])
    assert told[0] == told[1]
    assert all(other != first for other, first in zip(told[2], told[0], strict=True))
