"""The statements of `sql/`, by the name of their file."""

from functools import cache

from sqlalchemy import TextClause, text

from crm_pipeline.settings import PROJECT

SQL = PROJECT / "sql"


@cache
def statement(name: str) -> TextClause:
    """The statement in `sql/<name>.sql`, with its parameters written `:name`.

    Args:
        name: path below `sql/` without its ending, such as `ledger/due_people`.

    Raises:
        FileNotFoundError: there is no such statement.
    """
    written = text((SQL / f"{name}.sql").read_text(encoding="utf-8"))
    return written.execution_options(statement=name)
