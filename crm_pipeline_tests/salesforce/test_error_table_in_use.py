"""Each entry of the error table, as a local org says it, where it makes a difference."""

import pytest

from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.salesforce.errors import (
    ERROR_TABLE,
    NOTHING_BEGUN,
    AccountPaused,
    AccountStopped,
    LostAnswer,
    OrgUnavailable,
    RequestRefused,
    SalesforceProblem,
    Treatment,
)
from crm_pipeline.salesforce.outcomes import Write
from crm_pipeline.salesforce.writes import send_by_composite
from crm_pipeline_tests.salesforce.orgs import CONFIG, LocalOrg

_OF_THE_ACCOUNT = {
    Treatment.STOP_ACCOUNT: AccountStopped,
    Treatment.PAUSE_ACCOUNT: AccountPaused,
    Treatment.LOG_IN_AGAIN: AccountStopped,
}


@pytest.fixture(scope="module")
def shared():
    """One org for all entries; each test brings its own weather."""
    with LocalOrgServer(CONFIG) as server:
        yield LocalOrg(server)


@pytest.fixture
def org(shared):
    shared.org.weather.faults.clear()
    return shared


@pytest.mark.parametrize("code", sorted(ERROR_TABLE))
def test_a_refused_read_means_what_the_table_says(org, code):
    org.weather("limits", "error", code=code, status=400, message="x", times=99)
    treatment = ERROR_TABLE[code]
    expected = _OF_THE_ACCOUNT.get(treatment, RequestRefused)
    if treatment is Treatment.RETRY:
        stops = code == "TXN_SECURITY_METERING_ERROR"
        expected = AccountStopped if stops else OrgUnavailable

    with pytest.raises(SalesforceProblem) as raised:
        org.connect().request("limits", "GET", "limits")

    assert type(raised.value) is expected


@pytest.mark.parametrize("code", sorted(ERROR_TABLE))
def test_a_refused_write_means_what_the_table_says(org, code):
    org.weather("create", "error", code=code, status=400, message="x", times=99)
    treatment = ERROR_TABLE[code]
    expected = _OF_THE_ACCOUNT.get(treatment, RequestRefused)
    if treatment is Treatment.RETRY:
        expected = OrgUnavailable if code in NOTHING_BEGUN else LostAnswer

    with pytest.raises(SalesforceProblem) as raised:
        org.connect().request("create", "POST", "sobjects/Lead", json={}, writes=True)

    assert type(raised.value) is expected


@pytest.mark.parametrize("code", sorted(ERROR_TABLE))
def test_a_collection_refused_within_a_call_means_what_the_table_says(org, code):
    org.weather("collections.create", "error", code=code, status=400, message="x", times=99)
    treatment = ERROR_TABLE[code]
    outcomes, raised = [], None

    try:
        for batch in send_by_composite(org.connect(), [Write(0, "Lead", "create", {})]):
            outcomes += batch
    except SalesforceProblem as problem:
        raised = type(problem)

    [outcome] = outcomes
    if treatment in {Treatment.STOP_ACCOUNT, Treatment.PAUSE_ACCOUNT}:
        assert (outcome.status, raised) == ("not_sent", _OF_THE_ACCOUNT[treatment])
    elif treatment is Treatment.LOG_IN_AGAIN or code in NOTHING_BEGUN:
        assert (outcome.status, raised) == ("not_sent", OrgUnavailable)
    elif treatment is Treatment.RETRY:
        assert (outcome.status, raised) == ("lost", None)
    else:
        assert (outcome.status, raised) == ("error", None)
        assert outcome.errors[0].treatment is treatment
