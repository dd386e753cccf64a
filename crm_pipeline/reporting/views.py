"""The views of the schema `reporting` as documents, made of the comments in the database."""

from collections.abc import Sequence
from dataclasses import dataclass

import yaml
from sqlalchemy import Connection

from crm_pipeline.database.statements import statement

SCHEMA = "reporting"


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A column of a view: its type as PostgreSQL names it, and what it is."""

    name: str
    type: str
    says: str


@dataclass(frozen=True, slots=True)
class View:
    """A view that people may build on, and what a row of it is."""

    name: str
    says: str
    columns: Sequence[ViewColumn]


def views(connection: Connection) -> list[View]:
    """Returns the views with their columns: the version first, then by name."""
    columns: dict[tuple[str, str], list[ViewColumn]] = {}
    for row in connection.execute(statement("reporting/columns")):
        of_view = columns.setdefault((row.view, row.says or ""), [])
        of_view.append(ViewColumn(row.column, row.type, row.column_says or ""))
    return [View(name, says, of_view) for (name, says), of_view in columns.items()]


def version(connection: Connection) -> int:
    """Returns the version of the views, as `reporting.version` has it."""
    found: int = connection.execute(statement("reporting/version")).scalar_one()
    return found


def dictionary(connection: Connection) -> str:
    """Returns the data dictionary: a table for each view, in Markdown."""
    lines = []
    for view in views(connection):
        lines += [
            f"### {SCHEMA}.{view.name}",
            "",
            view.says,
            "",
            "| column | type | |",
            "|---|---|---|",
        ]
        lines += [f"| {each.name} | {each.type} | {each.says} |" for each in view.columns]
        lines.append("")
    return "\n".join(lines)


def dbt_sources(connection: Connection) -> str:
    """Returns the views as a source of dbt: the content of `models/crm_pipeline.yml`."""
    source = {
        "name": "crm_pipeline",
        "description": f"Numbers of the CRM pipeline, version {version(connection)} of its views.",
        "schema": SCHEMA,
        "tables": [
            {
                "name": view.name,
                "description": view.says,
                "columns": [
                    {"name": each.name, "description": each.says, "data_type": each.type}
                    for each in view.columns
                ],
            }
            for view in views(connection)
        ],
    }
    return yaml.safe_dump(
        {"version": 2, "sources": [source]}, sort_keys=False, allow_unicode=True, width=100
    )
