"""The account says by what people are found, and which record they are of several."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text

from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

__all__ = ["run"]

FIELDS = {
    "Contact": {"Second__c": {"type": "email"}, "Person__c": {"type": "string", "length": 20}},
    "Lead": {"Person__c": {"type": "string", "length": 20}},
}


@pytest.fixture
def bench(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    objects = {sobject: {"fields": fields} for sobject, fields in FIELDS.items()}
    with bench_of({"name": ACCOUNT, **ORG, "objects": objects}, pipeline, monkeypatch) as made:
        yield made


def one_person(bench: Bench) -> None:
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)


def lead(bench: Bench, **fields: Any) -> str:
    known = {"LastName": "L", "Company": "C", "Email": "p1@example.com"}
    return bench.seed("Lead", **known | fields)


def contact(bench: Bench, **fields: Any) -> str:
    return bench.seed("Contact", **{"LastName": "L", "Email": "p1@example.com"} | fields)


def whose(bench: Bench) -> list[str]:
    return [each["WhoId"] for each in bench.records("Event")]


@pytest.mark.parametrize("first", ["lead", "contact"])
def test_who_is_both_is_the_one_that_is_preferred(bench: Bench, first: str) -> None:
    bench.settings(match_first=first)
    there = {"lead": lead(bench), "contact": contact(bench)}
    one_person(bench)
    bench.cycle()
    assert whose(bench) == [there[first]]


def test_a_further_field_finds_people_and_their_own_address_stays(bench: Bench) -> None:
    bench.settings(match_fields={"Contact": ["Second__c"]})
    known = contact(bench, Email="home@example.com", Second__c="P1@example.com")
    one_person(bench)
    report = bench.cycle()
    assert whose(bench) == [known]
    assert bench.records("Contact")[0]["Email"] == "home@example.com"
    assert report.counts.api_calls == 3


def test_the_platforms_id_wins_over_the_address_and_is_written(bench: Bench) -> None:
    bench.settings(person_id_field="Person__c")
    lead(bench)
    known = contact(bench, Email="home@example.com", Person__c="1")
    one_person(bench)
    add_person(bench.connection, 2)
    register(bench.connection, 2, 2)
    bench.cycle()
    assert whose(bench)[0] == known
    new = bench.records("Lead")[-1]
    assert (new["Email"], new["Person__c"]) == ("p2@example.com", "2")


def test_several_records_are_reported_until_they_are_merged(run: Run, bench: Bench) -> None:
    bench.settings(several_matches="report")
    kept, gone = lead(bench), lead(bench)
    one_person(bench)
    report = bench.cycle()
    assert (whose(bench), report.counts.exhausted) == ([], 1)
    [message] = bench.connection.scalars(
        text("SELECT error_message FROM crm.operation WHERE error_code = 'SEVERAL_MATCHES'")
    )
    assert message.startswith("2 Leads stand for the person")
    assert "example.com" not in message
    bench.org.table("Lead").rows[gone]["IsDeleted"] = True
    bench.connection.commit()
    run("operations", "requeue", "--account", ACCOUNT, "--code", "SEVERAL_MATCHES")
    bench.cycle()
    assert whose(bench) == [kept]


@pytest.mark.parametrize(
    ("email", "website", "found"),
    [
        ("ann@acme.example", "https://www.Acme.example/en", True),
        ("ann@acme.example", "shop.acme.example", False),
        ("ann@gmail.com", "gmail.com", False),
    ],
)
def test_a_new_contact_gets_the_account_of_their_domain(
    bench: Bench, email: str, website: str, found: bool
) -> None:
    bench.settings(unknown_email="Contact", contact_account="by_domain")
    account = bench.seed("Account", Name="Acme", Website=website)
    add_person(bench.connection, 1, email)
    register(bench.connection, 1, 1)
    report = bench.cycle()
    [made] = bench.records("Contact")
    assert made.get("AccountId") == (account if found else None)
    assert report.counts.api_calls == (3 if "gmail" in email else 4)


def test_a_new_contact_gets_the_account_that_is_named(bench: Bench) -> None:
    account = bench.seed("Account", Name="Acme")
    bench.settings(unknown_email="Contact", contact_account=account)
    one_person(bench)
    bench.cycle()
    assert [each["AccountId"] for each in bench.records("Contact")] == [account]
