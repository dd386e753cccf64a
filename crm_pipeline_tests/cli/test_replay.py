"""`crm-pipeline replay`: a period again after a mended mapping, and only what differs."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.store import FieldMapping, set_field_mapping
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.cycle.campaigns.scenes import switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.cycle.test_removals import REMOVALS, ask
from crm_pipeline_tests.flows.webinars.warehouse import LONG_AGO, add_person, attend, register

DAY = 24 * 60
REPLAY = ("replay", ACCOUNT)


@pytest.fixture
def bench(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Five people, a day apart, whose city is mapped from the wrong column, and mended then.

    The newest row is read again by each cycle, as some may commit late: it is looked at nowhere.
    """
    with bench_of({"name": ACCOUNT, **ORG}, pipeline, monkeypatch) as made:
        for number in range(1, 6):
            at = LONG_AGO + timedelta(days=number)
            named: dict[str, Any] = {
                "city": f"City {number}",
                "county": f"County {number}",
                "shipped_at": at,
            }
            add_person(made.connection, number, **named)
            register(made.connection, number, number, minute=number * DAY)
        maps(made, "county")
        made.cycle()
        maps(made, "city")
        yield made


def maps(bench: Bench, column: str) -> None:
    mapping = FieldMapping("Lead", "City", column)
    set_field_mapping(bench.connection, ACCOUNT, mapping)
    bench.connection.commit()


def cities(bench: Bench) -> list[str]:
    of_leads = sorted(bench.records("Lead"), key=lambda lead: str(lead["Email"]))
    return [str(each["City"]) for each in of_leads[:4]]


def asked(bench: Bench) -> int:
    rows = bench.connection.scalar(text("SELECT count(*) FROM crm.replay_row"))
    bench.connection.rollback()
    return int(rows or 0)


def limits_are_lifted(bench: Bench) -> bool:
    lifted = bench.connection.scalar(text("SELECT load_approved FROM crm.brake"))
    bench.connection.rollback()
    return bool(lifted)


def test_a_period_is_shown_agreed_to_and_only_what_differs_of_it_is_sent(
    run: Run, bench: Bench
) -> None:
    """Also a row that is new, and no part of the period, goes with that cycle, and is not shown."""
    add_person(bench.connection, 6)
    register(bench.connection, 6, 6, minute=6 * DAY)
    bench.connection.commit()
    period = (*REPLAY, "--since=2026-03-03", "--until=2026-03-05T00:00+00:00")
    shown = run(*period, "--dry-run").stdout
    assert "The period has 2 registrations of the warehouse." in shown
    assert "Lead\tupdate\tperson:p2@example.com\t" in shown
    assert "City\tCounty 2\tCity 2" in shown
    assert "p1@example.com" not in shown
    assert "p6@example.com" not in shown
    assert "known already\t3" in shown, "activities, which are as they were, and the newest row"
    assert "Beside these 3 records that a whole cycle comes to, too, are no part of this" in shown
    assert asked(bench) == 0
    refused = run(*period, fails=1).stderr
    assert "2 records of account acme would be written by its next cycle." in refused
    assert "does so in its next cycle" in run(*period, typed="y\n").stdout
    assert asked(bench) == 2
    run(*period, "--yes")
    assert asked(bench) == 2, "twice is as once"
    assert not limits_are_lifted(bench), "for what else the cycle reads they hold"
    bench.cycle()
    assert cities(bench) == ["County 1", "City 2", "City 3", "County 4"]
    assert asked(bench) == 0
    again = run(*period).stdout
    assert "Nothing of the period would be sent" in again


def test_a_salespersons_word_counts_as_the_fields_policy_says(run: Run, bench: Bench) -> None:
    bench.settings(person_fields="unless_edited")
    lead = next(each for each in bench.records("Lead") if each["Email"] == "p2@example.com")
    bench.admin("edit", id=lead["Id"], fields={"City": "Typed"})
    run(*REPLAY, "--since=2026-03-01", "--yes")
    bench.cycle()
    assert cities(bench) == ["City 1", "Typed", "City 3", "City 4"]


def test_one_person_alone(run: Run, bench: Bench) -> None:
    bench.settings(limits={"changed_people": 0})
    shown = run(*REPLAY, "--since=2026-03-01", "--person=P3@example.com", "--yes").stdout
    assert "The period has 1 registration" in shown
    assert limits_are_lifted(bench), "what was agreed to may exceed one"
    assert "It is held" not in shown
    bench.cycle()
    assert cities(bench) == ["County 1", "County 2", "City 3", "County 4"]


def test_some_objects_alone(run: Run, bench: Bench) -> None:
    """What differs of the others stays as it is, be it asked for at once or one after another."""
    switch_on(bench)
    bench.cycle()
    bench.settings(activity_subject="{subject} again")
    maps(bench, "surname")
    period = (*REPLAY, "--since=2026-03-01", "--until=2026-03-05")
    shown = run(*period, "--object=event", "--yes").stdout
    assert "Event\tupdate\tregistration:1" in shown
    assert "Lead\tupdate" not in shown
    assert asked(bench) == 3, "campaigns have no Event"
    bench.cycle()
    assert asked(bench) == 0
    assert cities(bench) == ["County 1", "County 2", "County 3", "County 4"]
    subjects = [str(each["Subject"]).endswith("again") for each in bench.records("Event")]
    assert sum(subjects) == 4, "those of the period, and the newest"
    run(*period, "--object=CampaignMember", "--object=Contact", "--yes")
    assert asked(bench) == 6
    read = bench.cycle().tally
    rows = {
        name: read["filtered_leads", name] for name in ("rows_read", "rows_in", "known_already")
    }
    assert rows == {"rows_read": 3, "rows_in": 0, "known_already": 3}
    assert cities(bench)[0] != "County 1"
    assert "Nothing of the period would be sent" in run(*period).stdout


