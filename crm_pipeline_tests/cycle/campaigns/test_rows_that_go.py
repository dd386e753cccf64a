"""Memberships of which a row moves to another event or person, vanishes or is filtered out."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.accounts.store import FieldMapping, add_filter, set_field_mapping
from crm_pipeline_tests.cycle.campaigns.scenes import (
    event_id,
    hours_pass_without_a_look_at_conversions,
    says,
    switch_on,
)
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.cycle.test_counting import a_day_passes
from crm_pipeline_tests.cycle.test_people_who_change import hand_over, ship
from crm_pipeline_tests.depth import deep_but_first
from crm_pipeline_tests.flows.webinars.warehouse import (
    CLIENT,
    LONG_AGO,
    add_person,
    attend,
    insert,
    register,
)

ROUTES = ("composite", "bulk")


def people(bench: Bench, **chosen: Any) -> None:
    """The first has registered for both sessions and attended one, the second has registered.

    Somebody attends so late that a count sees the rest.
    """
    # Who came is looked at elsewhere.
    switch_on(bench, no_show_after_hours=None)
    bench.settings(**{"vanished": "delete", **chosen})
    for person in (1, 2, 9):
        add_person(bench.connection, person)
    attend(bench.connection, 9, 9, minute=600)
    register(bench.connection, 1, 1, minute=1)
    register(bench.connection, 2, 1, session=2, minute=2)
    attend(bench.connection, 1, 1, minute=3)
    register(bench.connection, 3, 2, minute=600)


def remove(bench: Bench, table: str, number: int) -> None:
    bench.connection.execute(
        text(f"DELETE FROM warehouse.{table} WHERE {table}_id = :number"), {"number": number}
    )


def members(bench: Bench) -> dict[str, str]:
    """The status of each of them, by address and (of further campaigns) the campaign's name."""
    email = {r["Id"]: r["Email"] for s in ("Lead", "Contact") for r in bench.records(s)}
    names = {each["Id"]: each["Name"] for each in bench.records("Campaign")}
    found = {}
    for each in bench.records("CampaignMember"):
        campaign = names[each["CampaignId"]]
        where = "" if campaign == "Expo" else f" {campaign}"
        found[email[each.get("LeadId") or each["ContactId"]][:2] + where] = each["Status"]
    found.pop("p9", None)
    return found


def a_day_later(bench: Bench) -> Any:
    a_day_passes(bench)
    report = bench.cycle()
    assert report.state == "Complete"
    return report


@pytest.mark.deep
@pytest.mark.parametrize("route", ROUTES)
def test_a_status_follows_the_rows_that_are_left_and_without_any_the_membership_goes(
    bench: Bench, route: str
) -> None:
    people(bench, route=route)
    bench.cycle()
    bench.cycle()
    assert members(bench) == {"p1": "Attended", "p2": "Registered"}
    remove(bench, "attendance", 1)
    a_day_later(bench)
    assert members(bench) == {"p1": "Registered", "p2": "Registered"}
    says(bench, 2, "cancelled", minute=601)
    remove(bench, "registration", 1)
    a_day_later(bench)
    assert members(bench) == {"p1": "Cancelled", "p2": "Registered"}
    register(bench.connection, 99, 2, session=2, minute=700)
    bench.cycle()
    remove(bench, "registration", 2)
    report = a_day_later(bench)
    assert members(bench) == {"p2": "Registered"}
    assert report.tally.overall("members_deleted") == 1
    assert "1 activities, 1 memberships" in report.notes
    assert a_day_later(bench).counts.api_calls == 0
    register(bench.connection, 2, 1, session=2, minute=2)
    a_day_later(bench)
    assert members(bench) == {"p1": "Registered", "p2": "Registered"}
    assert a_day_later(bench).counts.api_calls == 0


@pytest.mark.deep
@pytest.mark.parametrize("vanished", ["keep", "delete"])
def test_who_is_filtered_out_is_a_member_no_more_where_the_account_says_so(
    bench: Bench, vanished: str
) -> None:
    people(bench, vanished=vanished)
    bench.cycle()
    add_filter(bench.connection, "acme", "p1@")
    ship(bench, p1="p1@example.com")
    bench.cycle()
    kept = {"p1": "Attended"} if vanished == "keep" else {}
    assert members(bench) == {**kept, "p2": "Registered"}
    assert bench.cycle().counts.api_calls == 0


def test_by_default_a_membership_stays_as_it_is(bench: Bench) -> None:
    people(bench, vanished="keep")
    bench.cycle()
    for table, number in (("attendance", 1), ("registration", 1), ("registration", 2)):
        remove(bench, table, number)
    assert a_day_later(bench).counts.api_calls == 0
    assert members(bench) == {"p1": "Attended", "p2": "Registered"}


@pytest.mark.parametrize("route", ROUTES)
def test_a_membership_that_was_there_before_keeps_its_status(bench: Bench, route: str) -> None:
    people(bench, route=route)
    bench.cycle()
    [campaign] = bench.records("Campaign")
    lead = bench.seed("Lead", LastName="Old", Company="Old", Email="p4@example.com")
    bench.seed("CampaignMember", CampaignId=campaign["Id"], LeadId=lead, Status="Registered")
    add_person(bench.connection, 4, shipped_at=LONG_AGO + timedelta(hours=10))
    register(bench.connection, 4, 4, minute=601)
    bench.cycle()
    remove(bench, "registration", 4)
    register(bench.connection, 5, 2, session=2, minute=700)
    report = a_day_later(bench)
    assert report.tally.overall("members_deleted") == 0
    assert members(bench)["p4"] == "Registered"
    assert a_day_later(bench).counts.api_calls == 0


