import pytest
import requests
from sqlalchemy import Engine, text

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.accounts.campaigns import CampaignSettings
from crm_pipeline.accounts.credentials import mark_refused, refused
from crm_pipeline.cli.account_login import missing_rights, needed_rights
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.cli.conftest import Run


def test_a_login_that_works_is_told_with_the_org_and_its_api_budget(run: Run, org: Org):
    told = run("account", "test-login", "acme").stdout
    assert f"logged in to org {org.id}" in told
    assert "of 15000" in told


def test_refused_credentials_are_told_remembered_and_not_tried_again(
    run: Run, org: Org, pipeline: Engine
):
    run("account", "credentials", "acme", typed="3MVG9\nwr0ng\n")
    told = run("account", "test-login", "acme", fails=1)
    assert "invalid_client" in told.stderr
    assert "wr0ng" not in told.output
    with pipeline.connect() as connection:
        assert refused(connection, "acme")
    again = run("account", "test-login", "acme", fails=1).stderr
    assert "may lock the user out" in again
    assert "--again" in again


def test_a_login_that_works_again_forgets_the_refusal(run: Run, org: Org, pipeline: Engine):
    with pipeline.begin() as connection:
        mark_refused(connection, "acme", "inactive user")
    run("account", "test-login", "acme", "--again")
    with pipeline.connect() as connection:
        assert refused(connection, "acme") is None


def test_an_org_that_is_down_is_told_and_is_no_refusal(
    run: Run, org: Org, server: LocalOrgServer, pipeline: Engine
):
    nobody = f"{server.url_of('acme')}-x"
    for address, why in (("http://127.0.0.1:1", "no connection"), (nobody, "HTTP 404")):
        run("account", "set", "acme", f"--login-url={address}")
        told = run("account", "test-login", "acme", fails=1).stderr
        assert told.startswith("Account acme: ")
        assert why in told
        assert f"check that {address} is the org's address" in told
    with pipeline.connect() as connection:
        assert refused(connection, "acme") is None


def test_an_account_without_credentials_is_told_how_to_set_them(
    run: Run, org: Org, pipeline: Engine
):
    with pipeline.begin() as connection:
        connection.execute(text("DELETE FROM crm.credential"))
    assert (
        "crm-pipeline account credentials acme"
        in run("account", "test-login", "acme", fails=1).stderr
    )


@pytest.mark.parametrize(
    "field", ["Lead.Email", "Lead.LastName", "Lead.Company", "Event.WhoId", "Event.Subject"]
)
def test_a_hidden_field_without_which_nothing_goes_is_told(
    run: Run, org: Org, server: LocalOrgServer, field: str
):
    answer = requests.post(
        f"{server.url_of('acme')}/_admin/settings", json={"hidden_fields": [field]}, timeout=10
    )
    assert answer.ok
    told = run("account", "test-login", "acme", fails=1).stderr
    assert f"not let the user write {field}" in told
    assert "Read and Edit on it in a permission set" in told


@pytest.mark.parametrize(
    "field", ["Contact.Email", "Contact.Phone", "Lead.City", "Lead.LeadSource"]
)
def test_a_hidden_field_of_the_default_mapping_is_told(
    run: Run, org: Org, server: LocalOrgServer, field: str
):
    """Only those were that the account's own mapping names."""
    answer = requests.post(
        f"{server.url_of('acme')}/_admin/settings", json={"hidden_fields": [field]}, timeout=10
    )
    assert answer.ok
    told = run("account", "test-login", "acme", fails=1).stderr
    assert f"{field}: not in the org, or hidden" in told
    run("account", "mapping", "set", "acme", field, "--nothing", fails=int("Email" in field))
    run("account", "test-login", "acme", fails=int("Email" in field))


def rights(sobject: str, **lacking: bool) -> dict[str, object]:
    return {"name": sobject, "queryable": True, "createable": True, "updateable": True} | lacking


def test_rights_that_the_user_lacks_are_named():
    needed = needed_rights(AccountSettings())
    lead, event = rights("Lead"), rights("Event")
    assert missing_rights([lead, event, rights("Contact", createable=False)], needed) == []
    lead = rights("Lead", updateable=False, createable=False)
    assert missing_rights([lead, event], needed) == ["Lead: Create, Edit", "Contact: all rights"]


def test_objects_without_rights_of_their_own_say_what_shows_them():
    needed = needed_rights(AccountSettings.parse("acme", {"attribution": {}}))
    assert "OpportunityStage" in needed
    [said] = missing_rights([], {"OpportunityStage": needed["OpportunityStage"]})
    assert "OpportunityStage: all rights (no permission set lists it" in said
    assert "Read on Opportunity, else with View Setup and Configuration" in said


def test_with_campaigns_their_rights_are_needed_too():
    there = [rights(name) for name in ("Lead", "Event", "CampaignMember")]
    there += [rights(name, createable=False) for name in ("Contact", "Campaign")]
    assert missing_rights(
        there, needed_rights(AccountSettings(unknown_email="Contact", campaigns=CampaignSettings()))
    ) == [
        "Contact: Create",
        "Campaign: Create",
        "CampaignMemberStatus: all rights",
    ]
    there.append(rights("CampaignMemberStatus", createable=False))
    few = CampaignSettings(create_campaigns=False, unknown_status="report")
    assert missing_rights(there, needed_rights(AccountSettings(campaigns=few))) == []


def test_the_orgs_own_domains_are_proposed_as_filters(run: Run, org: Org) -> None:
    users = org.table("User").rows.values()
    for number, each in enumerate(users):
        each["Email"] = f"u{number}@acme.example"
    told = run("account", "test-login", "acme").stdout
    assert "crm-pipeline account filter add acme @acme.example" in " ".join(told.split())
    run("account", "filter", "add", "acme", "@acme.example")
    assert "filter add" not in run("account", "test-login", "acme").stdout
    for each in users:
        each["Email"] = "somebody@gmail.com"
    run("account", "filter", "remove", "acme", "@acme.example")
    assert "filter add" not in run("account", "test-login", "acme").stdout
