"""One person, two addresses: registered with one, joined with another."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from crm_pipeline.accounts.store import get_account
from crm_pipeline.inbound.erasing import traces_of
from crm_pipeline.inbound.tombstones import hasher_of
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.flows.webinars.warehouse import LONG_AGO, add_person, attend, register

HOME = "b@home.example"


def joins_as(bench: Bench, attendance: int, address: str) -> None:
    bench.connection.execute(
        text("UPDATE warehouse.attendance SET joined_as = :address WHERE attendance_id = :number"),
        {"address": address, "number": attendance},
    )


def leads(bench: Bench) -> dict[str, int]:
    """How many activities each lead has, by address."""
    return {
        each["Email"]: sum(event["WhoId"] == each["Id"] for event in bench.records("Event"))
        for each in bench.records("Lead")
    }


def is_now_at(bench: Bench, person: int, address: str, minute: int) -> None:
    asked: dict[str, Any] = {"at": LONG_AGO + timedelta(minutes=minute), "person": person}
    bench.connection.execute(
        text(
            "UPDATE warehouse.person SET email = :address, shipped_at = :at"
            " WHERE person_id = :person"
        ),
        {**asked, "address": address},
    )


def test_what_comes_with_the_other_address_is_theirs_where_the_account_says_so(
    bench: Bench,
) -> None:
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    attend(bench.connection, 1, 1)
    joins_as(bench, 1, f" {HOME.upper()} ")
    report = bench.cycle()
    assert leads(bench) == {"p1@example.com": 2}
    assert "another address than the registrant's: 1" in report.notes
    bench.settings(alias="follow")
    assert "registrant's" not in bench.cycle().notes
    # They register again with it, under another id of the platform.
    add_person(bench.connection, 2, HOME, shipped_at=LONG_AGO + timedelta(minutes=5))
    register(bench.connection, 2, 2, session=2, minute=5)
    bench.cycle()
    assert leads(bench) == {"p1@example.com": 3}
    assert bench.cycle().counts.api_calls == 0

    # A removal by either address is one of the person.
    hasher = hasher_of(bench.connection, get_account(bench.connection, ACCOUNT))
    found = [traces_of(bench.connection, hasher, each) for each in (HOME, "p1@example.com")]
    assert [each.addresses for each in found] == [(HOME, "p1@example.com")] * 2
    assert found[0].person_keys == found[1].person_keys != ()
    bench.connection.rollback()

    # It becomes the only one.
    is_now_at(bench, 1, HOME, 10)
    bench.cycle()
    assert leads(bench) == {HOME: 3}
    assert bench.cycle().counts.api_calls == 0


def test_an_address_that_is_somebody_elses_stays_theirs_and_is_told(bench: Bench) -> None:
    bench.settings(alias="follow")
    for person in (1, 2):
        add_person(bench.connection, person)
        register(bench.connection, person, person)
    bench.cycle()
    attend(bench.connection, 1, 1, minute=1)
    joins_as(bench, 1, "p2@example.com")
    report = bench.cycle()
    assert leads(bench) == {"p1@example.com": 2, "p2@example.com": 1}
    assert "an address that is somebody else's: 1, such as person:" in report.notes
    register(bench.connection, 3, 2, session=2, minute=2)
    bench.cycle()
    assert leads(bench) == {"p1@example.com": 2, "p2@example.com": 2}