@pytest.mark.deep
@pytest.mark.parametrize("kind", ["collections.create", "collections.delete"])
@pytest.mark.parametrize("action", deep_but_first(1, ["reset_after", "reset_before"]))
@pytest.mark.parametrize("returns", deep_but_first(1, [True, False]))
def test_a_lost_answer_leaves_the_membership_as_it_should_be(
    bench: Bench, kind: str, action: str, returns: bool
) -> None:
    people(bench)
    if kind == "collections.create":
        bench.fault(kind, action, nth=3)
    bench.cycle()
    if kind == "collections.delete":
        bench.cycle()
        bench.fault(kind, action, nth=2)
    remove(bench, "attendance", 1)
    remove(bench, "registration", 1)
    remove(bench, "registration", 2)
    register(bench.connection, 99, 2, session=2, minute=700)
    a_day_passes(bench)
    bench.cycle()
    if returns:
        register(bench.connection, 1, 1, minute=1)
        a_day_passes(bench)
    for _ in range(4):
        bench.cycle()
    assert members(bench) == {**({"p1": "Registered"} if returns else {}), "p2": "Registered"}
    assert set(bench.states().values()) <= {"done", "rejected"}


@pytest.mark.parametrize("vanished", ["keep", "delete"])
def test_a_registration_that_moves_to_another_event_leaves_the_former_membership_right(
    bench: Bench, vanished: str
) -> None:
    people(bench, vanished=vanished)
    bench.cycle()
    other = event_id(bench) + 1
    times = {"starts_at": LONG_AGO, "ends_at": LONG_AGO, "shipped_at": LONG_AGO}
    ours = {"event_id": other, "client_id": CLIENT, **times}
    insert(bench.connection, "event", name="Fair", **ours)
    insert(bench.connection, "event_session", event_session_id=7, title="S", **ours)

    def move(table: str, number: int) -> None:
        bench.connection.execute(
            text(
                f"UPDATE warehouse.{table} SET event_session_id = 7, shipped_at = :at"
                f" WHERE {table}_id = :number"
            ),
            {"number": number, "at": LONG_AGO + timedelta(hours=11 + number)},
        )

    move("attendance", 1)
    bench.cycle()
    assert members(bench) == {"p1": "Registered", "p1 Fair": "Attended", "p2": "Registered"}
    move("registration", 3)
    report = bench.cycle()
    kept = {"p2": "Registered"} if vanished == "keep" else {}
    assert members(bench) == {
        "p1": "Registered",
        "p1 Fair": "Attended",
        "p2 Fair": "Registered",
        **kept,
    }
    assert report.tally.overall("members_deleted") == (vanished == "delete")
    assert bench.cycle().counts.api_calls == 0


@pytest.mark.deep
@pytest.mark.parametrize("vanished", ["keep", "delete"])
def test_a_registration_that_moves_to_another_person_leaves_the_former_membership_right(
    bench: Bench, vanished: str
) -> None:
    people(bench, vanished=vanished)
    says(bench, 2, "cancelled", minute=3)
    remove(bench, "attendance", 1)
    bench.cycle()
    assert members(bench) == {"p1": "Registered", "p2": "Registered"}
    hand_over(bench, 1, person=2)
    bench.cycle()
    assert members(bench) == {"p1": "Cancelled", "p2": "Registered"}
    hand_over(bench, 2, person=2, days=2)
    bench.cycle()
    kept = {"p1": "Cancelled"} if vanished == "keep" else {}
    assert members(bench) == {**kept, "p2": "Registered"}
    assert bench.cycle().counts.api_calls == 0


@pytest.mark.deep
def test_the_minutes_of_an_attendance_that_goes_are_taken_off(bench: Bench) -> None:
    mapping = FieldMapping("CampaignMember", "Minutes__c", "minutes_attended", None)
    set_field_mapping(bench.connection, "acme", mapping)
    people(bench)
    attend(bench.connection, 2, 1, session=2, minute=4)
    bench.cycle()
    bench.cycle()
    lead = next(each["Id"] for each in bench.records("Lead") if each["Email"][:2] == "p1")

    def minutes() -> float:
        members = bench.records("CampaignMember")
        return next(float(m["Minutes__c"]) for m in members if m.get("LeadId") == lead)

    assert minutes() == 60
    for number, left in ((1, 30), (2, 0)):
        remove(bench, "attendance", number)
        a_day_later(bench)
        assert minutes() == left
    assert members(bench)["p1"] == "Registered"


def test_a_membership_that_is_another_person_s_too_stays(bench: Bench) -> None:
    """Two addresses of which people have made one record in the org."""
    people(bench)
    bench.seed("Contact", LastName="Old", Email="p5@example.com")
    add_person(bench.connection, 5)
    register(bench.connection, 5, 5, minute=5)
    bench.cycle()
    [contact] = bench.records("Contact")
    lead = next(each for each in bench.records("Lead") if each["Email"] == "p1@example.com")
    bench.admin("convert", lead_id=lead["Id"], contact_id=contact["Id"])
    hours_pass_without_a_look_at_conversions(bench, 25)
    bench.cycle()
    assert members(bench)["p5"] == "Attended"
    remove(bench, "registration", 5)
    a_day_later(bench)
    assert members(bench)["p5"] == "Attended"
