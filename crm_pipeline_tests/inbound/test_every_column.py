"""Every column that can hold text is on one of the two lists: erased, or of nobody."""

from sqlalchemy import Engine, text

from crm_pipeline.database.statements import SQL
from crm_pipeline.inbound.erasing import ERASED, IMPERSONAL


def columns(pipeline: Engine) -> set[str]:
    """The columns of the pipeline's own tables that can hold text, but for account_id."""
    with pipeline.connect() as connection:
        return set(
            connection.scalars(
                text(
                    "SELECT c.table_schema || '.' || c.table_name || '.' || c.column_name"
                    " FROM information_schema.columns AS c"
                    " JOIN information_schema.tables AS t USING (table_schema, table_name)"
                    " WHERE t.table_type = 'BASE TABLE'"
                    " AND c.table_schema IN ('crm', 'platform_inbox')"
                    " AND (c.data_type IN ('text', 'character varying', 'character', 'jsonb',"
                    " 'json', 'xml') OR c.udt_name IN ('_text', '_varchar', '_jsonb'))"
                    " AND c.column_name <> 'account_id' AND c.table_name <> 'migration'"
                )
            )
        )


def test_no_column_is_on_no_list(pipeline: Engine):
    erased = {f"{table}.{column}" for table, names in ERASED.values() for column in names}
    assert erased.isdisjoint(IMPERSONAL)
    there = columns(pipeline)
    assert there - erased - IMPERSONAL.keys() == set(), (
        "a new column: have sql/erasure/ erase it (ERASED), or say why it tells of nobody "
        "(IMPERSONAL), both in crm_pipeline/inbound/erasing.py"
    )
    assert (erased | IMPERSONAL.keys()) - there == set(), "listed, and not there any more"


def test_every_statement_is_for_the_table_that_it_says():
    for name, (table, _) in ERASED.items():
        said = (SQL / f"erasure/{name}.sql").read_text(encoding="utf-8")
        assert any(f"{verb} {table}" in said for verb in ("DELETE FROM", "UPDATE")), name
    finding = {"people", "operations", "record_ids", "user_ids", "tracked_ids"}
    finding |= {"shared_records", "stood_for"}
    assert {path.stem for path in (SQL / "erasure").glob("*.sql")} == ERASED.keys() | finding
