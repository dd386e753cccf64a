"""People, activities and members wait where the org's data storage would be used above a share."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.campaigns.scenes import switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

__all__ = ["run"]

PEOPLE = 150


@pytest.fixture
def bench(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    limited = {"name": ACCOUNT, **ORG, "limits": {"data_storage_mb": 3}}
    with bench_of(limited, pipeline, monkeypatch) as made:
        yield made


def test_what_is_free_is_said_before_campaigns_are_switched_on(run: Run, bench: Bench) -> None:
    for person in range(200):
        add_person(bench.connection, person)
        register(bench.connection, person, person)
    bench.connection.commit()
    says = "1 MB of data storage at most (3 of 3 MB are free)"
    assert says in run("account", "set", ACCOUNT, "campaigns={}", fails=1).stderr
    bench.seed("Lead", LastName="L", Company="C")
    switch_on(bench)
    bench.admin("seed", Task=[{"Subject": "S"}] * 1700)
    bench.connection.commit()
    says = "(0 of 3 MB are free; the rest is refused, or waits where there is a storage_share)"
    said = run("account", "set", ACCOUNT, 'campaigns={"grain": "both"}', fails=1).stderr
    assert says in said


def made(bench: Bench) -> tuple[int, int, int]:
    people, events, members = map(bench.records, ("Lead", "Event", "CampaignMember"))
    return len(people), len(events), len(members)


@pytest.mark.deep
@pytest.mark.parametrize(
    ("route", "activities", "there"),
    [
        ("composite", "all", (PEOPLE, 100, 0)),
        ("bulk", "all", (PEOPLE, 100, 0)),
        ("composite", "none", (PEOPLE, 0, 100)),
    ],
)
def test_what_is_new_waits_above_a_share_of_the_storage(
    bench: Bench, route: str, activities: str, there: tuple[int, int, int]
) -> None:
    switch_on(bench)
    for person in range(PEOPLE):
        add_person(bench.connection, person)
        register(bench.connection, person, person)
    bench.settings(storage_share=0.5, route=route, activities=activities)
    report = bench.cycle()
    # 1.5 MB less the one that the org may have rounded down, with 500 records each.
    assert made(bench) == there
    wanted = 2 * PEOPLE if activities == "none" else 3 * PEOPLE
    waits = wanted - sum(there)
    assert f"{waits} new records of the account wait: 0 of 3 MB" in report.notes
    assert "may use 50%; free some there, or raise storage_share" in report.notes
    assert report.api_calls_by_kind["limits"] == 1
    assert report.counts.data_storage_mb == 1, "250 records and a campaign"
    assert (report.state, report.counts.waiting) == ("Complete", waits)
    # What is there is kept true all the same.
    at = "shipped_at = now(), job_title = 'Head'"
    bench.connection.execute(text(f"UPDATE warehouse.person SET {at} WHERE person_id = 1"))
    bench.settings(storage_share=None)
    report = bench.cycle()
    assert made(bench) == (PEOPLE, 0 if activities == "none" else PEOPLE, PEOPLE)
    assert "data storage" not in report.notes
    assert "limits" not in report.api_calls_by_kind
    idle = bench.cycle()
    assert (idle.counts.api_calls, idle.counts.data_storage_mb) == (0, 0)


@pytest.mark.deep
def test_a_few_in_each_cycle_do_not_fill_the_org_either(bench: Bench) -> None:
    """Each cycle makes fewer than are worth a call; before the second one the org is asked."""
    bench.settings(storage_share=0.1)
    asked = []
    for cycle in range(2):
        for person in range(60 * cycle, 60 * cycle + 60):
            add_person(bench.connection, person)
            register(bench.connection, person, person, minute=cycle)
        report = bench.cycle()
        asked.append(report.api_calls_by_kind.get("limits", 0))
    assert asked == [0, 1]
    assert "new records of the account wait" in report.notes
    assert len(bench.records("Lead")) == 60
