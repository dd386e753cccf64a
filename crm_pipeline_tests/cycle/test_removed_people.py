"""People who are removed are not sent, nor read again, whenever that was asked for."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.store import get_account
from crm_pipeline.database.engines import engine
from crm_pipeline.inbound.tombstones import bury, hasher_of
from crm_pipeline.ledger.lock import account_lock
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.cycle.tapped import Tap, tapped
from crm_pipeline_tests.flows.webinars.warehouse import (
    LONG_AGO,
    add_person,
    attend,
    register,
)

CANARY = "canary@example.com"


def bury_now(address: str = CANARY, **how: int) -> float:
    """Sets a tombstone as the listener does, and returns when that was committed."""
    with engine("pipeline").begin() as connection:
        bury(
            connection,
            hasher_of(connection, get_account(connection, ACCOUNT)),
            address,
            "erase",
            for_minutes=how.get("for_minutes"),
        )
    return time.monotonic()


def change_person(bench: Bench, person: int, column: str, value: str) -> None:
    """The warehouse has another value of somebody, shipped five minutes past noon."""
    bench.connection.execute(
        text(
            f"UPDATE warehouse.person SET {column} = :value, shipped_at = :at"
            " WHERE person_id = :person"
        ),
        {"value": value, "at": LONG_AGO + timedelta(minutes=5), "person": person},
    )


def stored(bench: Bench, text_: str) -> list[str]:
    """The columns of the pipeline's own tables that have a text in them."""
    columns = bench.connection.execute(
        text(
            "SELECT table_schema || '.' || table_name AS name, column_name"
            " FROM information_schema.columns JOIN information_schema.tables"
            " USING (table_schema, table_name)"
            " WHERE table_schema IN ('crm', 'platform_inbox') AND table_type = 'BASE TABLE'"
            " AND data_type IN ('text', 'jsonb', 'ARRAY')"
        )
    ).all()
    found = [
        f"{row.name}.{row.column_name}"
        for row in columns
        if bench.connection.scalar(
            text(
                f"SELECT count(*) FROM {row.name}"
                f" WHERE CAST({row.column_name} AS text) ILIKE '%' || :text || '%'"
            ),
            {"text": text_},
        )
    ]
    bench.connection.rollback()
    return sorted(found)


@pytest.fixture
def tap(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tap]:
    with tapped(monkeypatch) as tap:
        yield tap


@pytest.mark.parametrize("written", [CANARY, " Canary@EXAMPLE.com "])
def test_a_row_about_somebody_who_was_removed_is_read_without_them(
    bench: Bench, tap: Tap, written: str
):
    add_person(bench.connection, 1, written, first_name="Canarina", phone_1="+44 20 7946 0958")
    add_person(bench.connection, 2)
    for number in (1, 2):
        register(bench.connection, number, number)
        attend(bench.connection, number, number)
    bench.connection.commit()
    bury_now()
    report = bench.cycle()
    assert report.state == "Complete"
    assert [lead["Email"] for lead in bench.records("Lead")] == ["p2@example.com"]
    assert report.tally["filtered_leads", "rejected: removed on request"] == 2
    assert bench.states() == {
        "person:p2@example.com": "done",
        "registration:1": "rejected",
        "registration:2": "done",
        "attendance:1": "rejected",
        "attendance:2": "done",
    }
    assert not any(stored(bench, each) for each in ("canary", "canarina", "7946"))
    assert not tap.naming("canar")


def test_with_campaigns_too(bench: Bench, tap: Tap):
    bench.settings(campaigns={})
    add_person(bench.connection, 1, CANARY)
    register(bench.connection, 1, 1)
    bench.connection.commit()
    bury_now()
    assert bench.cycle().state == "Complete"
    assert bench.records("CampaignMember") == []
    assert not stored(bench, "canary")
    assert not tap.naming("canary")


def test_a_plus_part_is_another_person_unless_the_account_says_otherwise(bench: Bench):
    add_person(bench.connection, 1, "canary+a@example.com")
    register(bench.connection, 1, 1)
    bench.connection.commit()
    bury_now()
    bench.cycle()
    assert len(bench.records("Lead")) == 1


def test_without_plus_parts_where_the_account_says_so(bench: Bench):
    bench.settings(inbound={"ignore_plus_parts": True})
    add_person(bench.connection, 1, "canary+a@example.com")
    register(bench.connection, 1, 1)
    bench.connection.commit()
    bury_now()
    bench.cycle()
    assert bench.records("Lead") == []