def test_what_an_object_belongs_to_goes_with_it_where_nothing_of_that_went(
    run: Run, bench: Bench
) -> None:
    """A filter that is gone had rejected a whole person."""
    run("account", "filter", "add", ACCOUNT, "p6@", "--yes")
    add_person(bench.connection, 6)
    register(bench.connection, 6, 6, minute=DAY)
    bench.connection.commit()
    bench.cycle()
    run("account", "filter", "remove", ACCOUNT, "p6@")
    for number in (7, 8):
        add_person(bench.connection, number)
        register(bench.connection, number, number, minute=9 * DAY)
    bench.connection.commit()
    bench.cycle()
    run(*REPLAY, "--since=2026-03-02", "--until=2026-03-02T23:00", "--object=Event", "--yes")
    bench.cycle()
    assert {"p6@example.com"} <= {str(each["Email"]) for each in bench.records("Lead")}
    assert len(bench.records("Event")) == 8


def test_rows_that_are_filtered_by_now_are_shown_as_rejected(run: Run, bench: Bench) -> None:
    run("account", "filter", "add", ACCOUNT, "p4@", "--yes")
    shown = run(*REPLAY, "--since=2026-03-05", "--dry-run").stdout
    assert "Event\trejected\tregistration:4" in shown


def test_of_whom_was_removed_only_that_is_said(run: Run, bench: Bench) -> None:
    ask(address="p1@example.com")
    assert bench.cycle(REMOVALS).state == "Complete"
    shown = run(*REPLAY, "--since=2020-01-01", "--dry-run").stdout
    assert "Of people who were removed it has 1 row; these stay out." in shown
    assert "A period can reach back to 2026-03-01" in shown
    assert "p1@example.com" not in shown


@pytest.mark.deep
def test_what_is_not_read_for_the_whole_period_stays_to_be_read(run: Run, bench: Bench) -> None:
    """Whatever becomes of the cycle that reads it first, each record is there once in the end."""
    switch_on(bench)
    run(*REPLAY, "--since=2026-03-01", "--yes")
    assert asked(bench) == 10, "by both flows"
    bench.fault("error", "error", status=500)
    bench.cycle()
    bench.clears_up()
    bench.forget_usage()
    bench.cycle()
    assert cities(bench) == ["City 1", "City 2", "City 3", "City 4"]
    assert asked(bench) == 0
    assert len(bench.records("Event")) == 5


@pytest.mark.deep
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--since=soon",), "--since 'soon': a date as 2026-11-01"),
        (("--since=2026-03-02", "--until=2026-03-02"), "is not after"),
        (("--since=2026-03-01", "--all=plan.xlsx"), "FILE.csv or FILE.json"),
        (("--since=2026-03-01", "--object=Evnt"), "did you mean Event?"),
        (("--since=2026-03-01", "--object=Campaign"), "there are Contact, Event, Lead."),
    ],
)
def test_a_period_that_is_none_is_told(
    run: Run, bench: Bench, options: tuple[str, ...], told: str
) -> None:
    assert told in run(*REPLAY, *options, fails=1).stderr


def test_a_period_without_rows_is_told(run: Run, bench: Bench) -> None:
    assert "no registrations and no attendances" in run(*REPLAY, "--since=now").stdout
    future = run(*REPLAY, "--since=2099-01-01", fails=1)
    assert "--since 2099-01-01 is in the future" in future.stderr
    nobody = run(*REPLAY, "--since=2026-03-01", "--person=nobody@example.com", fails=1)
    assert "The period has no row of nobody@example.com" in nobody.stderr
    assert not future.stdout + nobody.stdout


def test_a_row_that_is_part_of_another_one_tells_of_its_person(run: Run, bench: Bench) -> None:
    """Who came back is in the period, though the attendance was before it; both rows are known."""
    maps(bench, "county")
    for attendance, day in ((1, 2), (2, 8)):
        attend(bench.connection, attendance, 1, minute=day * DAY)
    add_person(bench.connection, 6)
    register(bench.connection, 6, 6, minute=20 * DAY)
    bench.connection.commit()
    bench.cycle()
    maps(bench, "city")
    shown = run(*REPLAY, "--since=2026-03-08", "--until=2026-03-12", "--yes").stdout
    assert "The period has 1 attendance of the warehouse." in shown
    assert "Lead\tupdate\tperson:p1@example.com\t" in shown
    bench.cycle()
    assert cities(bench) == ["City 1", "County 2", "County 3", "County 4"]


def test_an_account_that_has_read_nothing_has_no_period(run: Run, acme: str) -> None:
    told: Any = run("replay", acme, "--since=2026-03-01", fails=1).stderr
    assert "its first one reads all" in told
