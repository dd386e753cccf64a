"""The needs and costs of attribution are said before it is switched on."""

import pytest
import requests
from sqlalchemy import Engine

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.accounts.attribution import AttributionSettings
from crm_pipeline.cli.account_login import needed_rights
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.flows.webinars.warehouse import track


def test_the_cost_is_said_and_nothing_changes_without_a_yes(
    run: Run, org: Org, pipeline: Engine
) -> None:
    with pipeline.begin() as connection:
        for lead in range(3):
            track(connection, lead, email="ada@example.com")
    switch = ("account", "set", "acme", "attribution={}")
    told = run(*switch, typed="n\n", fails=1).output
    assert "3 tracked leads are to be read: at most" in told
    assert "a call for each 10,000 leads and contacts" in told
    assert "attribution" not in run("account", "list").output
    run(*switch, "--yes")
    told = run("account", "show", "acme").output
    assert "Tracked leads as people" in told


def test_fields_that_the_org_lacks_are_named_and_numbers_counted(
    run: Run, org: Org, server: LocalOrgServer
) -> None:
    people = [{"LastName": f"P{n}", "Phone": "030 901820"} for n in range(4)]
    seeded = requests.post(
        f"{server.url_of('acme')}/_admin/seed", json={"Contact": people}, timeout=10
    )
    assert seeded.ok
    run("account", "set", "acme", 'attribution={"first_touch": {"source": "First__c"}}', "--yes")
    told = run("account", "test-login", "acme", fails=1)
    assert (
        "4 leads and contacts have a phone number: these are read once, in about 1 API call."
        in (" ".join(told.stdout.split()))
    )
    assert "Lead.First__c, Contact.First__c: not in the org, or hidden" in told.stderr
    run("account", "set", "acme", "attribution={}", "--yes")
    run("account", "test-login", "acme")


def test_a_hidden_number_is_told(run: Run, org: Org, server: LocalOrgServer) -> None:
    """Of a caller it is all that is known."""
    url = f"{server.url_of('acme')}/_admin/settings"
    assert requests.post(url, json={"hidden_fields": ["Lead.Phone"]}, timeout=10).ok
    run("account", "set", "acme", "attribution={}", "--yes")
    told = run("account", "test-login", "acme", fails=1).stderr
    assert "not let the user write Lead.Phone" in told


def test_opportunities_are_read_only_where_something_of_them_is_told() -> None:
    def needed(**attribution: object) -> set[str]:
        chosen = AttributionSettings.model_validate(attribution)
        return set(needed_rights(AccountSettings(attribution=chosen)))

    assert needed() - needed(triggers=[]) == {
        "Opportunity",
        "OpportunityContactRole",
        "OpportunityHistory",
        "OpportunityStage",
    }


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ('{"phone_region": "Germany"}', "two letters"),
        (
            '{"first_touch": {"sauce": "X__c"}}',
            "no setting 'attribution.first_touch.sauce'",
        ),
        ('{"id_field": "X__c", "kind_field": "x__c"}', "two values go to one field"),
        ('{"triggers": ["matching_filter"]}', "go together"),
        ('{"last_touch_policy": "always"}', "it is called source now"),
        ('{"further_fields": {"X__c": "nope"}}', "names 'nope', a column that"),
        (
            '{"further_fields": {"X__c": {"source": ["medium", "nope"]}}}',
            "names 'nope', a column that",
        ),
        (
            '{"further_fields": {"X__c": {"source": "medium", "separator": "-"}}}',
            "a separator stands between several columns",
        ),
        ("{bad", "a JSON object is expected"),
    ],
)
def test_impossible_choices_are_refused_with_the_reason(
    run: Run, org: Org, said: str, why: str
) -> None:
    told = run("account", "set", "acme", f"attribution={said}", fails=1).stderr
    assert why in told


def test_leads_that_other_choices_would_send_otherwise_are_counted_before(
    run: Run, org: Org, pipeline: Engine
) -> None:
    with pipeline.begin() as connection:
        for lead, phone in enumerate(("030 901820", "+43 664 1234567")):
            track(connection, lead, kind="call", phone=phone)
        track(connection, 3, kind="form", email="ada@example.com")
    run("account", "set", "acme", 'attribution={"kinds": ["call"]}', "--yes")
    run("cycle", "acme")
    told = run("account", "set", "acme", 'attribution={"phone_region": "DE"}', typed="n\n", fails=1)
    assert "2 tracked leads have another number by this, or are sent or left out" in told.output
    assert "the phone numbers of the org are read again." in told.output


def test_a_field_of_attribution_may_have_a_policy_of_its_own(run: Run, org: Org) -> None:
    policy = 'person_field_policies={"First__c": "never"}'
    assert "fills no field" in run("account", "set", "acme", policy, fails=1).stderr
    attribution = 'attribution={"first_touch": {"source": "First__c"}}'
    run("account", "set", "acme", attribution, policy, "--yes")
