"""No-shows, derived and taken back: sessions that are over, and who was there."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from crm_pipeline.cadence.due import read_standings
from crm_pipeline.cadence.planner import own_business
from crm_pipeline.flows.campaigns import rules
from crm_pipeline.ledger.campaigns import overview
from crm_pipeline.ledger.sessions import sessions_to_derive, sessions_were_derived
from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.campaigns.scenes import event_id, says, switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.flows.webinars.warehouse import LONG_AGO, add_person, attend, register

__all__ = ["run"]


def two_registered(bench: Bench) -> None:
    for person in (1, 2):
        add_person(bench.connection, person)
        register(bench.connection, person, person)


def ends(bench: Bench, at: datetime, *, minute: float) -> None:
    """The session ends then, as is shipped so many minutes past noon."""
    bench.connection.execute(
        text("UPDATE warehouse.event_session SET ends_at = :at, shipped_at = :shipped"),
        {"at": at, "shipped": LONG_AGO + timedelta(minutes=minute)},
    )


def hours_pass(bench: Bench, hours: float) -> None:
    """The clock is what it is, so the ends are moved; nothing of that is shipped."""
    bench.connection.execute(
        text("UPDATE warehouse.event_session SET ends_at = ends_at - make_interval(secs => :s)"),
        {"s": hours * 3600},
    )
    bench.connection.execute(
        text(
            "UPDATE crm.session_end SET ends_at = ends_at - make_interval(secs => :s),"
            " no_shows_at = no_shows_at - make_interval(secs => :s)"
        ),
        {"s": hours * 3600},
    )
    bench.connection.commit()


def statuses(bench: Bench) -> dict[str, str]:
    """The status of each member, by the last name."""
    leads = {each["Id"]: each["LastName"] for each in bench.records("Lead")}
    return {leads[each["LeadId"]]: each["Status"] for each in bench.records("CampaignMember")}


def business(bench: Bench) -> str | None:
    """Why the account is due though nothing new was shipped."""
    bench.connection.rollback()
    _, [standing] = read_standings(bench.connection)
    return own_business(standing)


def test_who_did_not_come_is_a_no_show_once_the_session_is_over(bench: Bench) -> None:
    switch_on(bench)
    two_registered(bench)
    attend(bench.connection, 1, 1, minute=1)
    report = bench.cycle()
    assert statuses(bench) == {"Last 1": "Attended", "Last 2": "No Show"}
    assert report.tally.overall("members_created") == 2, "each was sent once, as it is"
    assert (bench.cycle().counts.api_calls, business(bench)) == (0, None)


def test_the_operation_of_a_member_says_what_each_row_said(bench: Bench, run: Run) -> None:
    switch_on(bench)
    two_registered(bench)
    attend(bench.connection, 1, 1, minute=1)
    bench.cycle()
    [operation] = bench.connection.scalars(
        text(
            "SELECT operation_id FROM crm.operation"
            " WHERE kind = 'member' AND intent ->> 'stage' = 'no_show'"
        )
    )
    bench.connection.rollback()
    shown = run("operations", "show", str(operation)).stdout
    assert "said by rows" in shown
    for told in ('"stage": "no_show"', '"r2"', '"registered"'):
        assert told in shown


def test_a_webinar_that_nobody_attended_makes_nobody_a_no_show(bench: Bench) -> None:
    switch_on(bench)
    two_registered(bench)
    attend(bench.connection, 1, 1, minute=1)
    bench.connection.execute(text("UPDATE warehouse.attendance SET minutes_attended = 0"))
    bench.cycle()
    assert statuses(bench) == {"Last 1": "Registered", "Last 2": "Registered"}
    attend(bench.connection, 2, 1, minute=90)
    bench.cycle()
    assert statuses(bench) == {"Last 1": "Attended", "Last 2": "No Show"}


def test_who_was_there_too_briefly_makes_nobody_else_a_no_show(bench: Bench) -> None:
    switch_on(bench)
    bench.settings(attended_at_least_minutes=5, vanished="delete")
    two_registered(bench)
    attend(bench.connection, 1, 1, minute=1)
    bench.connection.execute(text("UPDATE warehouse.attendance SET minutes_attended = 3"))
    bench.cycle()
    assert statuses(bench) == {"Last 1": "Registered", "Last 2": "Registered"}
    # They come back: it is enough together, whichever visit was read first.
    attend(bench.connection, 2, 1, minute=60)
    bench.connection.execute(text("UPDATE warehouse.attendance SET minutes_attended = 3"))
    bench.cycle()
    assert statuses(bench) == {"Last 1": "Attended", "Last 2": "No Show"}
    assert business(bench) is None
    # One of the visits is taken back: the other one is too brief again.
    bench.connection.execute(text("DELETE FROM warehouse.attendance WHERE attendance_id = 1"))
    bench.connection.execute(text("UPDATE crm.source_count SET counted_at = '2020-01-01'"))
    bench.cycle()
    if business(bench) is not None:
        bench.cycle()
    assert statuses(bench) == {"Last 1": "Registered", "Last 2": "Registered"}


def test_who_looked_in_before_the_start_has_not_attended(bench: Bench, run: Run) -> None:
    switch_on(bench)
    bench.settings(early_visits_count=True)
    two_registered(bench)
    attend(bench.connection, 1, 1, minute=-40)
    attend(bench.connection, 2, 2, minute=-20)
    bench.cycle()
    assert statuses(bench) == {"Last 1": "Attended", "Last 2": "Attended"}
    bench.settings(early_visits_count=False)
    report = bench.cycle()
    assert statuses(bench) == {"Last 1": "No Show", "Last 2": "Attended"}
    assert (report.tally.overall("members_updated"), report.counts.api_calls) == (1, 2)
    assert "before their session began, and are no attendances: 1 (session 1);" in report.notes
    assert bench.cycle().counts.api_calls == 0
    bench.connection.commit()
    why = run("campaign", "explain", ACCOUNT, event_id(bench), "p1@example.com").stdout
    assert "over before the session began" in " ".join(why.split())
    assert "1: no_show" in why
    # The session is moved to an hour earlier: they were there after all.
    bench.connection.execute(
        text("UPDATE warehouse.event_session SET starts_at = :at, shipped_at = :shipped"),
        {"at": LONG_AGO - timedelta(hours=1), "shipped": LONG_AGO + timedelta(hours=3)},
    )
    bench.cycle()
    assert statuses(bench) == {"Last 1": "Attended", "Last 2": "Attended"}


def test_members_of_older_rules_are_decided_anew_with_no_call_too_many(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ledger and org are as an installation left them that had early visits count."""
    monkeypatch.setattr(rules, "RULES", rules.RULES - 1)
    switch_on(bench)
    two_registered(bench)
    for number, minute in ((1, -40), (2, 1)):
        attend(bench.connection, number, number, minute=minute)
    # What is shipped long after it, so that no row is read again as one that may have come late.
    add_person(bench.connection, 3)
    attend(bench.connection, 3, 3, session=2, minute=9_000)
    begins = text("UPDATE warehouse.event_session SET starts_at = :at")
    bench.connection.execute(begins, {"at": LONG_AGO - timedelta(hours=1)})
    bench.cycle()
    others = {"Last 2": "Attended", "Last 3": "Attended"}
    assert statuses(bench) == {"Last 1": "Attended", **others}
    # So it was all along: nothing of this is shipped.
    bench.connection.execute(begins, {"at": LONG_AGO})
    assert bench.cycle().counts.api_calls == 0
    monkeypatch.undo()
    report = bench.cycle()
    assert statuses(bench) == {"Last 1": "No Show", **others}
    assert (report.tally.overall("members_updated"), report.counts.api_calls) == (1, 2)
    assert bench.cycle().counts.api_calls == 0


