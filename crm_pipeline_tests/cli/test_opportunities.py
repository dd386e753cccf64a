"""The needs of opportunities, and triggers that another filter would fire, are said beforehand."""

from typing import Any

import orjson
import requests
from sqlalchemy import Engine, text

from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.flows.webinars.warehouse import track


def admin(server: LocalOrgServer, path: str, **body: Any) -> Any:
    answer = requests.post(f"{server.url_of('acme')}/_admin/{path}", json=body, timeout=10)
    answer.raise_for_status()
    return answer.json()


def deal(server: LocalOrgServer, **fields: Any) -> str:
    known = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31", **fields}
    return str(admin(server, "create", object="Opportunity", fields=known)["id"])


def attribution(least: float, field: str = "Amount") -> str:
    chosen = {
        "triggers": ["new", "matching_filter"],
        "opportunity_filter": [{"field": field, "operator": ">=", "value": least}],
        "currency": "EUR",
    }
    return f"attribution={orjson.dumps(chosen).decode()}"


def cycle() -> None:
    report = sync_account("acme", run_id="test")
    assert report.state == "Complete", report.reason


def fired(pipeline: Engine) -> set[str]:
    with pipeline.connect() as connection:
        return set(
            connection.scalars(
                text(
                    "SELECT opportunity_id FROM crm.opportunity_firing"
                    " WHERE trigger = 'matching_filter'"
                )
            )
        )


def test_the_preview_of_a_filter_is_what_it_then_fires(
    run: Run, org: Org, server: LocalOrgServer, pipeline: Engine
) -> None:
    run("account", "set", "acme", "attribution={}", "read_back_minutes=0", "--yes")
    small, big, bigger = (deal(server, Amount=amount) for amount in (5, 1000.5, 2000))
    cycle()
    told = run("account", "set", "acme", attribution(1000), typed="n\n", fails=1).output
    told = " ".join(told.split())
    assert "The filter fires for 2 opportunities as they stand, 3000.50 EUR in all" in told
    assert big in told
    assert bigger in told
    assert small not in told
    cycle()
    assert fired(pipeline) == set()
    run("account", "set", "acme", attribution(1000), "--yes")
    cycle()
    assert fired(pipeline) == {big, bigger}
    told = " ".join(run("account", "set", "acme", attribution(1), "--yes").output.split())
    assert f"The filter fires for 1 opportunities as they stand, 5.00 EUR in all: {small}." in told
    cycle()
    assert fired(pipeline) == {small, big, bigger}
    told = run("account", "set", "acme", attribution(500)).output
    assert "As opportunities stand, the filter fires for none" in " ".join(told.split())


def test_opportunities_without_a_field_of_the_filter_are_judged_later(
    run: Run, org: Org, server: LocalOrgServer, pipeline: Engine
) -> None:
    run("account", "set", "acme", "attribution={}", "read_back_minutes=0", "--yes")
    made = deal(server, TotalOpportunityQuantity=7)
    cycle()
    told = run("account", "set", "acme", attribution(5, "TotalOpportunityQuantity"), "--yes").output
    assert "1 were read without a field that it asks for" in " ".join(told.split())
    cycle()
    cycle()
    assert fired(pipeline) == {made}


def test_the_first_reading_is_counted_by_how_far_it_goes_back(
    run: Run, org: Org, server: LocalOrgServer
) -> None:
    old = {"Name": "Old", "StageName": "Prospecting", "CloseDate": "2024-12-31"}
    stamps = dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"))
    admin(
        server, "seed", Opportunity=[{**old, **dict.fromkeys(stamps, "2024-01-01T00:00:00.000Z")}]
    )
    deal(server, ContactId=admin(server, "seed", Contact=[{"LastName": "C"}])["Contact"][0])
    for days, number in ((90, 1), (3650, 2)):
        run("account", "set", "acme", f'attribution={{"first_reading_days": {days}}}', "--yes")
        told = " ".join(run("account", "test-login", "acme").stdout.split())
        assert (
            f"{number} opportunities and 1 contact roles changed in the last {days} days: the "
            "first reading takes about 4 API calls." in told
        )
    run("account", "set", "acme", 'attribution={"triggers": []}', "--yes")
    assert "contact roles" not in run("account", "test-login", "acme").stdout


def test_a_filter_that_compares_with_nothing_is_refused(
    run: Run, org: Org, server: LocalOrgServer
) -> None:
    """By the type of the field: of standard ones it is known, of others once the org was seen."""

    def chosen(field: str, value: object) -> str:
        condition = {"field": field, "operator": "=", "value": value}
        only = {"triggers": ["matching_filter"], "opportunity_filter": [condition]}
        return f"attribution={orjson.dumps(only).decode()}"

    refused = run("account", "set", "acme", chosen("closedate", "31.12.2026"), "--yes", fails=1)
    assert "closedate = '31.12.2026' compares with nothing. Name a day such as" in refused.stderr
    run("account", "set", "acme", chosen("LastActivityDate", "31.12.2026"), "--yes")
    seen = run("account", "test-login", "acme", fails=1)
    assert "LastActivityDate = '31.12.2026' compares with nothing" in seen.stderr
    run("account", "set", "acme", chosen("LastActivityDate", "2026-12-31"), "--yes")
    run("account", "set", "acme", chosen("LastActivityDate", "1.1.2026"), "--yes", fails=1)
    assert "2026-12-31" in run("account", "show", "acme").output


def test_what_was_told_and_what_waits_is_shown(
    run: Run, org: Org, server: LocalOrgServer, pipeline: Engine
) -> None:
    chosen = {"opportunity_id_field": "NextStep", "currency": "EUR"}
    run("account", "set", "acme", f"attribution={orjson.dumps(chosen).decode()}", "--yes")
    assert "No opportunity of account acme waits." in run("account", "opportunities", "acme").output
    with pipeline.begin() as connection:
        track(connection, 1, email="ada@example.com", contact_name="Ada Lovelace")
    waiting = deal(server, Amount=5)
    deal(server, Amount=1000.5, NextStep="1", StageName="Closed Won")
    cycle()
    told = run("account", "opportunities", "acme").output
    assert "won\tEUR\t1\t1,000.50\t1,000.50" in told
    reason = "no contact has a role in it, and no lead was converted into it"
    assert f"{reason}\t1\t{waiting}" in told


def test_hidden_fields_of_opportunities_and_the_currency_are_told(
    run: Run, org: Org, server: LocalOrgServer
) -> None:
    run("account", "set", "acme", "attribution={}", "--yes")
    told = run("account", "test-login", "acme").output
    assert "amounts are told without one" in " ".join(told.split())
    admin(server, "settings", hidden_fields=["Opportunity.Amount", "OpportunityContactRole.Role"])
    told = run("account", "test-login", "acme", fails=1).stderr
    assert "Opportunity.Amount, OpportunityContactRole.Role: not in the org, or hidden" in told
    run("account", "set", "acme", 'attribution={"triggers": []}', "--yes")
    run("account", "test-login", "acme")
