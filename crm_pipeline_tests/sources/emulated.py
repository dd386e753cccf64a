"""`make emulators`: the extracts in an emulator of Snowflake, and as BigQuery's driver takes them.

Not collected by `make test`: what it needs is heavy.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import fakesnow
import pytest
import sqlglot
from google.cloud.bigquery.dbapi import _helpers, cursor
from sqlalchemy import Engine
from sqlalchemy_bigquery import BigQueryDialect
from sqlglot import exp

from crm_pipeline.database.engines import engine
from crm_pipeline.database.statements import statement
from crm_pipeline.database.warehouses import as_drivers_take_it
from crm_pipeline.sample.export import export
from crm_pipeline.sample.warehouse import create
from crm_pipeline.sources.fit import fits
from crm_pipeline_tests.databases import settings_of
from crm_pipeline_tests.sources.test_duckdb import (
    CLIENT,
    CLIENTS,
    EXTRACTS,
    SOURCES,
    answers,
    asked,
)

UNKNOWN_TO_IT = [r"(?s).*ALTER SESSION SET TIMEZONE = 'UTC'"]


@pytest.fixture(scope="module")
def from_snowflake(
    module_pipeline: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    create(module_pipeline, CLIENTS, 200, seed=4)
    folder = tmp_path_factory.mktemp("snowflake")
    export(module_pipeline, folder / "WEBINARS.db")
    address = "snowflake://user:password@account/WEBINARS/WAREHOUSE"
    with (
        fakesnow.patch(db_path=folder, nop_regexes=UNKNOWN_TO_IT),
        settings_of(WAREHOUSE_URL=address),
    ):
        yield engine("warehouse")


@pytest.mark.parametrize("name", [each for each in EXTRACTS if each != "one_snapshot"])
def test_an_extract_gives_the_same(
    name: str, module_pipeline: Engine, from_snowflake: Engine
) -> None:
    for source in SOURCES.get(name.partition("/")[0], SOURCES[""]):
        parameters = asked(module_pipeline, source)
        there = in_some_order(answers(from_snowflake, name, parameters))
        with settings_of(WAREHOUSE_URL=module_pipeline.url.render_as_string(hide_password=False)):
            here = in_some_order(answers(engine("warehouse"), name, parameters))
        assert there == here
        assert there


def in_some_order(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(repr(plain(row)) for row in rows)


def plain(value: Any) -> Any:
    """A value without NULL in arrays, which Snowflake leaves out, and its emulator keeps."""
    match value:
        case dict():
            return {name: plain(each) for name, each in sorted(value.items())}
        case list():
            return [plain(each) for each in value if each is not None] or None
        case datetime():
            return value.astimezone(UTC)
        case _:
            return value


def test_all_that_is_needed_fits(from_snowflake: Engine) -> None:
    found = list(fits(from_snowflake, CLIENT, "UTC", 20))
    assert {fit.extract: fit.faults for fit in found if fit.faults} == {}


@pytest.mark.parametrize("name", EXTRACTS)
def test_bigquerys_driver_takes_the_parameters(name: str, module_pipeline: Engine) -> None:
    dialect = BigQueryDialect(paramstyle="pyformat")
    with settings_of(WAREHOUSE_URL="bigquery://project"):
        extract = statement(f"extract/{name}")
    known = asked(module_pipeline, "registrations") | {"sessions": None, "prospect_ids": None}
    given = {each: known[each] for each in extract.compile().params}
    executed, _, values = as_drivers_take_it(None, extract, [], given, None)
    compiled = executed.compile(dialect=dialect)
    written, types = cursor._format_operation(str(compiled), compiled.construct_params(values))
    sent = _helpers.to_query_parameters(values, types)
    assert {each.name for each in sent} == set(given)
    assert isinstance(sqlglot.parse_one(written, dialect="bigquery"), exp.Query)
