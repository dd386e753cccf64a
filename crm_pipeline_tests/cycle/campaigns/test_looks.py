"""Looks that change nothing: why this status, what other settings would make, how long it took."""

from datetime import timedelta

from sqlalchemy import text

from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.campaigns.scenes import event_id, members, says, switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.flows.webinars.warehouse import LONG_AGO, add_person, attend, register

__all__ = ["run"]


def two_people(bench: Bench) -> None:
    for person in (1, 2):
        add_person(bench.connection, person)
        register(bench.connection, person, person)
    attend(bench.connection, 1, 1, minute=1)
    bench.cycle()
    bench.connection.commit()


def test_a_status_is_explained_and_others_are_tried(run: Run, bench: Bench) -> None:
    switch_on(bench)
    two_people(bench)
    assert members(bench) == [("Attended", True), ("No Show", False)]
    looks = ("campaign", "explain", ACCOUNT, event_id(bench))
    bench.connection.rollback()
    said = run(*looks, "P2@example.com").stdout
    assert "registration:2" in said
    assert "1: no_show" in said
    assert "no_show: the first of the order" in said
    assert "an attendance that is shipped late" in said
    [missed] = [e for e in bench.records("CampaignMember") if e["Status"] == "No Show"]
    missed["Status"] = "By hand"
    asked = run(*looks, "P2@example.com", "--ask").stdout
    assert f"{missed['Id']} has the status By hand, not responded" in asked
    missed["Status"] = "No Show"
    assert "Nobody with this address" in run(*looks, "x@example.com", fails=1).stderr

    other = 'campaigns={"no_show": {"label": "Missed", "has_responded": true, "priority": 3}}'
    said = run("campaign", "what-if", ACCOUNT, other).stdout
    assert " ".join(["No", "Show", "Missed", "1", "1"]) in " ".join(said.replace("│", " ").split())
    assert "1 member of 2 would change: about 1 API call to write them, no further data" in said
    assert "1 would get today's First Responded Date" in said
    assert (
        "No member's status would change"
        in run("campaign", "what-if", ACCOUNT, "parallel_requests=2").stdout
    )
    off = run("campaign", "what-if", ACCOUNT, "campaigns=", fails=1).stderr
    assert "campaigns would be off" in off
    # Another grace is another answer; what only rows tell is said to be so.
    never = run("campaign", "what-if", ACCOUNT, 'campaigns={"no_show_after_hours": null}').stdout
    assert "1 member of 2 would change" in never
    assert "reads rows otherwise" not in never
    assert (
        "reads rows otherwise"
        in run("campaign", "what-if", ACCOUNT, "attended_at_least_minutes=40").stdout
    )
    assert members(bench) == [("Attended", True), ("No Show", False)]


def test_why_a_row_makes_nobody_a_member_is_said(run: Run, bench: Bench) -> None:
    switch_on(bench, pending={"label": "Pending", "priority": 0.5})
    addresses = {3: "x@rival.example", 4: "info@@@"}
    for person in range(1, 7):
        add_person(bench.connection, person, addresses.get(person))
        register(bench.connection, person, person)
    says(bench, 1, "quizás", minute=0)
    says(bench, 2, "pending", minute=0)
    as_speaker = "UPDATE warehouse.registration SET role = 'Speaker' WHERE registration_id = 5"
    bench.connection.execute(text(as_speaker))
    bench.connection.commit()
    run("account", "filter", "add", ACCOUNT, "@rival.example", "--yes")
    bench.cycle()
    looks = ("campaign", "explain", ACCOUNT, event_id(bench))
    bench.connection.rollback()
    for address, why in (
        ("p1@example.com", ["registration:1", "'quizás', held", "a meaning for the status quizás"]),
        ("p2@example.com", ["pending", "the org is not known to have this person", "no status"]),
        ("x@rival.example", ["registration:3", "filtered"]),
        ("INFO@@@", ["registration:4", "invalid email"]),
        ("p5@example.com", ["registration:5", "role speaker"]),
    ):
        said = run(*looks, address).stdout
        assert [each for each in why if each not in said] == [], said
    # A stage without a label takes nothing away, and its row has no activity any more.
    says(bench, 6, "declined", minute=1)
    bench.cycle()
    said = run(*looks, "p6@example.com").stdout
    assert "registered stays: the account has no label for declined" in said
    assert "rejected: declined" in said


def test_an_id_that_is_too_large_is_the_person_s_mistake(run: Run, bench: Bench) -> None:
    switch_on(bench)
    bench.connection.commit()
    number = "9999999999999999999"
    for look, further, fails in (
        ("explain", ["a@example.com"], 2),
        ("delays", [], 2),
        ("rehearse", [], 2),
        ("backfill", [], 2),
        ("link", ["701Hs000000abcd"], 1),
    ):
        said = run("campaign", look, ACCOUNT, number, *further, fails=fails).stderr
        assert number in said
        assert "sql/" not in said


def test_an_event_and_campaigns_that_are_not_there_are_told(run: Run, bench: Bench) -> None:
    wrong = run("campaign", "list", ACCOUNT, fails=1).stderr
    assert "has campaigns off" in wrong
    wrong = run("campaign", "delays", ACCOUNT, "4711", fails=1).stderr
    assert "The warehouse has no event 4711" in wrong


def test_how_long_it_took_is_told_by_event(run: Run, bench: Bench) -> None:
    switch_on(bench)
    two_people(bench)
    left = LONG_AGO + timedelta(minutes=31)
    bench.connection.execute(
        text("UPDATE crm.operation SET finished_at = :at WHERE natural_key LIKE 'attendance:%'"),
        {"at": left + timedelta(minutes=12, seconds=5)},
    )
    bench.connection.commit()
    said = run("campaign", "delays", ACCOUNT, event_id(bench)).stdout
    assert (
        "1 attendance; from leaving to being seen in Salesforce half of them took 12 min 5 s"
        in (" ".join(said.split()))
    )
    bench.settings(campaigns=None)
    assert run("campaign", "delays", ACCOUNT, event_id(bench)).stdout == said, "without campaigns"


def test_a_cancellation_may_be_for_good(bench: Bench) -> None:
    switch_on(bench, reregistration=False, no_show_after_hours=None)
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    says(bench, 1, "cancelled", minute=1)
    register(bench.connection, 2, 1, minute=2)
    bench.cycle()
    assert members(bench) == [("Cancelled", False)]
    switch_on(bench, no_show_after_hours=None)
    bench.cycle()
    assert members(bench) == [("Registered", False)]
