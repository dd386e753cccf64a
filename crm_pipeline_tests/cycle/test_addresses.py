"""Two people are two, and one is one, however their addresses are written."""

import pytest

from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register


@pytest.mark.parametrize(
    "address",
    [
        "maß@example.com",
        "\N{KELVIN SIGN}im@example.com",
        "o\N{LATIN SMALL LIGATURE FI}ce@example.com",
        "ſam@example.com",
    ],
)
def test_a_stranger_with_a_letter_that_folds_overwrites_no_known_lead(bench: Bench, address: str):
    for known in ("mass@example.com", "kim@example.com", "office@example.com", "sam@example.com"):
        bench.seed("Lead", LastName="Known", Company="Theirs", Email=known)
    add_person(bench.connection, 1, address)
    add_person(bench.connection, 2)
    register(bench.connection, 1, 1)
    register(bench.connection, 2, 2)

    report = bench.cycle()

    assert report.state == "Complete"
    assert report.tally.overall("rejected: invalid email") == 1
    assert [lead["Company"] for lead in bench.records("Lead")] == ["Theirs"] * 4 + ["Company 2"]
    assert len(bench.records("Event")) == 1


def test_what_nobody_sees_around_an_address_makes_no_second_person(bench: Bench):
    bench.seed("Lead", LastName="Known", Company="Theirs", Email="Ann@Example.com")
    add_person(bench.connection, 1, "\ufeffann@example.com\u200b")
    add_person(bench.connection, 2, "\u2060new@example.com\xad")
    register(bench.connection, 1, 1)
    register(bench.connection, 2, 2)

    report = bench.cycle()

    assert report.state == "Complete"
    assert [lead["Email"] for lead in bench.records("Lead")] == [
        "Ann@Example.com",
        "new@example.com",
    ]
    assert len(bench.records("Event")) == 2
