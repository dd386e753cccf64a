"""After known cycles each number by day is what a plain count says, and it lasts."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from sqlalchemy import Connection, Engine, text

from crm_pipeline.accounts.store import add_filter, remove_account
from crm_pipeline.cadence.purge import purge_cycles
from crm_pipeline.delivery.phases import CyclePhase
from crm_pipeline.ledger.cycles import start_cycle
from crm_pipeline.ledger.incidents import Incident, close_incidents, note_incident
from crm_pipeline.reporting.counting import count_requests, count_stock
from crm_pipeline.reporting.days import records_there
from crm_pipeline_tests.cycle.campaigns.scenes import switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.flows.webinars.warehouse import add_person, attend, register


def rows(connection: Connection, select: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(text(select))]


def one(connection: Connection, select: str) -> Any:
    return connection.execute(text(select)).scalar_one()


@pytest.fixture(scope="module")
def played(module_pipeline: Engine) -> Iterator[Bench]:
    """Three cycles: people, one refused, one filtered, one without an address; then late rows."""
    with (
        pytest.MonkeyPatch.context() as patched,
        bench_of({"name": ACCOUNT, **ORG}, module_pipeline, patched) as bench,
    ):
        connection = bench.connection
        switch_on(bench)
        add_filter(connection, ACCOUNT, "@rival.com")
        for person in range(1, 6):
            add_person(connection, person)
        add_person(connection, 6, country_code="Atlantis", county="Atlantis")
        add_person(connection, 7, "spy@rival.com")
        add_person(connection, 8, "nobody")
        for person in range(1, 9):
            register(connection, person, person, minute=person)
        attend(connection, 1, 1, minute=30)
        bench.cycle()
        attend(connection, 2, 2, minute=31)
        connection.execute(
            text(
                "UPDATE crm.account SET activated_at = '2026-01-01', updated_at = '2026-01-01',"
                " created_at = '2026-01-01'"
            )
        )
        bench.cycle()
        bench.cycle()
        yield bench


def test_seconds_by_phase_add_up_to_those_of_cycles(played: Bench) -> None:
    connection = played.connection
    phases = dict(rows(connection, "SELECT phase, seconds FROM reporting.phases"))
    known = set(get_args(CyclePhase))
    assert {"open", "retry", "read", "send people", "send activities", "settle"} <= phases.keys()
    assert phases.keys() <= known
    by_cycle = rows(
        connection,
        "SELECT p.phase, sum(p.seconds::float8), max(p.seconds::float8) FROM crm.cycle,"
        " jsonb_each_text(counts -> 'seconds_by_phase') AS p (phase, seconds) GROUP BY 1",
    )
    assert phases == pytest.approx({phase: total for phase, total, _ in by_cycle})
    longest = dict(rows(connection, "SELECT phase, longest_seconds FROM reporting.phases"))
    assert longest == pytest.approx({phase: most for phase, _, most in by_cycle})
    together = one(connection, "SELECT sum(seconds) FROM reporting.cycles")
    assert 0.5 * together < sum(phases.values()) <= together + 0.01


def test_deliveries_are_what_the_org_and_the_ledger_have(played: Bench) -> None:
    connection = played.connection
    counted = rows(
        connection,
        "SELECT flow, kind, object, action, number FROM reporting.deliveries ORDER BY 1, 2, 3, 4",
    )
    assert counted == rows(
        connection,
        "SELECT flow, kind, sobject, action, count(*) FROM crm.operation WHERE state = 'done'"
        " GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
    )
    made = {object_: number for _, _, object_, action, number in counted if action == "create"}
    for sobject in ("Lead", "Event", "CampaignMember"):
        assert made[sobject] == len(played.records(sobject)) > 0


def test_new_known_and_rejected_add_up(played: Bench) -> None:
    connection = played.connection
    for row in rows(
        connection, 'SELECT "read", new + changed + rejected + known FROM reporting.readings'
    ):
        assert row[0] == row[1]
    [read] = rows(
        connection,
        'SELECT "read", rejected FROM reporting.readings'
        " WHERE flow = 'webinars' AND kind = 'activity'",
    )
    assert (
        read
        == rows(
            connection,
            "SELECT sum(CAST(counts #>> '{topics,filtered_leads,rows_read}' AS bigint)),"
            " sum(CAST(counts #>> '{topics,filtered_leads,rejected}' AS bigint)) FROM crm.cycle",
        )[0]
    )
    rejected = rows(
        connection,
        "SELECT kind, reason, number FROM reporting.rejections ORDER BY kind, reason",
    )
    assert rejected == rows(
        connection,
        "SELECT kind, reason, count(*) FROM crm.operation WHERE state = 'rejected'"
        " GROUP BY kind, reason ORDER BY kind, reason",
    )
    assert ("activity", "filtered", 1) in rejected
    assert rows(
        connection, "SELECT filter FROM reporting.rejections WHERE reason = 'filtered'"
    ) == [("@rival.com",)]


def test_failures_have_their_codes(played: Bench) -> None:
    connection = played.connection
    counted = rows(connection, "SELECT object, error_code, number FROM reporting.failures")
    assert counted == rows(
        connection,
        "SELECT o.sobject, r.error_code, count(*) FROM crm.refusal AS r"
        " JOIN crm.operation AS o USING (operation_id) GROUP BY 1, 2",
    )
    assert counted[0][:2] == ("Lead", "FIELD_CUSTOM_VALIDATION_EXCEPTION")


def test_what_came_later_than_promised_is_late(played: Bench) -> None:
    [(delivered, on_time, late, longest)] = rows(
        played.connection,
        "SELECT delivered, on_time, late, longest_seconds FROM reporting.lateness",
    )
    assert delivered == on_time + late
    written = "SELECT count(*) FROM crm.operation WHERE state = 'done' AND action <> 'none'"
    assert delivered == one(played.connection, written)
    assert 0 < late < on_time, "rows of months ago count since the account began"
    assert longest > 86_400


def test_cycles_and_calls_are_those_of_the_cycles(played: Bench) -> None:
    connection = played.connection
    [cycles] = rows(
        connection, "SELECT cycles, complete, api_calls, waiting, cut_off FROM reporting.cycles"
    )
    assert (
        cycles
        == rows(
            connection,
            "SELECT count(*), count(*) FILTER (WHERE state = 'Complete'),"
            " sum(CAST(counts ->> 'api_calls' AS bigint)),"
            " max(CAST(counts ->> 'waiting' AS bigint) * (cycle_id = m.last)::int), 0"
            " FROM crm.cycle, (SELECT max(cycle_id) AS last FROM crm.cycle) AS m",
        )[0]
    )
    assert cycles[2] == one(connection, "SELECT sum(calls) FROM reporting.api_calls") > 0
    share = one(connection, "SELECT api_share * api_limit FROM reporting.cycles")
    assert share == pytest.approx(cycles[2])
    leads = "SELECT sum(number) FROM reporting.outcomes WHERE outcome = 'leads_created'"
    assert one(connection, leads) == len(played.records("Lead"))


def test_what_there_is_is_counted_as_often_as_one_likes(played: Bench) -> None:
    connection = played.connection
    for _ in range(2):
        count_stock(connection)
        count_requests(connection)
    assert one(connection, "SELECT sum(people) FROM reporting.people") == one(
        connection, "SELECT count(*) FROM crm.identity"
    )
    assert rows(connection, "SELECT members, campaigns FROM reporting.members") == [
        (len(played.records("CampaignMember")), 1)
    ]
    there = records_there(connection)
    for sobject in ("Lead", "Event", "CampaignMember", "Campaign"):
        assert there[sobject] == len(played.records(sobject)) > 0, sobject
    connection.execute(
        text(
            "INSERT INTO daily.delivery SELECT account_id, day, flow, 'undo', object, 'delete', 1,"
            " 0, 0, 0 FROM daily.delivery WHERE kind = 'activity' AND action = 'create'"
        )
    )
    count_stock(connection)
    assert records_there(connection)["Event"] == there["Event"] - 1
    assert one(
        connection, "SELECT sum(number) FROM reporting.queue WHERE state = 'exhausted'"
    ) == one(connection, "SELECT count(*) FROM crm.operation WHERE state = 'exhausted'")
    connection.execute(text("UPDATE crm.operation SET state = 'dropped' WHERE state = 'exhausted'"))
    count_stock(connection)
    assert one(connection, "SELECT sum(number) FROM reporting.queue WHERE state = 'exhausted'") == 0
    connection.rollback()


def test_a_cycle_that_was_cut_off_is_counted_when_the_next_one_begins(played: Bench) -> None:
    connection = played.connection
    connection.rollback()
    start_cycle(connection, ACCOUNT, "killed", whole=True)
    start_cycle(connection, ACCOUNT, "next", whole=True)
    [(failed, cut_off, complete)] = rows(
        connection, "SELECT failed, cut_off, complete FROM reporting.cycles"
    )
    assert (failed, cut_off) == (1, 1)
    assert complete > 0, "added to those of the same day"
    connection.rollback()


def test_incidents_begin_and_end(played: Bench) -> None:
    connection = played.connection
    for operations in (20, 25, 5):
        note_incident(connection, ACCOUNT, Incident("UNABLE", "Account", operations))
    close_incidents(connection, ACCOUNT)
    assert rows(
        connection, "SELECT error_code, object, opened, closed, held_up FROM reporting.incidents"
    ) == [("UNABLE", "Account", 1, 1, 25)]
    connection.rollback()


def test_an_incident_holds_up_all_that_wait_for_it(played: Bench) -> None:
    connection = played.connection
    held = connection.execute(
        text(
            "UPDATE crm.operation SET state = 'failed', error_code = 'UNABLE'"
            " WHERE state = 'done' AND sobject = 'Event'"
        )
    ).rowcount
    note_incident(connection, ACCOUNT, Incident("UNABLE", "Event", 1))
    for _ in range(2):
        (incident,) = close_incidents(connection, ACCOUNT)
        assert incident.operations == held > 1
    assert rows(connection, "SELECT opened, closed, held_up FROM reporting.incidents") == [
        (1, 0, held)
    ]
    connection.rollback()


def test_requests_are_counted_again_until_they_are_done(played: Bench) -> None:
    connection = played.connection
    connection.execute(
        text(
            "INSERT INTO crm.request (request_id, account_id, kind, door, name, sameness, content,"
            " received_at) VALUES (gen_random_uuid(), 'acme', 'removal', 'command', '', 'a', 'a',"
            " now() - interval '3 days'), (gen_random_uuid(), 'acme', 'removal', 'command', '',"
            " 'b', 'b', now() - interval '3 days')"
        )
    )
    select = "SELECT received, done, failed, waiting, longest_seconds FROM reporting.requests"
    count_requests(connection)
    assert rows(connection, select) == [(2, 0, 0, 2, 0)]
    connection.execute(
        text(
            "UPDATE crm.request SET state = 'done', finished_at = received_at + interval '1 minute'"
            " WHERE sameness = 'a'"
        )
    )
    count_requests(connection, ACCOUNT)
    assert rows(connection, select) == [(2, 1, 0, 1, 60)]
    connection.rollback()


def test_numbers_outlive_cycles_names_and_accounts(played: Bench) -> None:
    connection = played.connection
    views = ("cycles", "readings", "deliveries", "failures", "api_calls", "outcomes")
    connection.rollback()
    before = [rows(connection, f"SELECT * FROM reporting.{view}") for view in views]
    connection.execute(text("UPDATE crm.cycle SET finished_at = now() - interval '20 days'"))
    connection.commit()
    assert purge_cycles(connection.engine, days=14) > 0
    assert [rows(connection, f"SELECT * FROM reporting.{view}") for view in views] == before
    connection.execute(text("UPDATE crm.account SET name = 'Acme AG'"))
    remove_account(connection, ACCOUNT)
    assert [rows(connection, f"SELECT * FROM reporting.{view}") for view in views] == before
    [(name, gone)] = rows(connection, "SELECT name, removed_at FROM reporting.accounts")
    assert name == "Acme AG"
    assert gone is not None
    connection.rollback()
