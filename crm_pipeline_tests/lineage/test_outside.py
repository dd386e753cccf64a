"""Tables and objects outside: the columns that are shown of them are those read and written."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping

import pytest
from sqlalchemy import Connection, Engine, text

from crm_pipeline.database.statements import SQL
from crm_pipeline.flows.registry import FLOWS
from crm_pipeline.lineage.outside import of_a_run, outside_specs
from crm_pipeline.report import CycleReport
from crm_pipeline.settings import PROJECT, dialects_of_extracts
from crm_pipeline.sources.mapping import DEFAULT_MAPPING

OBJECTS = PROJECT / "crm_pipeline/local_org/objects"

COLUMNS: Mapping[str, Mapping[str, str]] = {
    spec.key.to_user_string(): {
        each.name: each.type for each in spec.metadata["dagster/column_schema"].columns
    }
    for spec in (*outside_specs(read=True), *outside_specs(read=False))
    if spec.key.path[0] != "crm"
}


def test_the_columns_of_the_warehouses_tables_are_those_that_the_extracts_read(
    module_pipeline: Engine,
) -> None:
    """PostgreSQL itself tells which columns of which tables a statement reads."""
    read: defaultdict[str, dict[str, str]] = defaultdict(dict)
    with module_pipeline.connect() as connection:
        for file in (SQL / "extract").rglob("*.sql"):
            if file.relative_to(SQL / "extract").parts[0] in dialects_of_extracts():
                continue  # These read the same, by functions that PostgreSQL has not.
            sql = re.sub("--.*", "", file.read_text(encoding="utf-8"))
            if not sql.strip().startswith("SET "):
                for table, column, kind in _columns_read(connection, sql):
                    read[f"warehouse/{table}"][column] = kind
    declared = {name: of for name, of in COLUMNS.items() if name.startswith("warehouse/")}
    assert declared == read


def _columns_read(connection: Connection, sql: str) -> list[tuple[str, str, str]]:
    without_parameters = re.sub(r"(?<!:):[a-z]\w*", "NULL", sql)
    connection.exec_driver_sql(f"CREATE TEMP VIEW reads AS {without_parameters}")
    found = connection.execute(
        text(
            "SELECT u.table_name, u.column_name, replace(c.data_type,"
            " 'timestamp with time zone', 'timestamptz') FROM information_schema.view_column_usage"
            " AS u JOIN information_schema.columns AS c USING (table_schema, table_name,"
            " column_name) WHERE u.view_name = 'reads'"
        )
    ).all()
    connection.exec_driver_sql("DROP VIEW reads")
    return [(row[0], row[1], row[2]) for row in found]


@pytest.mark.parametrize("sobject", sorted(file.stem for file in OBJECTS.glob("*.json")))
def test_the_columns_of_a_standard_object_are_fields_of_it(sobject: str) -> None:
    described = {
        field["name"]: field["type"]
        for field in json.loads((OBJECTS / f"{sobject}.json").read_text("utf-8"))["fields"]
    }
    shown = COLUMNS.get(f"salesforce/{sobject}", {})
    assert shown.items() <= described.items()
    assert DEFAULT_MAPPING.get(sobject, {}).keys() <= shown.keys()


def test_every_object_and_table_shows_its_columns_with_their_types() -> None:
    assert [name for name, columns in COLUMNS.items() if not columns] == []
    prospect = COLUMNS["salesforce/Prospect__c"]
    assert (prospect["Email__c"], prospect["Prospect_Id__c"]) == ("email", "string")


def test_all_that_is_observed_stands_in_the_legend() -> None:
    specs = (*outside_specs(read=True), *outside_specs(read=False))
    legends = {spec.key: spec.metadata["legend"].value for spec in specs}
    report = CycleReport("acme", "Acme", "run")
    for outside in (each for flow in FLOWS for each in flow.outside):
        done: tuple[str, ...]
        if outside.technology == "salesforce":
            done = ("create", "update", "delete") if outside.after else ("records_read",)
        else:
            done = ("rows_read",) if outside.rows_of else ()
        report.outside.update((outside.name, did) for did in done)
    observed = list(of_a_run([report]))
    assert len(observed) > 20
    for observation in observed:
        for key in observation.metadata:
            assert f"| `{key}` |" in legends[observation.asset_key], observation.asset_key
