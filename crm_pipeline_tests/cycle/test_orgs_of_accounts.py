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


def two_registrations(bench: Bench) -> None:
    for number in (1, 2):
        add_person(bench.connection, number)
        register(bench.connection, number, number)
    assert bench.cycle().state == "Complete"


def lead_to(bench: Bench, login_url: str) -> None:
    account = get_account(bench.connection, ACCOUNT)
    update_account(bench.connection, replace(account, login_url=login_url))
    bench.connection.commit()


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
    calls = bench.org.meter.charged
    told = run("account", "org", ACCOUNT, "--same-data", "--yes").stdout
    assert "Of 1 records that the ledger knows, 1 are there." in told
    assert "nothing is sent again" in told
    assert bench.org.meter.charged == calls + 1
    report = bench.cycle()
    assert (report.state, report.tally.overall("activities_created")) == ("Complete", 1)
    assert len(bench.records("Lead")) == 1
    assert len(bench.records("Event")) == 2
    shown = run("account", "org", ACCOUNT).stdout
    assert bench.org.id in shown


def test_an_org_without_the_known_records_has_not_the_same_data(bench: Bench, run: Run) -> None:
    """It was believed, and the account wrote to records that were not there."""
    one_registration(bench)
    lead_to(bench, bench.server.url_of("other"))
    bench.cycle()
    told = run("account", "org", ACCOUNT, "--same-data", "--yes", fails=1).stderr
    assert f"has not the data of org {bench.org.id}" in told
    assert "Of 1 records that the ledger knows, 0 are there." in told
    assert bench.cycle().state == "Failed"
    lead_to(bench, bench.server.url_of(ACCOUNT))
    told = run("account", "org", ACCOUNT, "--same-data", "--yes", fails=1).stderr
    assert "nothing to decide" in told
    assert bench.cycle().state == "Complete"


def test_a_part_of_the_records_is_told_before_it_is_taken_for_the_same_data(
    bench: Bench, run: Run
) -> None:
    two_registrations(bench)
    bench.org.id = str(long_id("00DREFRESHED000"))
    bench.admin("delete", ids=[bench.records("Lead")[0]["Id"]])
    attend(bench.connection, 1, 1, minute=60)
    bench.cycle()
    told = run("account", "org", ACCOUNT, "--same-data", fails=1).stderr
    assert "Of 2 records that the ledger knows, 1 are there." in told
    run("account", "org", ACCOUNT, "--same-data", typed="y\n")
    assert bench.cycle().state == "Complete"
    assert len(bench.records("Lead")) == 2, "whom the copy lacks is made anew"
    assert len(bench.records("Event")) == 2, "and one went with the lead"


def test_who_said_same_data_may_start_anew_all_the_same(bench: Bench, run: Run) -> None:
    """It was refused: there was nothing to decide any more."""
    two_registrations(bench)
    bench.org.id = str(long_id("00DREFRESHED000"))
    attend(bench.connection, 1, 1, minute=60)
    bench.cycle()
    run("account", "org", ACCOUNT, "--same-data", "--yes")
    told = run("account", "org", ACCOUNT, "--start-anew", "--yes", fails=1).stderr
    assert "there is nothing to decide. Of 2 records that the ledger knows, 2 are there." in told
    bench.admin("delete", ids=[lead["Id"] for lead in bench.records("Lead")])
    bench.admin("empty-bin")
    told = run("account", "org", ACCOUNT, "--start-anew", "--yes").stdout
    assert "Of 2 records that the ledger knows, 0 are there." in told
    assert "2 people are looked up again, and 3 activities" in told
    assert bench.cycle().state == "Complete"
    assert len(bench.records("Lead")) == 2
    assert len(bench.records("Event")) == 3
    assert bench.cycle().counts.api_calls == 0


@pytest.mark.deep
@pytest.mark.parametrize("campaigns", [None, {}])
def test_a_sandbox_that_is_refreshed_under_new_ids_has_nothing_twice(
    bench: Bench, run: Run, campaigns: object
) -> None:
    """The whole way: it is not the same data, starts anew, and what is there is adopted."""
    bench.settings(campaigns=campaigns)
    two_registrations(bench)
    attend(bench.connection, 1, 1, minute=60)
    assert bench.cycle().state == "Complete"
    bench.admin("refresh")
    bench.org = bench.server.org(ACCOUNT)
    attend(bench.connection, 2, 2, minute=90)
    assert "The login leads to org" in bench.cycle().reason
    run("account", "org", ACCOUNT, "--same-data", "--yes", fails=1)
    told = run("account", "org", ACCOUNT, "--start-anew", "--yes").stdout
    assert "`crm-pipeline account adopt acme` keeps what is there" in told
    for _ in range(2):
        assert "crm-pipeline account adopt acme" in bench.cycle().reason
    assert len(bench.records("Event")) == 3
    run("account", "adopt", ACCOUNT, "--yes")
    for _ in range(3):
        assert bench.cycle().state == "Complete"
    assert len(bench.records("Lead")) == 2
    assert len(bench.records("Event")) == 4
    assert len(bench.records("Campaign")) == (campaigns is not None)
    assert len(bench.records("CampaignMember")) == 2 * (campaigns is not None)
    assert set(bench.states().values()) == {"done"}
    assert bench.cycle().counts.api_calls == 0


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
    """Either comes first: the account that is another client now, or the one that takes its."""
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


@pytest.mark.deep
def test_a_client_is_delivered_a_second_time_on_a_person_s_word_alone(
    bench: Bench, run: Run
) -> None:
    """An org whose records of former times are gone: there was no way to say so."""
    one_registration(bench)
    run("account", "set", ACCOUNT, "--client", "client-2", "--yes")
    account_of(bench.connection, bench.server, "second", org=ACCOUNT)
    told = bench.cycle(account="second").remedy
    assert "`crm-pipeline account org second --deliver-again`" in told
    told = run("account", "org", "second", "--deliver-again", fails=1).stderr
    assert "Account acme has delivered client client-1 to org" in told
    assert "2 of its operations are done" in told
    assert "activities that are still there would be there twice" in told
    assert bench.cycle(account="second").state == "Failed"
    run("account", "org", "second", "--deliver-again", typed="y\n")
    for _ in range(2):
        assert bench.cycle(account="second").state == "Complete"
    assert len(bench.records("Lead")) == 1
    assert len(bench.records("Event")) == 2
    told = run("account", "org", "second", "--deliver-again", "--yes", fails=1).stderr
    assert "nothing to decide" in told
    run("account", "set", ACCOUNT, "--client", "client-1", "--yes")
    attend(bench.connection, 1, 1, minute=60)
    assert "second delivers client client-1" in bench.cycle().reason


def test_a_client_that_another_account_delivers_now_is_not_delivered_again(
    bench: Bench, run: Run
) -> None:
    one_registration(bench)
    account_of(bench.connection, bench.server, "second", org=ACCOUNT)
    told = run("account", "org", "second", "--deliver-again", "--yes", fails=1).stderr
    assert "Account acme delivers client client-1" in told
    bench.connection.execute(text("DELETE FROM crm.account WHERE account_id = 'acme'"))
    bench.connection.commit()
    assert "acme has delivered" in bench.cycle(account="second").reason, "it is no more"
    run("account", "org", "second", "--deliver-again", "--yes")
    assert bench.cycle(account="second").state == "Complete"


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