def test_an_address_that_somebody_takes_is_not_kept(bench: Bench, tap: Tap):
    """The one who has an address now is asked of the warehouse where another comes to it."""
    for number in (1, 2):
        add_person(bench.connection, number)
        register(bench.connection, number, number)
    bench.cycle()
    bury_now()
    change_person(bench, 1, "email", CANARY)
    change_person(bench, 2, "email", "p1@example.com")
    assert bench.cycle().state == "Complete"
    assert not stored(bench, "canary")
    assert not tap.naming("canary")


def test_one_for_a_time_holds_for_good_once_a_row_came(bench: Bench):
    add_person(bench.connection, 1, CANARY)
    register(bench.connection, 1, 1)
    bench.connection.commit()
    bury_now(for_minutes=120)
    bench.cycle()
    assert bench.connection.scalar(text("SELECT expires_at FROM crm.erased")) is None
    bench.connection.rollback()
    change_person(bench, 1, "first_name", "Again")
    bench.cycle()
    assert bench.records("Lead") == []


def test_what_waits_of_somebody_is_withdrawn(bench: Bench, tap: Tap):
    add_person(bench.connection, 1, CANARY, country_code="Atlantis")
    add_person(bench.connection, 2)
    for number in (1, 2):
        register(bench.connection, number, number)
    bench.cycle()
    assert bench.states()["person:canary@example.com"] == "exhausted"
    bench.connection.execute(
        text(
            "UPDATE crm.operation SET state = 'failed', attempts_left = 5 WHERE state = 'exhausted'"
        )
    )
    bench.connection.commit()
    committed = bury_now()
    assert bench.cycle().state == "Complete"
    assert bench.states()["person:canary@example.com"] == "rejected"
    assert not tap.naming("canary", committed)


def test_what_was_sent_without_an_answer_is_not_looked_up_by_the_address(bench: Bench, tap: Tap):
    add_person(bench.connection, 1, CANARY)
    register(bench.connection, 1, 1)
    bench.fault("composite", "reset_after", nth=2)
    bench.cycle()
    assert bench.states()["person:canary@example.com"] == "in_flight"
    committed = bury_now()
    bench.cycle()
    assert not tap.naming("canary", committed)
    assert bench.states()["person:canary@example.com"] == "dropped"


@pytest.mark.parametrize(
    ("route", "number"),
    [*(("composite", number) for number in (1, 2, 3)), *(("bulk", n) for n in (1, 2, 3, 4, 6))],
)
def test_no_request_that_begins_after_a_tombstone_names_the_person(
    bench: Bench, tap: Tap, route: str, number: int
):
    """A removal is asked for while the nth request of a cycle is under way."""
    bench.settings(route=route)
    for person in range(1, 8):
        add_person(bench.connection, person, CANARY if person == 4 else None)
        register(bench.connection, person, person)
    asked: list[float] = []
    count = 0

    def during(_: str) -> None:
        nonlocal count
        count += 1
        if count == number:
            asked.append(bury_now())

    tap.during = during
    assert bench.cycle().state == "Complete"
    assert len(asked) == 1
    assert not tap.naming(CANARY, asked[0])
    others = {f"p{person}@example.com" for person in range(1, 8) if person != 4}
    assert {lead["Email"] for lead in bench.records("Lead")} - {CANARY} == others
    assert len(bench.records("Event")) - len(others) in (0, 1)


def test_a_text_of_somebody_else_that_names_the_person_stops_nobody(bench: Bench, tap: Tap):
    add_person(bench.connection, 1, first_name=f"Ask {CANARY}")
    add_person(bench.connection, 2)
    for number in (1, 2):
        register(bench.connection, number, number)
    bench.connection.commit()
    bury_now()
    assert bench.cycle().state == "Complete"
    leads = [(lead["Email"], lead["FirstName"]) for lead in bench.records("Lead")]
    assert leads == [("p1@example.com", "Ask [removed]"), ("p2@example.com", "First 2")]
    assert not tap.naming("canary")


def test_without_tombstones_no_request_waits_and_none_is_made(bench: Bench, tap: Tap):
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.cycle()
    assert bench.connection.scalar(text("SELECT count(*) FROM crm.hash_key")) == 0
    bench.connection.rollback()
    with account_lock(bench.connection.engine, ACCOUNT) as connection:
        assert connection is not None


def test_locks_are_given_back(bench: Bench, pipeline: Engine):
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.cycle()
    with pipeline.connect() as connection:
        held = connection.scalar(
            text(
                "SELECT count(*) FROM pg_locks JOIN pg_database AS d ON d.oid = database"
                " WHERE locktype = 'advisory' AND d.datname = current_database()"
            )
        )
    assert held == 0
