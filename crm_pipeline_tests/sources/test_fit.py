"""What does not fit the warehouse is told, with what to mend, and without a value of a row."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from crm_pipeline.database.engines import engine
from crm_pipeline.database.statements import SQL
from crm_pipeline.sample.accounts import clients
from crm_pipeline.sample.export import export
from crm_pipeline.sample.warehouse import create
from crm_pipeline.settings import dialects_of_extracts
from crm_pipeline.sources.contracts import CONTRACTS
from crm_pipeline.sources.first_reading import first_readings, first_sending
from crm_pipeline.sources.fit import Fit, fits
from crm_pipeline.sources.shipped import NEVER
from crm_pipeline_tests.databases import settings_of

CLIENTS = clients(1)
[CLIENT] = CLIENTS


@pytest.fixture(scope="module")
def warehouse(module_pipeline: Engine) -> Engine:
    create(module_pipeline, CLIENTS, 200, seed=4)
    return module_pipeline


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Path]:
    with settings_of(EXTRACT_DIR=str(tmp_path)):
        yield tmp_path


def found(only: str | None = None, sensor_seconds: int = 20) -> list[Fit]:
    every = fits(engine("warehouse"), CLIENT, "UTC", sensor_seconds)
    return [each for each in every if only in (None, each.extract)]


def test_every_extract_has_a_contract() -> None:
    extracts = {
        str(file.relative_to(SQL / "extract").with_suffix(""))
        for file in (SQL / "extract").rglob("*.sql")
        if file.relative_to(SQL / "extract").parts[0] not in dialects_of_extracts()
    }
    assert extracts - {"one_snapshot"} == CONTRACTS.keys()


def test_the_sample_fits(warehouse: Engine) -> None:
    looked = found()
    assert [each.faults for each in looked if each.faults] == []
    assert [each.extract for each in looked] == list(CONTRACTS)
    assert all(each.rows for each in looked)


@pytest.mark.deep
def test_the_sample_fits_in_duckdb(warehouse: Engine, tmp_path: Path) -> None:
    export(warehouse, tmp_path / "webinars.duckdb")
    with settings_of(WAREHOUSE_URL=f"duckdb:///{tmp_path}/webinars.duckdb"):
        looked = found()
    assert [each.faults for each in looked if each.faults] == []
    assert all(each.rows for each in looked)


@pytest.mark.parametrize(
    ("extract", "said", "instead", "told_of", "told"),
    [
        ("registrations", "p.person_id,", "", "registrations", "lacks person_id"),
        (
            "registrations",
            "    r.registration_id,\n    r.event_session_id",
            "    r.registration_id::text AS registration_id,\n    r.event_session_id",
            "registrations",
            "registration_id is of type str: it must be a whole number",
        ),
        (
            "attendances",
            "    ) AS changed_at",
            "    )::text || '?' AS changed_at",
            "attendances",
            "changed_at is of type str: cast it to a timestamp",
        ),
        (
            "registrations",
            "ORDER BY changed_at,",
            "ORDER BY changed_at DESC,",
            "registrations",
            "in another order than oldest changed_at first",
        ),
        (
            "registrations",
            "WHERE\n    r.client_id",
            "WHERE\n    r.registration_id % 2 = 0 AND r.client_id",
            "row_counts",
            "that registrations.sql does not give",
        ),
        (
            "attendances",
            ") AS parts,",
            ") + 1 AS parts,",
            "row_counts",
            "adds up other parts than attendances.sql",
        ),
        ("new_rows", "> w.since", "> w.since + '1 year'", "new_rows", "no cycle would begin"),
        ("new_rows", "GROUP BY", "WHERE w.key = '' GROUP BY", "new_rows", "gives 0 rows for one"),
        (
            "end",
            "now() AS now",
            "now() - interval '3 hours' AS now",
            "end",
            "are 3 hours apart",
        ),
        (
            "end",
            ") AS newest",
            ") + interval '9 hours' AS newest",
            "end",
            "its times are of another zone",
        ),
        (
            "still_there",
            "a.attendance_id = any",
            "a.attendance_id < 0 AND a.attendance_id = any",
            "still_there",
            "does not find all rows that attendances.sql gives",
        ),
        ("people", "p.email", "p.e_mail", "people", "people.sql does not fit the warehouse"),
    ],
)
def test_what_does_not_fit_is_told(
    own: Path,
    warehouse: Engine,
    extract: str,
    said: str,
    instead: str,
    told_of: str,
    told: str,
) -> None:
    shipped = (SQL / f"extract/{extract}.sql").read_text(encoding="utf-8")
    assert said in shipped
    (own / f"{extract}.sql").write_text(shipped.replace(said, instead))
    [fit] = found(told_of)
    assert any(told in each for each in fit.faults), fit


def test_what_only_some_accounts_need_is_a_note(own: Path, warehouse: Engine) -> None:
    (own / "tracked_leads.sql").write_text("SELECT 1 FROM no_tracker WHERE :client_id = :since")
    [fit] = found("tracked_leads")
    assert not fit.faults
    assert any("only accounts with attribution need it" in each for each in fit.notes)


def test_a_time_without_a_zone_is_told_as_of_the_declared_one(own: Path, warehouse: Engine) -> None:
    shipped = (SQL / "extract/registrations.sql").read_text(encoding="utf-8")
    bare = shipped.replace(
        "    r.registered_at,", "    r.registered_at::timestamp AS registered_at,"
    )
    (own / "registrations.sql").write_text(bare)
    [fit] = found("registrations")
    assert "registered_at carry no zone and count as of UTC (WAREHOUSE_TIMEZONE)" in fit.notes


def test_news_that_take_longer_than_they_are_asked_for_are_told(warehouse: Engine) -> None:
    [fit] = found("new_rows", sensor_seconds=0)
    assert any("is asked each 0 s (SENSOR_SECONDS)" in each for each in fit.faults)


def test_a_table_that_is_read_whole_is_told(
    warehouse: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_pipeline.sources.fit._COSTLY", 0)
    notes = [note for each in found() for note in each.notes]
    assert any(each.startswith("reads all of ") for each in notes)


def test_the_first_reading_is_counted_and_sampled(warehouse: Engine, tmp_path: Path) -> None:
    export(warehouse, tmp_path / "webinars.duckdb")
    addresses = (
        warehouse.url.render_as_string(hide_password=False),
        f"duckdb:///{tmp_path}/webinars.duckdb",
    )
    with warehouse.connect() as connection:
        start = connection.scalar(
            text(
                "SELECT date_trunc('day', percentile_disc(0.5) WITHIN GROUP (ORDER BY shipped_at), "
                "'UTC') FROM warehouse.registration"
            )
        )
        rows, since = (
            {
                table: connection.scalar(
                    text(f"SELECT count(*) FROM warehouse.{table} WHERE shipped_at >= :at"),
                    {"at": at},
                )
                for table in ("registration", "attendance")
            }
            for at in (NEVER, start)
        )
    assert 0 < since["registration"] < rows["registration"]
    for address in addresses:
        with settings_of(WAREHOUSE_URL=address):
            found = list(first_readings(engine("warehouse"), CLIENT, "UTC", start))
            sending = first_sending(engine("warehouse"), CLIENT, 100)
        assert [each.source for each in found] == ["registrations", "attendances"]
        assert [each.rows for each in found] == [rows["registration"], rows["attendance"]]
        assert [each.sampled for each in found] == [each.rows for each in found]
        # What belongs to an older row may have been shipped since.
        assert all(
            since[each.source[:-1]] <= each.to_send <= each.rows and each.seconds for each in found
        )
        assert found[0].to_send < found[0].rows
        assert [(each.incomplete, each.late) for each in found] == [(0, 0), (0, 0)]
        assert (sending.activities, 0 < sending.people <= 100) == (100, True)
        assert sending.calls > 0


def test_a_row_that_comes_late_or_without_its_person_is_counted(warehouse: Engine) -> None:
    with settings_of(WAREHOUSE_URL=warehouse.url.render_as_string(hide_password=False)):
        asked = engine("warehouse")
        insert = text(
            "INSERT INTO warehouse.registration SELECT max(registration_id) + 1, client_id, "
            "max(event_session_id), :person, 'registered', NULL, now(), now() - interval '1 hour' "
            "FROM warehouse.registration WHERE client_id = :client GROUP BY client_id"
        )
        people = text("SELECT max(person_id) FROM warehouse.person WHERE client_id = :client")

        def ship(person: int) -> None:
            with warehouse.begin() as connection:
                connection.execute(insert, {"client": CLIENT, "person": person})

        with warehouse.connect() as connection:
            known = connection.scalar(people, {"client": CLIENT})
        ship(known + 1_000_000)

        def while_it_is_read(*given: Any) -> None:
            if given[4].execution_options.get("statement") == "extract/registrations":
                ship(known)

        event.listen(asked, "before_cursor_execute", while_it_is_read)
        try:
            [registrations, attendances] = first_readings(asked, CLIENT, "UTC")
        finally:
            event.remove(asked, "before_cursor_execute", while_it_is_read)
    assert (registrations.incomplete, registrations.late) == (1, 1)
    assert (attendances.incomplete, attendances.late) == (0, 0)
