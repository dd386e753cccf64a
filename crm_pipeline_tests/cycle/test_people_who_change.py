"""People who get another address or become one with others, in the source and in the org."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from crm_pipeline.delivery import windows
from crm_pipeline.local_org.lifecycle import convert
from crm_pipeline.settings import settings
from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.campaigns.scenes import switch_on
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.flows.webinars.warehouse import LONG_AGO, add_person, attend, register

__all__ = ["run"]


def ship(bench: Bench, days: int = 1, **addresses: str) -> None:
    """The source says that people (`p1`, `p2`, …) have other addresses."""
    for person, address in addresses.items():
        bench.connection.execute(
            text(
                "UPDATE warehouse.person SET email = :email, shipped_at = :at WHERE person_id = :id"
            ),
            {"email": address, "id": int(person[1:]), "at": LONG_AGO + timedelta(days=days)},
        )


def hand_over(bench: Bench, registration: int, person: int, days: int = 1) -> None:
    """The source says that somebody else had registered."""
    bench.connection.execute(
        text(
            "UPDATE warehouse.registration SET person_id = :person, shipped_at = :at"
            " WHERE registration_id = :registration"
        ),
        {
            "registration": registration,
            "person": person,
            "at": LONG_AGO + timedelta(days=days),
        },
    )


def whose(bench: Bench) -> list[str]:
    """The address of the Lead or Contact of each activity, in the order of their creation."""
    email = {r["Id"]: r["Email"] for s in ("Lead", "Contact") for r in bench.records(s)}
    return [email[event["WhoId"]] for event in bench.records("Event")]


def emails(bench: Bench) -> list[str]:
    return sorted(lead["Email"] for lead in bench.records("Lead"))


def two_people(bench: Bench) -> None:
    for number in (1, 2):
        add_person(bench.connection, number)
        register(bench.connection, number, number)


def test_a_registration_of_another_person_moves_there(bench: Bench) -> None:
    two_people(bench)
    bench.cycle()
    assert whose(bench) == ["p1@example.com", "p2@example.com"]
    hand_over(bench, 1, person=2)
    report = bench.cycle()
    assert (report.state, report.tally.overall("activities_updated")) == ("Complete", 1)
    assert whose(bench) == ["p2@example.com", "p2@example.com"]
    assert bench.cycle().counts.api_calls == 0


def test_a_registration_that_moves_takes_its_membership_along(bench: Bench) -> None:
    switch_on(bench)
    two_people(bench)
    add_person(bench.connection, 3)
    bench.cycle()
    hand_over(bench, 1, person=3)
    assert bench.cycle().state == "Complete"
    email = {lead["Id"]: lead["Email"] for lead in bench.records("Lead")}
    members = {email[each["LeadId"]] for each in bench.records("CampaignMember")}
    assert {"p2@example.com", "p3@example.com"} <= members
    assert whose(bench) == ["p3@example.com", "p2@example.com"]


@pytest.mark.parametrize("gone", ["Event", "Lead", "Lead for good"])
def test_a_registration_whose_activity_is_gone_is_made_anew_for_another_person(
    bench: Bench, gone: str
) -> None:
    """It was an update of what is gone, refused for ever; back again, it is there once more."""
    two_people(bench)
    bench.cycle()
    deleted = bench.records(gone.partition(" ")[0])[0]["Id"]
    bench.admin("delete", ids=[deleted])
    if "for good" in gone:
        bench.admin("empty-bin")
    for day, person in ((1, 2), (2, 1)):
        hand_over(bench, 1, person=person, days=day)
        assert bench.cycle().state == "Complete"
        assert sorted(whose(bench)) == [f"p{person}@example.com", "p2@example.com"]
        assert set(bench.states().values()) == {"done"}
        assert bench.cycle().counts.api_calls == 0


@pytest.mark.deep
def test_an_activity_that_people_deleted_stays_gone_where_its_person_became_another_record(
    bench: Bench,
) -> None:
    two_people(bench)
    bench.cycle()
    bench.admin("delete", ids=[bench.records("Event")[0]["Id"]])
    convert(bench.org, bench.records("Lead")[0]["Id"])
    bench.connection.execute(
        text("UPDATE warehouse.registration SET registered_at = :at, shipped_at = :at"),
        {"at": LONG_AGO + timedelta(days=1)},
    )
    for _ in range(2):
        assert bench.cycle().state == "Complete"
    assert whose(bench) == ["p2@example.com"]
    assert set(bench.states().values()) == {"done"}


def test_who_only_changed_the_address_stays_one(bench: Bench) -> None:
    two_people(bench)
    bench.cycle()
    ship(bench, p1="new@example.com")
    report = bench.cycle()
    assert report.tally.overall("leads_updated") == 1
    assert report.tally.overall("activities_updated") == report.tally.overall("leads_created") == 0
    assert emails(bench) == ["new@example.com", "p2@example.com"]


def test_what_is_unsent_follows_a_corrected_address(bench: Bench) -> None:
    add_person(bench.connection, 1, "typo@exampel.com")
    register(bench.connection, 1, 1)
    bench.admin("settings", maintenance="down")
    assert bench.cycle().state == "Failed"
    ship(bench, p1="right@example.com")
    assert bench.cycle().state == "Failed"
    bench.admin("settings", maintenance="none")
    assert bench.cycle().state == "Complete"
    assert emails(bench) == ["right@example.com"]
    assert whose(bench) == ["right@example.com"]
    assert set(bench.states().values()) == {"done"}


@pytest.mark.deep
@pytest.mark.parametrize("action", ["reset_before", "reset_after"])
def test_an_address_corrected_after_a_lost_answer_makes_no_second_lead(
    bench: Bench, action: str
) -> None:
    add_person(bench.connection, 1, "typo@exampel.com")
    register(bench.connection, 1, 1)
    bench.fault("collections.create", action, nth=1)
    bench.cycle()
    ship(bench, p1="right@example.com")
    for _ in range(3):
        bench.cycle()
    assert emails(bench) == ["right@example.com"]
    assert whose(bench) == ["right@example.com"]


@pytest.mark.deep
@pytest.mark.parametrize("action", ["reset_before", "reset_after"])
def test_an_address_that_another_takes_after_a_lost_answer_brings_no_lead_along(
    bench: Bench, action: str
) -> None:
    two_people(bench)
    bench.fault("collections.create", action, nth=1)
    bench.cycle()
    ship(bench, p1="new@example.com", p2="p1@example.com")
    for _ in range(3):
        bench.cycle()
    names = {lead["Email"]: lead["LastName"] for lead in bench.records("Lead")}
    assert names == {"new@example.com": "Last 1", "p1@example.com": "Last 2"}
    assert whose(bench) == ["new@example.com", "p1@example.com"]


@pytest.mark.parametrize("there", [True, False])
def test_a_lead_that_sales_deleted_is_found_or_made_anew_under_the_new_address(
    bench: Bench, there: bool
) -> None:
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.cycle()
    [gone] = bench.records("Lead")
    gone["IsDeleted"] = True
    if there:
        bench.seed("Contact", LastName="Last 1", Email="new@example.com")
    ship(bench, p1="new@example.com")
    attend(bench.connection, 1, 1, minute=60)
    assert bench.cycle().state == "Complete"
    assert emails(bench) == ([] if there else ["new@example.com"])
    attended = [e for e in bench.records("Event") if e["Subject"] == "Webinar Attendance"]
    [person] = bench.records("Contact" if there else "Lead")
    assert [event["WhoId"] for event in attended] == [person["Id"]]
    assert set(bench.states().values()) == {"done"}


@pytest.mark.deep
def test_a_lead_of_who_has_the_address_of_one_that_sales_deleted_is_not_taken(
    bench: Bench,
) -> None:
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.cycle()
    [gone] = bench.records("Lead")
    bench.admin("delete", ids=[gone["Id"]])
    ship(bench, p1="new@example.com")
    later = LONG_AGO + timedelta(days=2)
    add_person(bench.connection, 2, email="p1@example.com", shipped_at=later)
    register(bench.connection, 2, 2, shipped_at=later)
    attend(bench.connection, 1, 1, minute=60)
    for _ in range(2):
        assert bench.cycle().state == "Complete"
    living = [lead for lead in bench.records("Lead") if not lead["IsDeleted"]]
    names = {lead["Email"]: lead["LastName"] for lead in living}
    assert names == {"new@example.com": "Last 1", "p1@example.com": "Last 2"}
    email = {lead["Id"]: lead["Email"] for lead in living}
    there = [email[e["WhoId"]] for e in bench.records("Event") if not e["IsDeleted"]]
    assert sorted(there) == ["new@example.com", "p1@example.com"]


def test_swapped_addresses_leave_each_activity_with_the_one_who_was_there(bench: Bench) -> None:
    two_people(bench)
    bench.cycle()
    ship(bench, p1="p2@example.com", p2="p1@example.com")
    for _ in range(2):
        assert bench.cycle().state == "Complete"
    assert emails(bench) == ["p1@example.com", "p2@example.com"]
    assert whose(bench) == ["p2@example.com", "p1@example.com"]
    names = {lead["Email"]: lead["LastName"] for lead in bench.records("Lead")}
    assert names == {"p1@example.com": "Last 2", "p2@example.com": "Last 1"}


@pytest.mark.parametrize("at_a_time", [1, 10_000])
def test_an_address_that_one_leaves_and_another_takes_moves_on(
    bench: Bench, at_a_time: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "WINDOW", at_a_time)
    two_people(bench)
    bench.cycle()
    first, second = (lead["Id"] for lead in bench.records("Lead"))
    ship(bench, p1="p2@example.com", p2="third@example.com")
    for _ in range(2):
        assert bench.cycle().state == "Complete"
    email = {lead["Id"]: lead["Email"] for lead in bench.records("Lead")}
    assert email == {first: "p2@example.com", second: "third@example.com"}
    assert whose(bench) == ["p2@example.com", "third@example.com"]


def test_two_who_share_a_new_address_become_one_and_both_their_activities_are_there(
    bench: Bench,
) -> None:
    two_people(bench)
    bench.cycle()
    ship(bench, p1="both@example.com")
    ship(bench, p2="both@example.com", days=2)
    for _ in range(2):
        assert bench.cycle().state == "Complete"
    assert whose(bench) == ["both@example.com", "both@example.com"]


@pytest.mark.deep
@pytest.mark.parametrize("campaigns", [False, True])
def test_unsent_things_of_one_who_takes_another_s_address_are_sent_once(
    bench: Bench, campaigns: bool
) -> None:
    if campaigns:
        switch_on(bench)
    two_people(bench)
    bench.admin("settings", maintenance="down")
    bench.cycle()
    ship(bench, p1="p2@example.com")
    bench.cycle()
    bench.admin("settings", maintenance="none")
    assert bench.cycle().state == "Complete"
    assert emails(bench) == ["p2@example.com"]
    assert whose(bench) == ["p2@example.com", "p2@example.com"]
    assert bench.cycle().counts.waiting == 0
    assert len(bench.records("CampaignMember")) == campaigns
    assert set(bench.states().values()) <= {"done", "superseded"}


@pytest.mark.deep
@pytest.mark.parametrize("own", [False, True])
def test_unsent_memberships_of_one_who_takes_another_s_address_go_to_that_one(
    bench: Bench, run: Run, own: bool
) -> None:
    """Though their rows are read no more, as their session is not pushed any more."""
    switch_on(bench)
    for session in (1, 2):
        run("account", "session", "add", "acme", session, "--yes")
    for number in (1, 2):
        add_person(bench.connection, number)
        register(bench.connection, number, number)
    attend(bench.connection, 3, 1, session=2, minute=30)
    if own:
        register(bench.connection, 4, 2, session=2, minute=30)
    bench.admin("settings", maintenance="down")
    bench.cycle()
    run("account", "session", "remove", "acme", 2)
    ship(bench, p1="p2@example.com")
    bench.cycle()
    bench.admin("settings", maintenance="none")
    assert bench.cycle().state == "Complete"
    assert emails(bench) == ["p2@example.com"]
    assert whose(bench) == ["p2@example.com"] * (3 + own)
    assert [member["Status"] for member in bench.records("CampaignMember")] == ["Attended"]
    assert set(bench.states().values()) <= {"done", "superseded"}
    assert bench.cycle().counts.api_calls == 0


def test_who_comes_to_an_address_takes_no_record_whichever_rows_are_read_together(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new one was read first, with the address that the other one had until then."""
    monkeypatch.setenv("CHUNK_ROWS", "1")
    settings.cache_clear()
    two_people(bench)
    bench.cycle()
    first = bench.records("Lead")[0]["Id"]
    add_person(bench.connection, 11, "p1@example.com")
    register(bench.connection, 11, 11, minute=60)
    ship(bench, p1="left@example.com")
    for _ in range(2):
        assert bench.cycle().state == "Complete"
    email = {lead["Id"]: lead["Email"] for lead in bench.records("Lead")}
    assert email[first] == "left@example.com"
    assert sorted(email.values()) == ["left@example.com", "p1@example.com", "p2@example.com"]
    assert whose(bench) == ["left@example.com", "p2@example.com", "p1@example.com"]


