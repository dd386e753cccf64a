"""The org that an account delivers to: kept, compared at each login, decided about by people."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.orgs import org_of, settle_org
from crm_pipeline.accounts.store import get_account, update_account
from crm_pipeline.local_org.ids import long_id
from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, account_of, bench_of
from crm_pipeline_tests.flows.webinars.warehouse import add_person, add_sessions, attend, register

__all__ = ["run"]


@pytest.fixture
def bench(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """The account's org, and another one where it may be led to."""
    with bench_of(
        {"name": ACCOUNT, **ORG}, pipeline, monkeypatch, {"name": "other", **ORG}
    ) as made:
        yield made


def one_registration(bench: Bench) -> None:
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    assert bench.cycle().state == "Complete"


def lead_to(bench: Bench, login_url: str) -> None:
    account = get_account(bench.connection, ACCOUNT)
    update_account(bench.connection, replace(account, login_url=login_url))


def test_another_org_behind_the_login_url_stops_the_account_though_nothing_is_new(
    bench: Bench,
) -> None:
    one_registration(bench)
    lead_to(bench, bench.server.url_of("other"))
    for _ in range(2):
        report = bench.cycle()
        assert report.state == "Failed"
        assert bench.org.id in report.reason
        assert bench.server.org("other").id in report.reason
        assert "`crm-pipeline account org acme`" in report.reason
        assert report.counts.api_calls == 0
    lead_to(bench, bench.server.url_of(ACCOUNT))
    assert bench.cycle().state == "Complete"


def test_a_refreshed_sandbox_stops_the_account_before_anything_is_written(bench: Bench) -> None:
    one_registration(bench)
    before = bench.org.id
    refreshed = bench.org.id = str(long_id("00DREFRESHED000"))
    attend(bench.connection, 1, 1, minute=60)
    report = bench.cycle()
    assert (report.state, report.counts.api_calls) == ("Failed", 0)
    assert before in report.reason
    assert refreshed in report.reason
    assert len(bench.records("Event")) == 1


def test_an_account_id_given_anew_does_not_believe_in_the_former_org(bench: Bench) -> None:
    one_registration(bench)
    bench.connection.execute(text("DELETE FROM crm.account"))
    account_of(bench.connection, bench.server, ACCOUNT, org="other")
    report = bench.cycle()
    assert report.state == "Failed"
    assert "whether the new org has the same data or all is to start anew" in report.reason


def test_the_same_data_goes_on_where_it_was(bench: Bench, run: Run) -> None:
    one_registration(bench)
    bench.org.id = str(long_id("00DREFRESHED000"))
    attend(bench.connection, 1, 1, minute=60)
    bench.cycle()
    assert "nothing is sent again" in run("account", "org", ACCOUNT, "--same-data", "--yes").stdout
    report = bench.cycle()
    assert (report.state, report.tally.overall("activities_created")) == ("Complete", 1)
    assert len(bench.records("Lead")) == 1
    assert len(bench.records("Event")) == 2
    shown = run("account", "org", ACCOUNT).stdout
    assert bench.org.id in shown


def test_starting_anew_says_its_cost_and_sends_everything_again(bench: Bench, run: Run) -> None:
    one_registration(bench)
    lead_to(bench, bench.server.url_of("other"))
    bench.cycle()
    run("account", "org", ACCOUNT, "--start-anew", typed="n\n", fails=1)
    assert bench.cycle().state == "Failed"
    said = run("account", "org", ACCOUNT, "--start-anew", "--yes").stdout
    assert "1 people are looked up again, and 1 activities" in said
    assert "about 3 API calls" in said
    report = bench.cycle()
    assert (report.state, report.tally.overall("leads_created")) == ("Complete", 1)
    other = bench.server.org("other")
    [lead] = other.table("Lead").rows.values()
    [event] = other.table("Event").rows.values()
    assert event["WhoId"] == lead["Id"]
    assert bench.cycle().counts.api_calls == 0


def test_an_account_that_delivered_nothing_may_go_to_another_org(bench: Bench) -> None:
    add_person(bench.connection, 1, country_code="Atlantis")
    register(bench.connection, 1, 1)
    bench.cycle()
    lead_to(bench, bench.server.url_of("other"))
    assert bench.cycle().state == "Complete"


def test_there_is_nothing_to_decide_about_the_org_that_it_always_was(
    bench: Bench, run: Run
) -> None:
    run("account", "org", ACCOUNT, fails=1)
    one_registration(bench)
    said = run("account", "org", ACCOUNT, "--start-anew", "--yes", fails=1)
    assert "nothing to decide" in said.stderr


