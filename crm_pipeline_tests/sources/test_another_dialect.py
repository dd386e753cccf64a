"""A dialect that nothing is shipped for: extracts of one's own, lists and arrays as JSON."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine

from crm_pipeline.database.engines import engine
from crm_pipeline.settings import settings
from crm_pipeline.sources.clients import clients, rows_of_people
from crm_pipeline.sources.errors import ExtractError
from crm_pipeline.sources.events import events
from crm_pipeline.sources.participations import REGISTRATIONS, RowSelection
from crm_pipeline.sources.row_counts import days_of_warehouse
from crm_pipeline.text import JsonText
from crm_pipeline_tests.databases import settings_of

TABLES = """
CREATE TABLE registration (
    id integer, client text, session integer, email text, answers text, at text, shipped text
);
INSERT INTO registration VALUES
    (1, 'one', 7, 'ann@example.com', '{"budget": 10}', '2026-07-01 12:00', '2026-07-02 12:00'),
    (2, 'one', 8, 'bob@example.com', NULL, '2026-07-01 13:00', '2026-07-03 12:00'),
    (3, 'two', 9, 'cyd@example.com', NULL, '2026-07-01 14:00', '2026-07-04 12:00')
"""

EXTRACTS = {
    "clients": """
        SELECT client AS client_id, count(*) AS registrations, 0 AS attendances,
            max(shipped) AS newest
        FROM registration
        WHERE :client_ids IS NULL OR client IN (SELECT value FROM json_each(:client_ids))
        GROUP BY client ORDER BY client""",
    "rows_of_people": """
        SELECT id FROM registration
        WHERE :source = 'registrations' AND client = :client_id
            AND email IN (SELECT value FROM json_each(:emails))""",
    "events": """
        SELECT 5 AS event_id, 'Launch' AS name, '2026-07-01 22:30' AS starts_at, NULL AS ends_at,
            json_group_array(session) AS sessions
        FROM registration
        WHERE client = :client_id AND 5 IN (SELECT value FROM json_each(:event_ids))""",
    "end": """
        SELECT '2026-07-09 00:00:00+00:00' AS now, max(shipped) AS newest FROM registration
        WHERE client = :client_id AND :source <> ''""",
    "registrations": """
        SELECT id AS registration_id, session AS event_session_id, NULL AS person_id, email,
            answers, at AS registered_at, shipped AS changed_at
        FROM registration
        WHERE client = :client_id AND id IN (SELECT value FROM json_each(:again))
            AND :since > '' AND :sessions IS NULL AND :backfilled = '[]'
        ORDER BY shipped""",
    "row_counts": """
        SELECT '2026-07-02' AS day, 1 AS rows, 0 AS seconds, 0 AS parts, NULL AS incomplete,
            '[1]' AS ids, '["2026-07-02T12:00:00+02:00"]' AS times, '[3]' AS parts_of
        WHERE :client_id || :source || :until || :days <> '' OR :sessions IS NULL""",
}


@pytest.fixture
def another(tmp_path: Path) -> Iterator[Engine]:
    with sqlite3.connect(tmp_path / "w.db") as made:
        made.executescript(TABLES)
    for name, extract in EXTRACTS.items():
        (tmp_path / f"{name}.sql").write_text(extract, encoding="utf-8")
    address = f"sqlite:///{tmp_path}/w.db"
    with settings_of(
        WAREHOUSE_URL=address, EXTRACT_DIR=str(tmp_path), WAREHOUSE_TIMEZONE="Europe/Berlin"
    ):
        warehouse = engine("warehouse")
        yield warehouse
        warehouse.dispose()


def test_lists_are_asked_for_as_json(another: Engine) -> None:
    assert [each.client_id for each in clients(another)] == ["one", "two"]
    assert [each.client_id for each in clients(another, ["two", "three"])] == ["two"]
    emails = ["ann@example.com", "o'hara@example.com"]
    assert rows_of_people(another, "one", "registrations", emails) == [1]


def test_arrays_and_json_are_read_out_of_text(another: Engine) -> None:
    [event] = events(another, "one", [5], "Europe/Berlin")
    assert (event.sessions, event.starts_on) == ((7, 8), date(2026, 7, 1))
    with another.connect() as connection:
        [day] = days_of_warehouse(
            connection, "one", "registrations", sessions=None, until=datetime.now(UTC)
        ).values()
    assert day.named == {1: datetime(2026, 7, 2, 10, tzinfo=UTC)}
    assert day.parts == {1: 3}


def test_rows_have_their_zone_and_their_json(another: Engine) -> None:
    selection = RowSelection(
        another, "one", None, [], timedelta(), 10, settings().warehouse_timezone
    )
    [row] = REGISTRATIONS.named(selection, [1, 3])
    assert row.happened_at == datetime(2026, 7, 1, 10, tzinfo=UTC)
    answers = row.columns["answers"]
    assert isinstance(answers, JsonText)
    assert answers.parsed() == {"budget": 10}


def test_an_extract_that_does_not_fit_is_told_without_a_value(another: Engine) -> None:
    file = Path(str(settings().extract_dir)) / "clients.sql"
    file.write_text("SELECT 'ann@example.com', nothing FROM registration WHERE :client_ids IS NULL")
    with pytest.raises(ExtractError, match="run it there for the warehouse's own words") as raised:
        clients(another)
    assert str(file) in str(raised.value)
    assert "ann@" not in str(raised.value)


def test_without_extracts_of_its_own_a_dialect_is_refused(tmp_path: Path) -> None:
    with (
        settings_of(WAREHOUSE_URL=f"sqlite:///{tmp_path}/w.db"),
        pytest.raises(ValidationError, match="of sqlite, for which sql/extract/ has no statements"),
    ):
        settings()


def test_a_package_that_is_missing_is_named() -> None:
    with (
        settings_of(WAREHOUSE_URL="nosuchthing://host/db"),
        pytest.raises(ValidationError, match="nosuchthing:// needs a package: pip install"),
    ):
        settings()


def test_a_driver_that_is_missing_is_named() -> None:
    with (
        settings_of(WAREHOUSE_URL="mssql+pymssql://user:secret@host/db"),
        pytest.raises(ValidationError, match=r"mssql\+pymssql:// needs a package: pip install py"),
    ):
        settings()
