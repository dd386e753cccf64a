"""Two accounts with prospects in one org: neither has what is the other's."""

from sqlalchemy import text

from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench, account_of
from crm_pipeline_tests.cycle.engagement.conftest import complete
from crm_pipeline_tests.flows.engagement.warehouse import prospect


def test_a_prospect_with_the_id_of_another_accounts_is_refused(bench: Bench) -> None:
    """It was written over that one, and nobody knew."""
    prospect(bench.connection, "ada", email="ada@x.example")
    complete(bench)
    account_of(bench.connection, bench.server, "birch", "client-2", org=ACCOUNT, engagement={})
    for name in ("ada", "bob"):
        prospect(bench.connection, name, client_id="client-2", email="bob@x.example")
    assert bench.cycle(account="birch").state == "Complete"
    held = {each["Prospect_Id__c"]: each["Email__c"] for each in bench.records("Prospect__c")}
    assert held == {"ada": "ada@x.example", "bob": "bob@x.example"}
    code, message = bench.connection.execute(
        text("SELECT error_code, error_message FROM crm.operation WHERE state = 'failed'")
    ).one()
    assert code == "KEY_TAKEN"
    assert message == (
        "prospect:ada has the Prospect__c.Prospect_Id__c of a record of account acme, which has "
        "the same org; choose other objects there, or another prefix"
    )
