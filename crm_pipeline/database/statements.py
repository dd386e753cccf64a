"""The statements of `sql/`, by the name of their file; extracts also from a folder of one's own."""

from functools import cache
from pathlib import Path

from sqlalchemy import TextClause, text

from crm_pipeline.settings import FILES, settings

SQL = FILES / "sql"

EXTRACTS = "extract"
"""The folder below `sql/` whose statements read the warehouse."""


@cache
def statement(name: str) -> TextClause:
    """The statement in `sql/<name>.sql`, with its parameters written `:name`.

    Args:
        name: path below `sql/` without its ending, such as `ledger/due_people`.

    Raises:
        FileNotFoundError: there is no such statement.
    """
    written = text(statement_file(name).read_text(encoding="utf-8"))
    return written.execution_options(statement=name)


def statement_file(name: str) -> Path:
    """The file of a statement: of an extract that in EXTRACT_DIR, where that has it."""
    path = Path(f"{name}.sql")
    # Others are asked for at import, too, when settings may not have been made yet.
    if path.parts[0] == EXTRACTS and (own := settings().extract_dir):
        file = own.joinpath(*path.parts[1:])
        if file.is_file():
            return file
    return SQL / f"{name}.sql"


def extract_shown(name: str) -> str:
    """How people are told of an extract: its file below `sql/`, or in EXTRACT_DIR by its path."""
    file = statement_file(f"{EXTRACTS}/{name}")
    return str(file.relative_to(FILES) if file.is_relative_to(SQL) else file)
