"""The extracts of each dialect: they parse in it, and hold the contract of PostgreSQL's."""

from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlalchemy import text
from sqlglot import exp

from crm_pipeline.database.statements import SQL
from crm_pipeline.settings import dialects_of_extracts

EXTRACTS = SQL / "extract"
ALL = sorted(str(file.relative_to(EXTRACTS)) for file in EXTRACTS.rglob("*.sql"))
OF_DIALECTS = [each for each in ALL if Path(each).parts[0] in dialects_of_extracts()]


def parsed(file: str) -> Any:
    dialect = Path(file).parts[0]
    dialect = dialect if dialect in dialects_of_extracts() else "postgres"
    return sqlglot.parse_one((EXTRACTS / file).read_text(encoding="utf-8"), dialect=dialect)


@pytest.mark.parametrize("file", ALL)
def test_it_parses(file: str) -> None:
    assert isinstance(parsed(file), exp.Query | exp.Set)


@pytest.mark.parametrize("file", OF_DIALECTS)
def test_it_asks_and_gives_what_postgresqls_does(file: str) -> None:
    shipped = str(Path(*Path(file).parts[1:]))
    assert shipped in ALL
    if shipped != "one_snapshot.sql":
        assert parsed(file).named_selects == parsed(shipped).named_selects
        assert parameters(file) == parameters(shipped)


def parameters(file: str) -> set[str]:
    return set(text((EXTRACTS / file).read_text(encoding="utf-8")).compile().params)
