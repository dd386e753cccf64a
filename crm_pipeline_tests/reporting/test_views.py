"""The views are documented, tell of nobody, and are read by whoever may read nothing else."""

from pathlib import Path

import pytest
import yaml
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from crm_pipeline.database.embedded import EmbeddedPostgres
from crm_pipeline.reference import piece_of, rewrite, views_of, views_piece
from crm_pipeline.reporting.views import views
from crm_pipeline_tests.cli.conftest import Run, acme, run

__all__ = ["acme", "run"]

DOCUMENT = Path(__file__).parents[2] / "docs" / "reporting.md"

OF_NOBODY = {
    "account_id": "the account's",
    "name": "the account's",
    "client_id": "the platform's client",
    "flow": "declared",
    "kind": "declared",
    "topic": "declared",
    "phase": "declared",
    "outcome": "declared",
    "what": "declared",
    "object": "the API name of an object",
    "action": "the ledger's word",
    "state": "the ledger's word",
    "door": "the way of a request",
    "reason": "a rule's word",
    "rejected_because": "a rule's word",
    "error_code": "a code",
    "filter": "a domain; other filters are not named",
}
"""Columns that can hold text."""


def test_no_column_can_hold_personal_data(pipeline: Engine) -> None:
    with pipeline.connect() as connection:
        columns = connection.execute(
            text(
                "SELECT column_name, data_type FROM information_schema.columns"
                " WHERE table_schema IN ('daily', 'reporting')"
            )
        ).all()
    numbers = {"bigint", "integer", "double precision", "date", "boolean"}
    numbers.add("timestamp with time zone")
    assert {name for name, kind in columns if kind not in numbers} == OF_NOBODY.keys()


def test_the_document_has_every_view_and_column_as_its_comment_says(pipeline: Engine) -> None:
    with pipeline.connect() as connection:
        made = views_piece(connection)
        for view in views(connection):
            assert view.says
            assert all(column.says for column in view.columns), view.name
    assert piece_of(DOCUMENT.read_text(encoding="utf-8"), "views") == made, "run `make reference`"


def test_the_document_is_made_anew_without_a_database_of_its_own(
    postgres: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql://nobody@127.0.0.1:1/not_there")
    page = DOCUMENT.read_text(encoding="utf-8")
    copy = tmp_path / "reporting.md"
    copy.write_text(page.replace(piece_of(page, "views"), "of yesterday"), encoding="utf-8")
    rewrite(copy, "views", views_of(postgres))
    assert copy.read_text(encoding="utf-8") == page


def test_the_queries_of_the_document_run(pipeline: Engine) -> None:
    queries = DOCUMENT.read_text(encoding="utf-8").split("```sql\n")[1:]
    with pipeline.connect() as connection:
        for query in queries:
            connection.execute(text(query.partition("```")[0]))
    assert len(queries) == 3


def test_a_source_of_dbt_has_the_same(run: Run, pipeline: Engine) -> None:
    [source] = yaml.safe_load(run("reporting", "dbt").stdout)["sources"]
    with pipeline.connect() as connection:
        there = {view.name: [each.name for each in view.columns] for view in views(connection)}
    assert source["schema"] == "reporting"
    assert {
        table["name"]: [each["name"] for each in table["columns"]] for table in source["tables"]
    } == there


def test_a_reader_reads_the_views_and_nothing_else(run: Run, pipeline: Engine) -> None:
    role = 'crm "reader"'
    try:
        assert "reads the schema reporting" in run("reporting", "reader", role).stdout
        run("reporting", "reader", role)
        with pipeline.connect() as connection:
            names = [view.name for view in views(connection)]
            connection.execute(text("CREATE VIEW reporting.later AS SELECT 1 AS one"))
            connection.execute(text('SET LOCAL ROLE "crm ""reader"""'))
            for name in [*names, "later"]:
                connection.execute(text(f"SELECT * FROM reporting.{name}"))
            for forbidden in (
                "SELECT FROM crm.account",
                "SELECT FROM daily.cycle",
                "SELECT FROM platform_inbox.message",
                "SELECT daily.let_read('x')",
                "CREATE VIEW reporting.mine AS SELECT 1 AS one",
                "CREATE TABLE mine ()",
            ):
                with pytest.raises(DBAPIError, match="42501"), connection.begin_nested():
                    connection.execute(text(forbidden))
    finally:
        with pipeline.begin() as connection:
            connection.execute(text('DROP OWNED BY "crm ""reader""" CASCADE'))
            connection.execute(text('DROP ROLE "crm ""reader"""'))


def test_who_may_make_no_role_is_told_whom_to_ask(run: Run, pipeline: Engine) -> None:
    assert "ask an administrator" in run("reporting", "reader", "pg_odd", fails=1).stderr


def test_what_there_is_is_counted_when_asked(run: Run, acme: str, pipeline: Engine) -> None:
    assert "Counted" in run("reporting", "count").stdout
    assert "### reporting.version" in run("reporting", "dictionary").stdout