def test_the_account_is_due_when_the_grace_ends_without_new_rows(bench: Bench) -> None:
    switch_on(bench)
    two_registered(bench)
    ends(bench, datetime.now(UTC) - timedelta(hours=5), minute=0)
    attend(bench.connection, 1, 1, minute=1)
    bench.cycle()
    assert statuses(bench) == {"Last 1": "Attended", "Last 2": "Registered"}
    assert business(bench) is None
    hours_pass(bench, 2)
    assert business(bench) == "sessions that are over"
    report = bench.cycle()
    assert statuses(bench) == {"Last 1": "Attended", "Last 2": "No Show"}
    assert report.tally.overall("members_updated") == 1
    assert business(bench) is None


def test_an_attendance_that_comes_later_takes_the_no_show_back(bench: Bench) -> None:
    switch_on(bench)
    two_registered(bench)
    attend(bench.connection, 1, 1, minute=1)
    bench.cycle()
    assert [each.no_shows_taken_back for each in overview(bench.connection, ACCOUNT)] == [0]
    attend(bench.connection, 2, 2, minute=120)
    bench.cycle()
    assert statuses(bench) == {"Last 1": "Attended", "Last 2": "Attended"}
    assert [each.no_shows_taken_back for each in overview(bench.connection, ACCOUNT)] == [1]


