"""Assignment rules run on new leads only, by whichever route they go."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from crm_pipeline_tests.cycle.conftest import ORG, Bench, bench_of
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

SALES = "sales@acme.test"


@pytest.fixture
def bench(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """An org whose active rule gives leads of Germany, and no others, to sales."""
    users = [*ORG["users"], {"username": SALES, "password": "secret"}]
    rules = [{"object": "Lead", "owner": SALES, "when": "Country = 'Germany'"}]
    org = {"name": "acme", **ORG, "users": users, "assignment_rules": rules}
    with bench_of(org, pipeline, monkeypatch) as made:
        yield made


def owner(bench: Bench, email: str) -> str:
    users = {user.id: name for name, user in bench.org.users.items()}
    [lead] = [lead for lead in bench.records("Lead") if lead["Email"] == email]
    return users[lead["OwnerId"]]


@pytest.mark.parametrize("route", ["composite", "bulk"])
@pytest.mark.parametrize(("assign", "of_germans"), [(True, SALES), (False, "api@acme.test")])
def test_a_rule_runs_on_new_leads_and_never_takes_a_known_one_from_its_owner(
    bench: Bench, route: str, assign: bool, of_germans: str
) -> None:
    bench.settings(route=route, assignment_rules=assign)
    bench.seed("Lead", LastName="Old", Company="x", Email="p1@example.com", Country="France")
    for person, country in ((1, "Germany"), (2, "Germany"), (3, "France")):
        add_person(bench.connection, person, country_code=country)
        register(bench.connection, person, person)
    assert bench.cycle().state == "Complete"
    assert owner(bench, "p1@example.com") == "api@acme.test", "it was there"
    assert owner(bench, "p2@example.com") == of_germans
    assert owner(bench, "p3@example.com") == "api@acme.test"
    bench.connection.execute(
        text("UPDATE warehouse.person SET country_code = 'Germany', shipped_at = now()")
    )
    assert bench.cycle().state == "Complete"
    assert [lead["Country"] for lead in bench.records("Lead")] == ["Germany"] * 3
    assert owner(bench, "p3@example.com") == "api@acme.test", "an update runs no rule"


@pytest.mark.deep
def test_the_rule_of_a_bulk_job_costs_one_call_and_only_where_one_is_to_run(bench: Bench) -> None:
    bench.settings(route="bulk")
    add_person(bench.connection, 1, country_code="Germany")
    register(bench.connection, 1, 1)
    without = bench.cycle().api_calls_by_kind
    bench.settings(assignment_rules=True)
    add_person(bench.connection, 2, country_code="Germany")
    register(bench.connection, 2, 2, minute=1)
    queries = bench.cycle().api_calls_by_kind
    assert sum(queries.values()) == sum(without.values()) + 1


def test_a_bulk_job_without_a_rule_to_name_runs_none(
    pipeline: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bench_of({"name": "acme", **ORG}, pipeline, monkeypatch) as bench:
        bench.settings(route="bulk", assignment_rules=True)
        add_person(bench.connection, 1)
        register(bench.connection, 1, 1)
        assert bench.cycle().state == "Complete"
        assert len(bench.records("Lead")) == 1
