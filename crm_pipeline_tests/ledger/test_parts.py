"""The parts of one person that several flows want go together."""

from datetime import UTC, datetime, timedelta
from typing import Any

from crm_pipeline.ledger.intents import Intent
from crm_pipeline.ledger.parts import Latest, joined

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def wanted(minute: int = 0, *, soft: tuple[str, ...] | None = None, **lead: Any) -> Intent:
    fields: dict[str, Any] = {"Lead": lead, "Contact": {}}
    if soft is not None:
        fields["unless_edited"] = list(soft)
    return Intent("person:7", "person", 7, NOON + timedelta(minutes=minute), fields)


def known(intent: Intent, flow: str) -> Latest:
    return Latest(intent.natural_key, flow, intent.as_of, intent.fields, intent.memory)


def test_both_want_their_fields_and_what_is_wanted_softly_gives_way() -> None:
    first = wanted(FirstName="Bob", Phone="1")
    both = joined(
        wanted(5, soft=("FirstName", "City"), FirstName="Robert", City="Bonn", Source__c="google"),
        "attribution",
        known(first, "webinars"),
    )
    assert both.fields["Lead"] == {
        "FirstName": "Bob",
        "Phone": "1",
        "City": "Bonn",
        "Source__c": "google",
    }
    assert both.fields["unless_edited"] == ["City"]
    assert both.as_of == NOON + timedelta(minutes=5)


def test_an_older_word_of_one_flow_is_taken_though_another_spoke_since() -> None:
    both = joined(
        wanted(0, soft=(), Source__c="google"),
        "attribution",
        known(wanted(9, Phone="1"), "webinars"),
    )
    assert both.fields["Lead"] == {"Phone": "1", "Source__c": "google"}
    assert both.as_of == NOON + timedelta(minutes=9)


def test_a_flow_that_speaks_again_replaces_its_own_part_only() -> None:
    one = wanted(0, soft=(), Source__c="google")
    two = joined(wanted(1, Phone="1", Title="Dr"), "webinars", known(one, "attribution"))
    three = joined(wanted(2, Phone="2"), "webinars", known(two, "webinars"))
    assert three.fields["Lead"] == {"Phone": "2", "Source__c": "google"}


def test_what_is_older_than_the_same_flows_word_changes_nothing() -> None:
    one = joined(wanted(5, soft=(), Source__c="new"), "attribution", known(wanted(), "webinars"))
    again = joined(wanted(1, soft=(), Source__c="old"), "attribution", known(one, "attribution"))
    assert again.fields == one.fields


def test_what_is_to_be_heard_anew_is_older_than_whatever_is_said() -> None:
    """A person with another address: registrations of long ago count again."""
    one = joined(wanted(5, soft=(), Source__c="google"), "attribution", known(wanted(), "webinars"))
    forgotten = Latest(
        "person:7", "attribution", datetime(1700, 1, 1, tzinfo=UTC), one.fields, one.memory
    )
    two = joined(wanted(-60, Phone="3"), "webinars", forgotten)
    assert two.fields["Lead"] == {"Phone": "3", "Source__c": "google"}


def test_the_same_said_again_reads_the_same() -> None:
    one = joined(wanted(5, soft=(), Source__c="google"), "attribution", known(wanted(), "webinars"))
    two = joined(wanted(7, soft=(), Source__c="google"), "attribution", known(one, "attribution"))
    assert two.fields == one.fields