def test_a_second_account_with_the_same_client_and_org_is_refused(bench: Bench) -> None:
    one_registration(bench)
    account_of(bench.connection, bench.server, "twin", org=ACCOUNT)
    report = bench.cycle(account="twin")
    assert report.state == "Failed"
    assert "Account acme delivers client client-1 to org" in report.reason
    assert len(bench.records("Event")) == 1
    assert bench.cycle().state == "Complete"


@pytest.mark.parametrize("first", [True, False])
def test_a_client_that_another_account_delivered_there_before_is_not_delivered_twice(
    bench: Bench, run: Run, first: bool
) -> None:
    """Whoever comes first: the account that is another client now, or the one that takes its."""
    one_registration(bench)
    add_sessions(bench.connection, 3, client="client-2")
    bench.connection.commit()
    run("account", "set", ACCOUNT, "--client", "client-2", "--yes")
    if first:
        # It logs in only where there is something to send.
        add_person(bench.connection, 2, client="client-2")
        register(bench.connection, 2, 2, session=3, client="client-2")
        assert bench.cycle().tally.overall("activities_created") == 1
    account_of(bench.connection, bench.server, "second", org=ACCOUNT)
    for _ in range(2):
        report = bench.cycle(account="second")
        assert report.state == "Failed"
        assert "Account acme has delivered client client-1 to org" in report.reason
        assert "let acme deliver that client there again" in report.remedy
        assert bench.cycle().state == "Complete"
    assert len(bench.records("Event")) == 1 + first
    run("account", "set", ACCOUNT, "--client", "client-1", "--yes")
    assert bench.cycle().state == "Complete"
    assert "acme delivers client client-1" in bench.cycle(account="second").reason
    run("account", "set", "second", "--client", "client-2", "--yes")
    delivered_both = "has delivered client client-2" in bench.cycle(account="second").reason
    assert delivered_both == first
    assert len(bench.records("Event")) == 1 + first


def test_a_client_of_which_nothing_was_delivered_may_be_another_account_s(
    bench: Bench, run: Run
) -> None:
    add_sessions(bench.connection, 3, client="client-2")
    assert bench.cycle().state == "Complete"
    run("account", "set", ACCOUNT, "--client", "client-2", "--yes")
    assert bench.cycle().state == "Complete"
    account_of(bench.connection, bench.server, "second", org=ACCOUNT)
    assert bench.cycle(account="second").state == "Complete"


def test_an_org_that_an_account_has_left_is_not_filled_twice_either(bench: Bench, run: Run) -> None:
    one_registration(bench)
    lead_to(bench, bench.server.url_of("other"))
    bench.cycle()
    run("account", "org", ACCOUNT, "--start-anew", "--yes")
    assert bench.cycle().state == "Complete"
    account_of(bench.connection, bench.server, "second", org=ACCOUNT)
    assert "Account acme has delivered" in bench.cycle(account="second").reason
    assert len(bench.records("Event")) == 1


def test_what_waits_for_its_person_s_outcome_keeps_that_person_when_the_client_changes(
    bench: Bench, run: Run
) -> None:
    """It was in flight for ever: nobody sought the person under whom it would be found."""
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.fault("composite", "reset_after", nth=2)
    bench.cycle()
    bench.connection.execute(
        text(
            "UPDATE crm.operation SET state = 'in_flight', action = 'create', sobject = 'Event',"
            " sent_at = now() - interval '1 day' WHERE kind = 'activity'"
        )
    )
    bench.connection.execute(
        text("UPDATE crm.operation SET state = 'pending' WHERE kind = 'person'")
    )
    bench.connection.commit()
    run("account", "set", ACCOUNT, "--client", "client-2", "--yes")
    for _ in range(2):
        bench.cycle()
    assert "in_flight" not in bench.states().values()


def test_a_login_that_tells_no_org_is_compared_with_none(bench: Bench) -> None:
    one_registration(bench)
    account = get_account(bench.connection, ACCOUNT)
    assert settle_org(bench.connection, account, "") is None
    known = org_of(bench.connection, ACCOUNT)
    assert known is not None
    assert known.organization_id == bench.org.id


def test_two_clients_may_share_an_org(bench: Bench) -> None:
    one_registration(bench)
    add_sessions(bench.connection, 3, client="client-2")
    account_of(bench.connection, bench.server, "second", "client-2", org=ACCOUNT)
    assert bench.cycle(account="second").state == "Complete"
