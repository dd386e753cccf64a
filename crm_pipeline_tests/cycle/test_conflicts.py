"""The policy ask: what people wrote in the org stands until a person decides about it."""

from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.cycle.test_field_policy import ROUTES, arrives, lead, says

__all__ = ["run"]


def conflicts(run: Run, *options: str) -> list[tuple[str, str, str, str]]:
    """The id, the field and both values of each."""
    lines = run("conflict", "list", *options).stdout.splitlines()
    if "nothing to decide" in lines[0]:
        return []
    cells = [line.split("\t") for line in lines[1:]]
    return [(each[0], each[4], each[5], each[6]) for each in cells]


@pytest.fixture
def asked(bench: Bench, run: Run) -> Bench:
    """Sales changed the title and the city of a person of whom the source says something new."""
    bench.settings(person_field_policies={"Title": "ask", "City": "ask"})
    arrives(bench, job_title="CTO", city="Rome", phone_1="1")
    lead(bench).update(Title="Boss", City="Bonn")
    bench.connection.execute(
        text(
            "UPDATE warehouse.person SET job_title = 'CEO', city = 'Oslo', phone_1 = '2',"
            " shipped_at = now()"
        )
    )
    report = bench.cycle()
    assert report.state == "Complete"
    assert "until `crm-pipeline conflict list acme`: City (1), Title (1)" in report.notes
    return bench


def values(bench: Bench) -> tuple[Any, Any, Any]:
    return lead(bench)["Title"], lead(bench)["City"], lead(bench)["Phone"]


def test_what_people_wrote_stands_and_is_listed(asked: Bench, run: Run) -> None:
    assert values(asked) == ("Boss", "Bonn", "2"), "the phone has no such policy"
    found = conflicts(run, ACCOUNT)
    assert {each[1:] for each in found} == {("Title", "Boss", "CEO"), ("City", "Bonn", "Oslo")}
    assert len(conflicts(run, "--field", "title")) == 1
    assert "fields to decide about (`conflict list`)\t2" in run("state", ACCOUNT).stdout
    report = asked.cycle()
    assert (report.notes, report.counts.api_calls) == ("", 0), "told once"
    assert len(conflicts(run)) == 2


def test_a_person_decides_field_by_field(asked: Bench, run: Run) -> None:
    ids = {field: number for number, field, _, _ in conflicts(run)}
    run("conflict", "overwrite", ids["Title"])
    run("conflict", "keep", "--account", ACCOUNT, "--field", "city")
    assert conflicts(run) == []
    assert asked.cycle().state == "Complete"
    assert values(asked) == ("CEO", "Bonn", "2")
    assert asked.cycle().counts.api_calls == 0
    assert "no conflict 1 to decide" in run("conflict", "keep", 1, fails=1).stderr
    assert "nothing to decide" in run("conflict", "keep", "--account", ACCOUNT, fails=1).stderr


def test_a_decision_holds_until_one_side_says_something_else(asked: Bench, run: Run) -> None:
    run("conflict", "keep", "--account", ACCOUNT)
    says(asked, "phone_1", "3")
    assert conflicts(run) == []
    says(asked, "city", "Paris")
    assert [each[1:] for each in conflicts(run)] == [("City", "Bonn", "Paris")]
    run("conflict", "overwrite", "--account", ACCOUNT)
    says(asked, "city", "Lima")
    assert values(asked)[1] == "Bonn", "that was not agreed to"
    assert [each[1:] for each in conflicts(run)] == [("City", "Bonn", "Lima")]
    lead(asked)["City"] = None
    says(asked, "city", "Cairo")
    assert values(asked)[1] == "Cairo"
    assert conflicts(run) == []


@ROUTES
def test_a_first_match_asks_where_the_record_says_something_else(
    bench: Bench, run: Run, route: str
) -> None:
    bench.settings(route=route, person_fields="ask")
    bench.seed("Contact", LastName="Old", Email="p1@example.com", Title="Boss", MailingCity=None)
    arrives(bench, job_title="CTO", city="Rome")
    [contact] = bench.records("Contact")
    assert (contact["LastName"], contact["Title"], contact["MailingCity"]) == (
        "Old",
        "Boss",
        "Rome",
    )
    assert {each[1] for each in conflicts(run)} >= {"LastName", "Title"}
    run("conflict", "overwrite", "--account", ACCOUNT)
    assert bench.cycle().state == "Complete"
    [contact] = bench.records("Contact")
    assert (contact["LastName"], contact["Title"]) == ("Last 1", "CTO")
    assert conflicts(run) == []
    assert bench.cycle().counts.api_calls == 0


def test_conflicts_are_named_by_ids_or_an_account(run: Run) -> None:
    assert "Name the conflicts" in run("conflict", "keep", fails=1).stderr
    assert "--field goes with" in run("conflict", "keep", 1, "--field", "Phone", fails=1).stderr
    assert "no account 'nobody'" in run("conflict", "list", "nobody", fails=1).stderr
    assert "nothing to decide" in run("conflict", "list").stdout
