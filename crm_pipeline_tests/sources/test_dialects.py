"""The extracts of each dialect: made of PostgreSQL's, they parse there and hold their contract."""

from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlalchemy import text
from sqlglot import exp

from crm_pipeline.database.statements import SQL
from crm_pipeline.settings import dialects_of_extracts
from crm_pipeline_tests.sources.dialects import BY_HAND, WAYS, statements

EXTRACTS = SQL / "extract"
MADE = dict(statements())
DIALECTS = ("postgresql", *sorted(WAYS))


def files_of(dialect: str) -> list[Path]:
    if dialect != "postgresql":
        return sorted((EXTRACTS / dialect).rglob("*.sql"))
    files = EXTRACTS.rglob("*.sql")
    return [each for each in files if each.relative_to(EXTRACTS).parts[0] not in WAYS]


def parsed(file: Path, dialect: str) -> Any:
    read = "postgres" if dialect == "postgresql" else WAYS[dialect]["dialect"]
    return sqlglot.parse_one(file.read_text(encoding="utf-8"), dialect=read)


def test_each_dialect_that_has_a_folder_is_made() -> None:
    assert dialects_of_extracts() == WAYS.keys()


@pytest.mark.parametrize("dialect", WAYS)
def test_the_statements_are_those_that_are_made(dialect: str) -> None:
    made = {file: said for file, said in MADE.items() if file.is_relative_to(EXTRACTS / dialect)}
    there = {
        file: file.read_text(encoding="utf-8")
        for file in files_of(dialect)
        if file.stem not in BY_HAND
    }
    assert there == made, "run `make extracts`"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_they_parse(dialect: str) -> None:
    for file in files_of(dialect):
        tree = parsed(file, dialect)
        assert isinstance(tree, exp.Query | exp.Set), file
        assert not list(tree.find_all(exp.Command)), file


@pytest.mark.parametrize("dialect", WAYS)
def test_they_ask_and_give_what_postgresqls_do(dialect: str) -> None:
    for file in files_of(dialect):
        shipped = EXTRACTS / file.relative_to(EXTRACTS / dialect)
        assert shipped.is_file()
        if file.stem not in BY_HAND:
            given = parsed(file, dialect).named_selects
            assert given == parsed(shipped, "postgresql").named_selects, file
            assert parameters(file) == parameters(shipped), file


@pytest.mark.parametrize("dialect", sorted(WAYS.keys() - {"duckdb"}))
def test_nothing_is_left_that_only_postgresql_says(dialect: str) -> None:
    """A function or an array of PostgreSQL would parse in any dialect, and fail or lie there."""
    for file in files_of(dialect):
        said = file.read_text(encoding="utf-8").partition("\n--")[2].lower()
        for word in (
            "isfinite",
            "lateral",
            "unnest(cast",
            "any(",
            "jsonb",
            "epoch from",
            "filter (",
            "now()",
            "getdate",
            "::",
        ):
            assert word not in said, (file, word)


def parameters(file: Path) -> set[str]:
    return set(text(file.read_text(encoding="utf-8")).compile().params)