@pytest.mark.parametrize("who", ["p1", "p2"])
def test_who_stays_at_a_shared_address_is_heard_again_when_the_other_has_left(
    bench: Bench, who: str
) -> None:
    """Though the other one had registered later, and so spoke for both."""
    add_person(bench.connection, 1)
    add_person(bench.connection, 2, "p1@example.com")
    register(bench.connection, 1, 1)
    bench.cycle()
    register(bench.connection, 2, 2, minute=60)
    bench.cycle()
    stays = "p2" if who == "p1" else "p1"
    ship(bench, days=1, **{who: "left@example.com"})
    bench.cycle()
    assert emails(bench) == ["left@example.com", "p1@example.com"]
    ship(bench, days=2, **{stays: "stayed@example.com"})
    assert bench.cycle().state == "Complete"
    assert emails(bench) == ["left@example.com", "stayed@example.com"]
    names = {lead["Email"]: lead["LastName"] for lead in bench.records("Lead")}
    assert names["stayed@example.com"] == f"Last {stays[1:]}"
    addresses = {who: "left@example.com", stays: "stayed@example.com"}
    assert whose(bench) == [addresses["p1"], addresses["p2"]]
    assert bench.cycle().counts.api_calls == 0


@pytest.mark.deep
def test_who_comes_with_the_former_address_of_a_converted_person_is_somebody_else(
    bench: Bench,
) -> None:
    add_person(bench.connection, 1, email="n4@example.com")
    register(bench.connection, 1, 1)
    bench.cycle()
    [lead] = bench.records("Lead")
    bench.admin("convert", lead_id=lead["Id"])
    ship(bench, p1="p5@example.com")
    bench.cycle()
    later = LONG_AGO + timedelta(days=2)
    add_person(bench.connection, 5, email="n4@example.com", shipped_at=later)
    register(bench.connection, 2, 5, shipped_at=later)
    assert bench.cycle().state == "Complete"
    assert whose(bench) == ["p5@example.com", "n4@example.com"]
    assert bench.cycle().counts.api_calls == 0


@pytest.mark.deep
def test_who_comes_with_a_former_address_is_the_record_that_nobody_has_left(bench: Bench) -> None:
    """In the org two leads have it: that of whoever left it, and a younger one."""
    two_people(bench)
    bench.cycle()
    bench.admin("seed", Lead=[{"LastName": "New", "Company": "X", "Email": "p1@example.com"}])
    ship(bench, p1="new@example.com")
    add_person(bench.connection, 3, email="p1@example.com")
    register(bench.connection, 3, 3)
    assert bench.cycle().state == "Complete"
    assert emails(bench) == ["new@example.com", "p1@example.com", "p2@example.com"]
    assert whose(bench) == ["new@example.com", "p2@example.com", "p1@example.com"]
