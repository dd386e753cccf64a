"""A removal looks by key and index: the account's size is of no matter to it."""

from sqlalchemy import Engine, text

from crm_pipeline.accounts.account import Account, AccountSettings
from crm_pipeline.accounts.store import add_account
from crm_pipeline.database.statements import statement
from crm_pipeline.inbound.erasing import Traces

OPERATIONS = (
    "INSERT INTO crm.operation (account_id, flow, kind, natural_key, version, person_key, as_of,"
    " content_hash, intent, state, read_by) SELECT 'acme', 'x', 'activity', 'r:' || n, 1, n, now(),"
    " '', '{}', 'done', 1 FROM generate_series(1, 20000) AS n"
)


def test_no_operation_is_read_but_those_that_an_index_gives(pipeline: Engine):
    with pipeline.begin() as connection:
        account = Account("acme", "a", "a", "https://x.my.salesforce.com", True, AccountSettings())
        add_account(connection, account)
        connection.execute(
            text(
                "INSERT INTO crm.cycle (account_id, run_id, state, started_at)"
                " VALUES ('acme', 'x', 'Complete', now() - interval '8 days')"
            )
        )
        connection.execute(text(OPERATIONS))
        connection.execute(text("ANALYZE crm.operation, crm.cycle"))
        whose = Traces("acme", ("tom@example.com",), (), person_keys=(7,)).parameters()
        looks = f"EXPLAIN (ANALYZE, TIMING OFF) {statement('erasure/operations').text}"
        plan = "\n".join(connection.scalars(text(looks), whose))
        found = connection.execute(statement("erasure/operations"), whose).all()
    assert [(row.natural_key, row.is_about) for row in found] == [("r:7", True)]
    assert "operation_about_person" in plan
    assert "Seq Scan on operation" not in plan, plan
