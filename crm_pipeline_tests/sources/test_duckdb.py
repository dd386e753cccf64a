"""Each extract gives the same columns and rows out of DuckDB as out of PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import Engine, text

from crm_pipeline.database.engines import engine
from crm_pipeline.database.statements import SQL, statement
from crm_pipeline.database.warehouses import as_list, row_reader
from crm_pipeline.sample.accounts import clients
from crm_pipeline.sample.export import export
from crm_pipeline.sample.warehouse import create
from crm_pipeline.settings import dialects_of_extracts, settings
from crm_pipeline.sources.clients import clients as clients_of
from crm_pipeline.sources.errors import ExtractError
from crm_pipeline.sources.shipped import NEVER
from crm_pipeline.text import JsonText
from crm_pipeline_tests.databases import settings_of

CLIENTS = clients(2)
CLIENT = next(iter(CLIENTS))

EXTRACTS = sorted(
    str(file.relative_to(SQL / "extract").with_suffix(""))
    for file in (SQL / "extract").rglob("*.sql")
    if file.relative_to(SQL / "extract").parts[0] not in dialects_of_extracts()
)

SOURCES = {
    "engagement": ("definitions", "prospects", "prospects_with_pages"),
    "": ("registrations", "attendances"),
}


@pytest.fixture(scope="module")
def file(module_pipeline: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    create(module_pipeline, CLIENTS, 200, seed=4)
    made = tmp_path_factory.mktemp("warehouse") / "webinars.duckdb"
    export(module_pipeline, made)
    return made


@pytest.fixture
def from_duckdb(file: Path) -> Iterator[Engine]:
    with settings_of(WAREHOUSE_URL=f"duckdb:///{file}"):
        yield engine("warehouse")


def some(warehouse: Engine, query: str) -> list[Any]:
    with warehouse.connect() as connection:
        return list(connection.scalars(text(query), {"client_id": CLIENT}))


def asked(warehouse: Engine, source: str) -> dict[str, Any]:
    """A value for each parameter that an extract may have."""
    of_client = "FROM warehouse.{} WHERE client_id = :client_id ORDER BY 1 LIMIT 20"
    sessions = some(warehouse, "SELECT event_session_id " + of_client.format("event_session"))
    return {
        "client_id": CLIENT,
        "source": source,
        "since": NEVER,
        "until": datetime.now(UTC),
        "sessions": sessions,
        "backfilled": sessions[:1],
        "again": [1, 2, 3],
        "ids": [1, 2, 3, 4, 5],
        "session_ids": sessions,
        "event_ids": some(warehouse, "SELECT event_id " + of_client.format("event")),
        "person_ids": list(
            map(str, some(warehouse, "SELECT person_id " + of_client.format("person")))
        ),
        "emails": some(warehouse, "SELECT email " + of_client.format("person")),
        "prospect_ids": some(warehouse, "SELECT prospect_id " + of_client.format("prospect")),
        "client_ids": None,
        "days": some(
            warehouse,
            "SELECT DISTINCT CAST(shipped_at AT TIME ZONE 'UTC' AS date) "
            + of_client.format("registration"),
        ),
        "keys": ["0", "1"],
        "sources": [source, source],
        "sinces": [NEVER, NEVER],
    }


def answers(warehouse: Engine, name: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    extract = statement(f"extract/{name}")
    given = {each: parameters[each] for each in extract.compile().params}
    if "keys" in given:
        given["client_ids"] = list(CLIENTS)
    with warehouse.connect() as connection:
        rows = connection.execute(extract, given)
        read = row_reader(warehouse, list(rows.keys()), "UTC")
        return [in_one_order({name: alike(v) for name, v in read(row).items()}) for row in rows]


def in_one_order(row: dict[str, Any]) -> dict[str, Any]:
    """A row without the time of asking; arrays side by side, of which the order says nothing."""
    row.pop("now", None)
    arrays = {
        name: alike(list(as_list(row.pop(name))))
        for name in ("ids", "times", "parts_of", "incomplete", "sessions")
        if name in row
    }
    beside = [arrays.pop(name) for name in ("ids", "times", "parts_of") if name in arrays]
    named = sorted(each for each in zip(*beside, strict=True) if each[0] is not None)
    return row | arrays | {"named": named}


def alike(value: Any) -> Any:
    """A value as both say it: numbers as such, JSON parsed, times to be compared."""
    match value:
        case JsonText():
            return alike(value.parsed())
        case bool() | None:
            return value
        case int() | float() | Decimal():
            return Decimal(str(value)).normalize()
        case str() if value[:2] == "20" and value[10:11] in ("T", " "):
            return datetime.fromisoformat(value)
        case dict():
            return {key: alike(each) for key, each in value.items()}
        case list():
            return [alike(each) for each in value]
        case _:
            return value


@pytest.mark.parametrize("name", [each for each in EXTRACTS if each != "one_snapshot"])
def test_an_extract_gives_the_same(
    name: str, module_pipeline: Engine, file: Path, from_duckdb: Engine
) -> None:
    for source in SOURCES.get(name.partition("/")[0], SOURCES[""]):
        parameters = asked(from_duckdb, source)
        there = answers(from_duckdb, name, parameters)
        with settings_of(WAREHOUSE_URL=module_pipeline.url.render_as_string(hide_password=False)):
            here = answers(engine("warehouse"), name, parameters)
        if "ORDER BY" not in statement(f"extract/{name}").text.rpartition("FROM")[2]:
            here, there = sorted(here, key=repr), sorted(there, key=repr)
        assert there == here
        assert there


def test_the_tables_are_those_of_postgresql(module_pipeline: Engine, file: Path) -> None:
    with module_pipeline.connect() as connection:
        query = (
            "SELECT table_name || '.' || column_name || is_nullable FROM "
            "information_schema.columns WHERE table_schema = 'warehouse'"
        )
        there = set(connection.scalars(text(query)))
    with duckdb.connect(file, read_only=True) as connection_there:
        assert {each for (each,) in connection_there.execute(query).fetchall()} == there


def test_a_time_without_a_zone_is_in_the_declared_one(file: Path) -> None:
    with settings_of(WAREHOUSE_URL=f"duckdb:///{file}", WAREHOUSE_TIMEZONE="Europe/Berlin"):
        warehouse = engine("warehouse")
        with warehouse.connect() as connection:
            bare = text("SELECT TIMESTAMP '2026-07-01 12:00' AS at_noon WHERE at_noon > :at")
            row = connection.execute(bare, {"at": datetime(2026, 7, 1, 9, 59, tzinfo=UTC)})
            [read] = map(row_reader(warehouse, list(row.keys()), "Europe/Berlin"), row)
    assert read["at_noon"] == datetime(2026, 7, 1, 10, 0, tzinfo=UTC)


def test_a_column_that_is_missing_is_told_without_a_value(
    from_duckdb: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clients.sql").write_text(
        "SELECT CAST(email AS bigint) FROM warehouse.person WHERE :client_ids IS NULL"
    )
    monkeypatch.setenv("EXTRACT_DIR", str(tmp_path))
    settings.cache_clear()
    with pytest.raises(ExtractError, match="does not fit the warehouse: ConversionException; run"):
        clients_of(from_duckdb)
    (tmp_path / "clients.sql").write_text("SELECT nothing FROM warehouse.person, :client_ids")
    with pytest.raises(ExtractError, match=r"clients\.sql does not fit the warehouse: "):
        clients_of(from_duckdb)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with (
        settings_of(WAREHOUSE_URL=f"duckdb:///{tmp_path}/none.duckdb"),
        pytest.raises(ExtractError, match=r"does not answer; .* database does not exist"),
    ):
        clients_of(engine("warehouse"))


def test_a_process_that_writes_to_the_file_is_not_kept_from_it(
    file: Path, from_duckdb: Engine
) -> None:
    assert clients_of(from_duckdb)
    with duckdb.connect(file) as writing:
        writing.execute("CREATE TABLE warehouse.another (id bigint)")
    assert clients_of(from_duckdb)