def test_a_session_that_is_put_off_has_no_no_shows_yet(bench: Bench) -> None:
    switch_on(bench)
    two_registered(bench)
    attend(bench.connection, 1, 1, minute=1)
    bench.cycle()
    ends(bench, datetime.now(UTC) + timedelta(days=1), minute=60)
    bench.cycle()
    assert statuses(bench)["Last 2"] == "Registered"
    assert business(bench) is None
    hours_pass(bench, 31)
    assert business(bench) == "sessions that are over"
    bench.cycle()
    assert statuses(bench)["Last 2"] == "No Show"


def test_a_session_that_comes_to_be_over_while_it_is_looked_at_is_looked_at_again(
    bench: Bench,
) -> None:
    switch_on(bench)
    two_registered(bench)
    attend(bench.connection, 1, 1, minute=1)
    bench.cycle()
    hours_pass(bench, -1_000_000)
    looked_at = sessions_to_derive(bench.connection, ACCOUNT)
    assert list(looked_at.values()) == [False], "it was put off"
    hours_pass(bench, 1_000_000)
    sessions_were_derived(bench.connection, ACCOUNT, looked_at)
    assert list(sessions_to_derive(bench.connection, ACCOUNT).values()) == [True]


@pytest.mark.deep
@pytest.mark.parametrize("how", ["no minutes", "somebody else's session", "vanishes"])
def test_the_only_attendance_that_is_taken_back_takes_the_no_shows_along(
    bench: Bench, how: str
) -> None:
    switch_on(bench)
    bench.settings(vanished="delete")
    two_registered(bench)
    attend(bench.connection, 1, 1, minute=1)
    bench.cycle()
    assert statuses(bench)["Last 2"] == "No Show"
    change = {
        "no minutes": "UPDATE warehouse.attendance SET minutes_attended = 0, shipped_at = :at",
        "somebody else's session": "UPDATE warehouse.attendance SET event_session_id = 2,"
        " shipped_at = :at",
        "vanishes": "DELETE FROM warehouse.attendance WHERE :at IS NOT NULL",
    }[how]
    bench.connection.execute(text(change), {"at": LONG_AGO + timedelta(minutes=60)})
    register(bench.connection, 3, 2, session=2, minute=90)
    bench.connection.execute(text("UPDATE crm.source_count SET counted_at = '2020-01-01'"))
    bench.cycle()
    if business(bench) is not None:
        bench.cycle()
    assert statuses(bench)["Last 2"] == "Registered"
    assert business(bench) is None


def test_the_hours_are_the_account_s_and_none_derives_nothing(bench: Bench) -> None:
    switch_on(bench, no_show_after_hours=None)
    two_registered(bench)
    attend(bench.connection, 1, 1, minute=1)
    bench.cycle()
    assert (statuses(bench)["Last 2"], business(bench)) == ("Registered", None)
    switch_on(bench, no_show_after_hours=0)
    bench.cycle()
    assert statuses(bench)["Last 2"] == "No Show"
    switch_on(bench, no_show_after_hours=None)
    bench.cycle()
    assert (statuses(bench)["Last 2"], business(bench)) == ("Registered", None)
    switch_on(bench, no_show_after_hours=0, no_show=None)
    bench.cycle()
    assert (statuses(bench)["Last 2"], business(bench)) == ("Registered", None)


def test_who_cancelled_is_no_no_show_and_who_is_to_come_elsewhere_is_registered(
    bench: Bench,
) -> None:
    switch_on(bench)
    two_registered(bench)
    attend(bench.connection, 1, 1, minute=1)
    says(bench, 2, "cancelled", minute=1)
    bench.cycle()
    assert statuses(bench)["Last 2"] == "Cancelled"
    says(bench, 2, "registered", minute=60)
    bench.cycle()
    assert statuses(bench)["Last 2"] == "No Show"
    register(bench.connection, 4, 2, session=2, minute=120)
    bench.cycle()
    assert statuses(bench)["Last 2"] == "Registered", "nobody attended the second session yet"
