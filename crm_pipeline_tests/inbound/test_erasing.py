"""A removal looks by key and index: the account's size is of no matter to it."""

from sqlalchemy import Engine, text

from crm_pipeline.accounts.account import Account, AccountSettings
from crm_pipeline.accounts.store import add_account
from crm_pipeline.database.statements import statement
from crm_pipeline.inbound.erasing import Traces
from crm_pipeline.ledger.candidates import Choice, note_choices

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


def test_a_removed_person_s_record_is_no_candidate_for_others_any_more(pipeline: Engine):
    """As where several people have one number."""
    with pipeline.begin() as connection:
        for account_id in ("acme", "other"):
            url = f"https://{account_id}.my.salesforce.com"
            account = Account(account_id, account_id, "a", url, True, AccountSettings())
            add_account(connection, account)
        for number, (account_id, chosen, others) in enumerate(
            (
                ("acme", "00Q1", ["00Q8"]),
                ("acme", "00Q2", ["00Q7", "00Q9"]),
                ("acme", "00Q9", ["00Q3"]),
                ("acme", "00Q4", ["00Q5"]),
                ("other", "00Q9", ["00Q6"]),
            )
        ):
            choices = [Choice(number, chosen, others)]
            note_choices(connection, account_id, choices)
        whose = Traces("acme", (), (), operation_ids=(0,), records=(("Lead", "00Q9"),))
        connection.execute(statement("erasure/candidate"), whose.parameters())
        left = connection.scalars(text("SELECT operation_id FROM crm.candidate ORDER BY 1")).all()
    assert left == [3, 4]
