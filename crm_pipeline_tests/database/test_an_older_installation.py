"""A database of the first release, with open operations of every state, goes on where it was."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, text

from crm_pipeline.database.migrations import migrate
from crm_pipeline.database.statements import SQL, statement
from crm_pipeline_tests.cycle.campaigns.scenes import event_id, switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.cycle.test_people_who_change import emails, ship, whose
from crm_pipeline_tests.flows.webinars.warehouse import add_person, attend, register

LAST_OF_IT = "0008_sessions_of_members"

KEYS = text(
    "CREATE TEMPORARY TABLE keys AS SELECT o.operation_id, p.address AS person_key,"
    " CASE WHEN o.kind IN ('person', 'member')"
    " THEN regexp_replace(o.natural_key, '[0-9]+$', p.address) ELSE o.natural_key END"
    " AS natural_key FROM crm.operation AS o LEFT JOIN crm.person AS p USING (person_key)"
)

TABLES = text(
    "SELECT table_name FROM information_schema.tables"
    " WHERE table_schema = 'crm' AND table_type = 'BASE TABLE' AND table_name <> 'migration'"
)

COLUMNS = text(
    "SELECT n.column_name FROM information_schema.columns AS n"
    " INNER JOIN information_schema.columns AS o"
    " ON o.table_schema LIKE 'pg_temp%' AND o.table_name = 'new_' || n.table_name"
    " AND o.column_name = n.column_name"
    " WHERE n.table_schema = 'crm' AND n.table_name = :table AND n.column_name <> 'person_key'"
)


@pytest.fixture
def bench(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_of({"name": ACCOUNT, **ORG}, pipeline, monkeypatch) as made:
        yield made


def as_in_the_first_release(bench: Bench) -> None:
    """Makes the tables of that release, with the rows that its code would have written by now."""
    connection = bench.connection
    connection.execute(KEYS)
    connection.execute(
        text(
            "CREATE TEMPORARY TABLE emails AS SELECT e.account_id, e.value AS source_person,"
            " p.address AS person_key, e.as_of FROM crm.person_pointer AS e"
            " INNER JOIN crm.person AS p USING (person_key)"
        )
    )
    connection.execute(text("CREATE TEMPORARY TABLE people AS TABLE crm.person"))
    tables = list(connection.scalars(TABLES))
    for table in tables:
        connection.execute(text(f"CREATE TEMPORARY TABLE new_{table} AS TABLE crm.{table}"))
    connection.execute(text("DROP SCHEMA IF EXISTS crm, platform_inbox CASCADE"))
    connection.execute(statement("migrations/create_log"))
    for file in sorted((SQL / "crm").glob("[0-9]*.sql")):
        if file.stem <= LAST_OF_IT:
            connection.execute(text(file.read_text(encoding="utf-8")))
            connection.execute(statement("migrations/note"), {"folder": "crm", "name": file.stem})
    connection.execute(text("SET session_replication_role = replica"))
    for table in list(connection.scalars(TABLES)):
        if table not in tables:
            continue
        columns = list(connection.scalars(COLUMNS, {"table": table}))
        _copy(connection, table, columns)
    connection.execute(
        text(
            "INSERT INTO crm.person_email (account_id, source_person, person_key, as_of)"
            " SELECT account_id, source_person, person_key, as_of FROM emails"
        )
    )
    connection.execute(text("SET session_replication_role = origin"))
    connection.execute(
        text(
            "SELECT setval(pg_get_serial_sequence('crm.operation', 'operation_id'),"
            " (SELECT max(operation_id) FROM crm.operation)),"
            " setval(pg_get_serial_sequence('crm.cycle', 'cycle_id'),"
            " (SELECT max(cycle_id) FROM crm.cycle)),"
            " setval(pg_get_serial_sequence('crm.sending', 'sending_id'), 1000)"
        )
    )
    connection.commit()


def _copy(connection: Connection, table: str, columns: list[str]) -> None:
    names = ", ".join(columns)
    key = {
        "operation": "(SELECT k.person_key FROM keys AS k WHERE k.operation_id = n.operation_id)",
        "identity": "(SELECT p.address FROM people AS p WHERE p.person_key = n.person_key)",
        "campaign_member": "(SELECT p.address FROM people AS p WHERE p.person_key = n.person_key)",
    }.get(table)
    values = names
    if table == "operation":
        of_operation = "(SELECT k.natural_key FROM keys AS k WHERE k.operation_id = n.operation_id)"
        values = names.replace("natural_key", of_operation)
    if table == "source_position":
        of_flow = "CASE n.flow WHEN 'campaigns' THEN 'campaigns:' ELSE '' END || source"
        values = re.sub(r"\bsource\b", of_flow, names)
    if key is not None:
        names, values = f"{names}, person_key", f"{values}, {key}"
    connection.execute(
        text(
            f"INSERT INTO crm.{table} ({names}) OVERRIDING SYSTEM VALUE"
            f" SELECT {values} FROM new_{table} AS n"
        )
    )


def states_in_the_tables(bench: Bench) -> set[str]:
    return set(bench.connection.scalars(text("SELECT DISTINCT state FROM crm.operation")))


def test_open_operations_of_every_state_go_on_without_a_doubled_or_lost_write(
    bench: Bench, pipeline: Engine
) -> None:
    switch_on(bench)
    for number in range(1, 5):
        add_person(bench.connection, number)
        register(bench.connection, number, number, minute=number)
    add_person(bench.connection, 5, country_code="Atlantis")
    register(bench.connection, 5, 5, minute=5)
    add_person(bench.connection, 6, "nobody")
    register(bench.connection, 6, 6, minute=6)
    assert bench.cycle().state == "Complete"
    # An answer is lost, another change waits behind it, and something new was never sent.
    attend(bench.connection, 1, 1, minute=60)
    bench.fault("composite", "reset_after", nth=1)
    bench.cycle()
    bench.admin("settings", maintenance="down")
    ship(bench, p2="new2@example.com")
    bench.connection.execute(
        text(
            "UPDATE warehouse.person SET job_title = 'CTO', shipped_at = now() WHERE person_id = 3"
        )
    )
    add_person(bench.connection, 7)
    register(bench.connection, 7, 7, minute=70)
    bench.cycle()
    as_in_the_first_release(bench)
    open_states = {"done", "pending", "in_flight", "exhausted", "rejected"}
    assert open_states <= states_in_the_tables(bench)
    old = bench.connection.scalar(
        text("SELECT count(*) FROM crm.operation WHERE natural_key = 'person:p1@example.com'")
    )
    assert old == 1
    bench.connection.commit()

    migrate(pipeline, "crm")

    bench.admin("settings", maintenance="none")
    for _ in range(2):
        assert bench.cycle().state == "Complete"
    assert emails(bench) == [
        "new2@example.com",
        "p1@example.com",
        "p3@example.com",
        "p4@example.com",
        "p7@example.com",
    ]
    assert sorted(whose(bench)) == [
        "new2@example.com",
        "p1@example.com",
        "p1@example.com",
        "p3@example.com",
        "p4@example.com",
        "p7@example.com",
    ]
    assert len(bench.records("CampaignMember")) == 5
    assert [lead["Title"] for lead in bench.records("Lead") if lead.get("Title")] == ["CTO"]
    waiting = {
        about for about, state in bench.states().items() if state not in ("done", "rejected")
    }
    assert waiting == {
        "person:p5@example.com",
        "registration:5",
        f"member:{event_id(bench)}:p5@example.com",
    }
    report = bench.cycle()
    assert report.counts.api_calls == 0
    assert report.tally.overall("activities_changed") == 0
