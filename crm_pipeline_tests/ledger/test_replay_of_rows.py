"""Rows that are to be read again, as the ledger keeps them."""

from sqlalchemy import Connection

from crm_pipeline.flows.webinars.lasting import let_older_rows_count
from crm_pipeline.ledger.intents import record_intents
from crm_pipeline.ledger.people import Sighting, identify
from crm_pipeline.ledger.replay import replay_rows, rows_to_replay, rows_were_replayed
from crm_pipeline_tests.ledger.conftest import ACCOUNT, NOON, activity

FLOW = "webinars"


def test_what_was_asked_for_while_rows_were_read_stays_to_be_read(ledger: Connection) -> None:
    replay_rows(ledger, ACCOUNT, FLOW, {"registrations": [1, 2], "attendances": [3]})
    replay_rows(ledger, ACCOUNT, FLOW, {"registrations": [4]}, ["person"])
    taken = rows_to_replay(ledger, ACCOUNT, FLOW)
    replay_rows(ledger, ACCOUNT, FLOW, {"registrations": [5]}, ["person"])
    rows_were_replayed(ledger, ACCOUNT, FLOW, taken, ["registrations"])
    left = rows_to_replay(ledger, ACCOUNT, FLOW)
    assert left.whole == {"attendances": [3]}
    assert left.parts == {frozenset(["person"]): {"registrations": [5]}}


def test_a_row_counts_no_less_for_what_is_older_than_what_is_known_of_it(
    ledger: Connection,
) -> None:
    people = identify(ledger, ACCOUNT, [Sighting("p1", "a@example.com", NOON)], lambda _: ())
    [person] = people.values()
    rows = [activity(f"registration:{number}", minute=number) for number in (1, 2)]
    for each in rows:
        each.person_key = person
    record_intents(ledger, ACCOUNT, flow=FLOW, cycle_id=1, intents=rows)
    refused = activity("registration:2", minute=1)
    refused.person_key, refused.rejected_because = None, "cancelled"
    assert not let_older_rows_count(ledger, ACCOUNT, [refused])
    refused.as_of = rows[1].as_of
    assert let_older_rows_count(ledger, ACCOUNT, [refused])
    assert rows_to_replay(ledger, ACCOUNT, FLOW).parts == {
        frozenset(["activity", "person"]): {"registrations": [1]}
    }
