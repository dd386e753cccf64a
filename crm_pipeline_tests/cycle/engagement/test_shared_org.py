"""Two accounts with prospects in one org: neither has what is the other's."""

from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.accounts.engagement import EngagementSettings
from crm_pipeline.sample.subscribers import subscribers
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench, account_of
from crm_pipeline_tests.cycle.engagement.conftest import Engaged, complete
from crm_pipeline_tests.cycle.engagement.test_matching import NOTHING, lead, shown
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


@pytest.mark.deep
@pytest.mark.parametrize("by_event", [False, True])
def test_a_field_of_a_lead_belongs_to_the_account_that_filled_it(
    engaged: Engaged, by_event: bool
) -> None:
    """Each wrote over the other's, with every change; and who was cleaned emptied both."""
    chosen: dict[str, Any] = {"by_event": by_event, "confirm_minutes": 0}
    flow = {"subscribers": subscribers(EngagementSettings(**chosen))} if by_event else {}
    with engaged(flow, **chosen) as bench:
        known, other = lead(bench, "ada@x.example"), lead(bench, "eve@x.example")
        prospect(bench.connection, "ada", favorite=True, temperature=70)
        complete(bench)
        settings: dict[str, Any] = {"engagement": chosen, "read_back_minutes": 0}
        account_of(bench.connection, bench.server, "birch", "client-2", org=ACCOUNT, **settings)

        def birch() -> str:
            report = bench.cycle(account="birch")
            assert report.state == "Complete", report.reason
            found = bench.connection.scalars(
                text(
                    "SELECT error_message FROM crm.operation WHERE account_id = 'birch'"
                    " AND state = 'failed'"
                )
            )
            return "; ".join(found)

        of_ada = {"Prospect_Id__c": "ada", "Favorite__c": True, "Temperature__c": 70}
        for name in ("ada", "eve"):
            email = f"{name}@x.example"
            prospect(
                bench.connection, f"b-{name}", client_id="client-2", email=email, favorite=True
            )
        assert birch() == (
            "Account acme, which has the same org, fills Lead.Favorite__c, Lead.Prospect_Id__c of "
            "this record; choose other fields for one of the two"
        )
        assert shown(bench, "Lead", known) == of_ada
        assert shown(bench, "Lead", other) == {
            **NOTHING,
            "Prospect_Id__c": "b-eve",
            "Favorite__c": True,
        }
        for name in ("ada", "eve"):
            email = f"{name}@x.example"
            said = {"email": email, "life_cycle": "Deleted"}
            prospect(bench.connection, f"b-{name}", client_id="client-2", **said)
        assert birch() == ""
        assert shown(bench, "Lead", known) == of_ada
        assert shown(bench, "Lead", other) == NOTHING
        # Whoever has nothing there any more leaves the field to the other.
        prospect(bench.connection, "ada", life_cycle="Deleted", favorite=True)
        for _ in range(2):
            complete(bench)
        prospect(bench.connection, "b-ada", client_id="client-2", email="ada@x.example")
        assert birch() == ""
        assert shown(bench, "Lead", known)["Prospect_Id__c"] == "b-ada"
