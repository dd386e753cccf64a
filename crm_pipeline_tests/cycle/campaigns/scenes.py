"""Scenes of campaigns: rows and records that tests put there, and views of what came of them."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from crm_pipeline.local_org import dml
from crm_pipeline.local_org.transaction import WriteContext, committed
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.flows.webinars.warehouse import (
    CLIENT,
    LONG_AGO,
    add_person,
    insert,
    register,
)


def switch_on(bench: Bench, **chosen: Any) -> None:
    bench.settings(campaigns=chosen)


def event_id(bench: Bench) -> int:
    found: int = bench.connection.execute(
        text("SELECT min(event_id) FROM warehouse.event")
    ).scalar_one()
    return found


def one_registration(bench: Bench) -> None:
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)


def says(bench: Bench, registration: int, status: str, *, minute: float) -> None:
    """The registration has this status from now on, shipped `minute` past noon."""
    bench.connection.execute(
        text(
            "UPDATE warehouse.registration SET status = :status, shipped_at = :at"
            " WHERE registration_id = :registration"
        ),
        {
            "registration": registration,
            "status": status,
            "at": LONG_AGO + timedelta(minutes=minute),
        },
    )


def members(bench: Bench) -> list[tuple[str, bool]]:
    return [(each["Status"], each["HasResponded"]) for each in bench.records("CampaignMember")]


def delete(bench: Bench, sobject: str, record_id: str) -> None:
    """As people do in the org: the members go with their campaign."""
    with committed(WriteContext(bench.org, next(iter(bench.org.users.values())).id)) as context:
        assert dml.delete(bench.org, context, sobject, record_id).success


def add_events(bench: Bench, number: int) -> None:
    """So many further events, all of one name, and somebody registered for each of them."""
    first = event_id(bench)
    times = {"starts_at": LONG_AGO, "ends_at": LONG_AGO, "shipped_at": LONG_AGO}
    for n in range(number + 1):
        session = 1 if n == 0 else 10 + n
        if n:
            ours = {"event_id": first + n, "client_id": CLIENT, **times}
            insert(bench.connection, "event", name="Expo", **ours)
            insert(bench.connection, "event_session", event_session_id=session, title="S", **ours)
        add_person(bench.connection, n)
        register(bench.connection, n, n, session=session)


def ten_thousand_known_people(bench: Bench) -> None:
    """All registered for the event, and in the org and the ledger as if cycles had seen to it."""
    leads = [
        {"LastName": f"Last {n}", "Company": "C", "Email": f"p{n}@example.com"}
        for n in range(1, 10_001)
    ]
    ids = bench.admin("seed", Lead=leads)["Lead"]
    bench.connection.execute(
        text(
            "WITH p AS (INSERT INTO warehouse.person (person_id, client_id, email, shipped_at)"
            " SELECT n, :client, 'p' || n || '@example.com', :at"
            " FROM generate_series(1, 10000) AS n RETURNING person_id)"
            " INSERT INTO warehouse.registration (registration_id, client_id, event_session_id,"
            " person_id, status, registered_at, shipped_at)"
            " SELECT person_id, :client, 1, person_id, 'registered', :at, :at FROM p"
        ),
        {"client": CLIENT, "at": LONG_AGO},
    )
    bench.connection.execute(
        text(
            "WITH p AS (INSERT INTO crm.person (account_id, address, as_of)"
            " SELECT 'acme', 'p' || n || '@example.com', :at FROM generate_series(1, 10000) AS n"
            " RETURNING person_key, address)"
            " INSERT INTO crm.identity (account_id, person_key, address, sobject, salesforce_id,"
            " reason, sent, as_of)"
            " SELECT 'acme', p.person_key, p.address, 'Lead', id, 'new', '{}', :at"
            " FROM unnest(CAST(:ids AS text [])) WITH ORDINALITY AS lead (id, n)"
            " INNER JOIN p ON p.address = 'p' || n || '@example.com'"
        ),
        {"ids": ids, "at": LONG_AGO},
    )


def key(bench: Bench, person: int) -> str:
    return f"{event_id(bench)}:p{person}@example.com"


def hours_pass_without_a_look_at_conversions(bench: Bench, hours: int) -> None:
    bench.connection.execute(
        text(
            "UPDATE crm.campaign_mapping"
            " SET conversions_seen_at = now() - make_interval(hours => :hours)"
        ),
        {"hours": hours},
    )
