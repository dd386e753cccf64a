"""The statements of `sql/`, by the name of their file.

Those that read the warehouse may stand in a folder of one's own (EXTRACT_DIR), and in one for the
warehouse's dialect where that must say something otherwise.
"""

from functools import cache
from pathlib import Path

from sqlalchemy import TextClause, text

from crm_pipeline.settings import FILES, settings

SQL = FILES / "sql"

EXTRACTS = "extract"
"""The folder below `sql/` whose statements read the warehouse."""


def statement(name: str) -> TextClause:
    """The statement in `sql/<name>.sql`, with its parameters written `:name`.

    Args:
        name: path below `sql/` without its ending, such as `ledger/due_people`.

    Raises:
        FileNotFoundError: there is no such statement.
    """
    return _read(name, statement_file(name))


@cache
def _read(name: str, file: Path) -> TextClause:
    return text(file.read_text(encoding="utf-8")).execution_options(statement=name)


def explain(name: str) -> TextClause:
    """The statement that asks PostgreSQL for its plan of another one, as JSON."""
    return text(f"EXPLAIN (FORMAT JSON) {statement(name).text}")


def statement_file(name: str) -> Path:
    """The file of a statement.

    Of an extract that in EXTRACT_DIR, else that of the warehouse's dialect
    (`sql/extract/<dialect>/`), where these have it.
    """
    # Others are asked for at import, too, when settings may not have been made yet.
    if name.startswith(f"{EXTRACTS}/"):
        chosen, path = settings(), name.removeprefix(f"{EXTRACTS}/")
        folders = (chosen.extract_dir, SQL / EXTRACTS / chosen.warehouse_dialect)
        for file in (folder / f"{path}.sql" for folder in folders if folder):
            if file.is_file():
                return file
    return SQL / f"{name}.sql"


def extract_shown(name: str) -> str:
    """How people are told of an extract: its file below `sql/`, or in EXTRACT_DIR by its path."""
    file = statement_file(f"{EXTRACTS}/{name}")
    return str(file.relative_to(FILES) if file.is_relative_to(SQL) else file)
