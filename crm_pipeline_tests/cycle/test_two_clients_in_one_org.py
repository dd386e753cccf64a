"""Two clients' accounts in one org: whoever is new to both becomes one Lead."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench, account_of
from crm_pipeline_tests.flows.webinars.warehouse import add_person, add_sessions, register

SECOND, CLIENT_2 = "second", "client-2"


def two_clients(bench: Bench) -> None:
    add_sessions(bench.connection, 3, client=CLIENT_2)
    account_of(bench.connection, bench.server, SECOND, CLIENT_2, org=ACCOUNT)
    add_person(bench.connection, 1, "ann@example.com")
    register(bench.connection, 1, 1)
    add_person(bench.connection, 2, "Ann@Example.com", client=CLIENT_2)
    register(bench.connection, 2, 2, session=3, client=CLIENT_2)
    bench.connection.commit()


@pytest.mark.deep
def test_the_same_address_at_the_same_time_is_one_lead(bench: Bench) -> None:
    two_clients(bench)
    bench.admin("settings", latency_ms=150)
    with ThreadPoolExecutor(2) as pool:
        for _ in range(3):
            reports = pool.map(lambda each: sync_account(each, run_id="test"), (ACCOUNT, SECOND))
            assert {report.state for report in reports} == {"Complete"}
    assert len(bench.records("Lead")) == 1
    assert len(bench.records("Event")) == 2


def test_what_one_account_is_creating_another_leaves_until_that_is_known(bench: Bench) -> None:
    two_clients(bench)
    bench.cycle()
    bench.connection.execute(
        text(
            "UPDATE crm.org_person SET salesforce_id = NULL, settled_at = NULL,"
            " claimed_at = now() + interval '1 hour'"
        )
    )
    [lead] = bench.records("Lead")
    lead["Email"] = "elsewhere@example.com"
    report = bench.cycle(account=SECOND)
    assert (report.tally.overall("leads_created"), report.counts.waiting) == (0, 2)
    bench.connection.execute(text("UPDATE crm.org_person SET claimed_at = now()"))
    assert bench.cycle(account=SECOND).tally.overall("leads_created") == 1


def test_a_record_that_is_gone_since_is_made_again(bench: Bench) -> None:
    two_clients(bench)
    bench.cycle()
    [lead] = bench.records("Lead")
    lead["IsDeleted"] = True
    assert bench.cycle(account=SECOND).tally.overall("leads_created") == 1


def test_who_is_alone_in_an_org_claims_nobody(bench: Bench) -> None:
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.cycle()
    assert bench.connection.scalar(text("SELECT count(*) FROM crm.org_person")) == 0
