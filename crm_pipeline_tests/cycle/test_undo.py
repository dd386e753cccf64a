"""A cycle is taken back: where it still is as we left it, and for good."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.account import AccountError
from crm_pipeline.accounts.orgs import take_other_org
from crm_pipeline.cycle.undo import CycleToUndo, Undo, plan_undo, undo_cycle
from crm_pipeline.database.engines import engine
from crm_pipeline.ledger.anew import start_anew
from crm_pipeline.ledger.copies import take_for_sent
from crm_pipeline.ledger.holds import approve_load
from crm_pipeline.ledger.lock import account_lock
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.rules import RULES
from crm_pipeline.settings import settings
from crm_pipeline_tests.cycle.campaigns.scenes import switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.cycle.plans import all_records, all_that_is_kept
from crm_pipeline_tests.cycle.test_field_policy import says
from crm_pipeline_tests.cycle.test_removals import ask
from crm_pipeline_tests.depth import deep_but_first
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

ROUTES = pytest.mark.parametrize("route", deep_but_first(1, ["composite", "bulk"]))


def planned(bench: Bench, cycle_id: int | None, field: str | None = None) -> Undo:
    """What taking a cycle back would come to; nothing changes by that."""
    bench.connection.commit()
    kept, records = all_that_is_kept(bench.connection), all_records(bench)
    found = plan_undo(CycleToUndo(ACCOUNT, cycle_id or 0, field), run_id="plan")
    assert found.report.state == "Complete", found.report.reason
    assert all_records(bench) == records
    differing = {n for n, now in all_that_is_kept(bench.connection).items() if kept[n] != now}
    assert differing <= {"crm.account_org"}
    return found


def undo(bench: Bench, cycle_id: int | None, only: Undo, field: str | None = None) -> Undo:
    bench.connection.commit()
    of = CycleToUndo(ACCOUNT, cycle_id or 0, field)
    return undo_cycle(of, only=only.changing, by="ann", run_id="undo")


def taken_back(bench: Bench, cycle_id: int | None, field: str | None = None) -> dict[str, str]:
    """Takes a cycle back, as planned; the outcome of each record by object and number."""
    foreseen = planned(bench, cycle_id, field)
    done = undo(bench, cycle_id, foreseen, field)
    assert done.report.state == "Complete", done.report.reason
    outcomes = {each.salesforce_id: each.outcome for each in foreseen.records}
    assert {e.salesforce_id: e.outcome for e in done.records}.items() <= outcomes.items()
    return outcomes


def nothing_more_goes(bench: Bench) -> None:
    before = all_records(bench)
    report = bench.cycle()
    assert (report.state, report.counts.waiting) == ("Complete", 0)
    assert all_records(bench) == before


def known_and_new(bench: Bench, **settings: Any) -> tuple[str, int | None]:
    """The Id of somebody who is in the org, and the cycle that finds them and makes another one."""
    switch_on(bench)
    bench.settings(**settings)
    old = bench.seed("Lead", LastName="Old", Company="x", Email="p1@example.com", Title="Boss")
    for person in (1, 2):
        add_person(bench.connection, person, job_title="CTO")
        register(bench.connection, person, person)
    return old, bench.cycle().cycle_id


def the(bench: Bench, record_id: str) -> dict[str, Any]:
    [found] = [each for each in bench.records("Lead") if each["Id"] == record_id]
    return found


@ROUTES
def test_a_cycle_is_taken_back_whole_and_not_sent_again(bench: Bench, route: str) -> None:
    old, cycle_id = known_and_new(bench, route=route)
    assert [len(bench.records(name)) for name in ("Lead", "Event", "CampaignMember")] == [2, 2, 2]
    outcomes = taken_back(bench, cycle_id)
    assert sorted(outcomes.values()) == ["delete"] * 6 + ["restore"]
    [left] = bench.records("Lead")
    assert (left["Id"], left["LastName"], left["Title"]) == (old, "Old", "Boss")
    assert [bench.records(name) for name in ("Event", "CampaignMember", "Campaign")] == [[], [], []]
    deleted = [row for row in bench.org.table("Lead").rows.values() if row["IsDeleted"]]
    assert len(deleted) == 1, "it is in the bin"
    nothing_more_goes(bench)
    counted = bench.connection.execute(
        text(
            "SELECT action, sum(number) FROM reporting.deliveries WHERE kind = 'undo'"
            " GROUP BY action ORDER BY action"
        )
    )
    assert list(map(tuple, counted)) == [("delete", 6), ("update", 1)]
    assert planned(bench, cycle_id).changing == [], "a second time there is nothing left"
    says(bench, "job_title", "CEO")
    assert the(bench, old)["Title"] == "CEO", "the source says otherwise"


@pytest.mark.deep
def test_what_people_changed_since_stays_and_is_listed(bench: Bench) -> None:
    old, cycle_id = known_and_new(bench)
    [new] = [each["Id"] for each in bench.records("Lead") if each["Id"] != old]
    bench.admin("edit", id=old, fields={"Title": "Chief"})
    bench.seed("Task", WhoId=new, Subject="Call", Status="Completed", Priority="Normal")
    found = {each.salesforce_id: each for each in planned(bench, cycle_id).records}
    fields = dict(found[old].fields or {})
    assert fields["LastName"] == "Old"
    assert "Title" not in fields
    assert "Title was changed since" in str(found[old].reason)
    assert (found[new].outcome, found[new].reason) == ("left", "something belongs to it: Task")
    taken_back(bench, cycle_id)
    assert (the(bench, old)["LastName"], the(bench, old)["Title"]) == ("Old", "Chief")
    assert the(bench, new)["Title"] == "CTO"
    nothing_more_goes(bench)


def test_a_record_that_somebody_touched_is_not_deleted(bench: Bench) -> None:
    old, cycle_id = known_and_new(bench)
    [new] = [each["Id"] for each in bench.records("Lead") if each["Id"] != old]
    bench.org.clock_shift = timedelta(seconds=5)
    bench.admin("edit", id=new, fields={"Rating": "Hot"})
    event, _ = bench.records("Event")
    event["CreatedDate"] = "2020-01-01T00:00:00.000+0000"
    found = {each.salesforce_id: each for each in planned(bench, cycle_id).records}
    assert (found[new].outcome, found[new].reason) == ("left", "it was changed since")
    assert (found[event["Id"]].outcome, found[event["Id"]].reason) == (
        "left",
        "it was there before, or somebody else made it",
    )


def test_what_people_touched_before_a_later_cycle_wrote_there_is_not_deleted(bench: Bench) -> None:
    old, cycle_id = known_and_new(bench)
    [new] = [each["Id"] for each in bench.records("Lead") if each["Id"] != old]
    bench.org.clock_shift = timedelta(seconds=5)
    bench.admin("edit", id=new, fields={"Rating": "Hot"})
    bench.connection.execute(
        text("UPDATE warehouse.person SET job_title = 'CEO', shipped_at = now()")
    )
    assert bench.cycle().state == "Complete"
    assert the(bench, new)["Title"] == "CEO"
    found = {each.salesforce_id: each for each in planned(bench, cycle_id).records}
    assert (found[new].outcome, found[new].reason) == (
        "left",
        "cycle 2 wrote to it again, and whether it was changed before is not known",
    )


@pytest.mark.deep
def test_who_comes_after_a_campaign_was_taken_back_gets_one(bench: Bench) -> None:
    """Only what is new is sent, and no part of it is taken for the earlier cycle's."""
    _, cycle_id = known_and_new(bench)
    taken_back(bench, cycle_id)
    nothing_more_goes(bench)
    add_person(bench.connection, 3)
    for registration, person in ((12, 2), (13, 3)):
        register(bench.connection, registration, person, minute=50)
    report = bench.cycle()
    assert (report.state, report.counts.waiting, report.counts.incidents) == ("Complete", 0, 0)
    [campaign] = bench.records("Campaign")
    [member] = bench.records("CampaignMember")
    leads = {each["Email"]: each["Id"] for each in bench.records("Lead")}
    assert (member["CampaignId"], member["LeadId"]) == (campaign["Id"], leads["p3@example.com"])
    assert len(bench.records("Event")) == 2
    listed = {each.salesforce_id for each in planned(bench, cycle_id).records}
    assert not listed & {leads["p2@example.com"], campaign["Id"]}


@pytest.mark.deep
def test_people_of_whom_something_became_since(bench: Bench) -> None:
    """One was converted, one was deleted, one removed on request, and a field is hidden."""
    bench.seed("Lead", LastName="Old", Company="x", Email="p3@example.com")
    gone = bench.seed("Lead", LastName="Old", Company="x", Email="p4@example.com")
    hidden = bench.seed("Lead", LastName="Old", Company="x", Email="p5@example.com", Title="Boss")
    for person in (3, 4, 5):
        add_person(bench.connection, person, job_title="CTO")
    old, cycle_id = known_and_new(bench, keep_replaced_values=True)
    for person in (3, 4, 5):
        register(bench.connection, person, person)
    cycle_id = bench.cycle().cycle_id
    bench.admin("convert", lead_id=old)
    bench.org.table("Lead").rows[gone]["IsDeleted"] = True
    ask(address="p3@example.com")
    assert bench.cycle().state == "Complete"
    bench.connection.execute(text("DELETE FROM crm.sobject_schema"))
    bench.org.hide_fields(["Lead.Title"])
    found = planned(bench, cycle_id)
    records = {each.salesforce_id: each for each in found.records}
    assert records[gone].reason == "it is not in the org any more"
    assert "Title may not be written by our user" in str(records[hidden].reason)
    assert (records[hidden].fields or {}).keys() >= {"LastName"}
    assert "removed" in {each.code for each in found.left}
    first = planned(bench, 1)
    assert {each.salesforce_id: each.reason for each in first.records}[old] == (
        "it was converted since"
    )


def test_one_field_alone_is_taken_back(bench: Bench) -> None:
    old, cycle_id = known_and_new(bench)
    undone = undo(bench, cycle_id, planned(bench, cycle_id, "title"), "title")
    assert {each.salesforce_id: each.outcome for each in undone.records} == {old: "restore"}
    assert (the(bench, old)["Title"], the(bench, old)["LastName"]) == ("Boss", "Last 1")
    assert len(bench.records("Lead")) == 2
    assert taken_back(bench, undone.report.cycle_id) == {old: "restore"}
    assert the(bench, old)["Title"] == "CTO", "as after the cycle that was taken back itself"
    [again] = planned(bench, cycle_id, "title").records
    assert (again.outcome, "was written again by cycle" in str(again.reason)) == ("left", True)


@pytest.mark.deep
def test_of_whom_nothing_was_kept_that_is_said(bench: Bench) -> None:
    old, _ = known_and_new(bench)
    bench.connection.execute(
        text("UPDATE warehouse.person SET job_title = 'CEO', shipped_at = now()")
    )
    cycle_id = bench.cycle().cycle_id
    found = planned(bench, cycle_id)
    assert found.records == []
    assert {(e.code, tuple(e.fields)) for e in found.left} == {("not_kept", ("Title",))}
    assert len(found.left) == 2
    bench.settings(keep_replaced_values=True, person_fields="unless_edited")
    bench.connection.execute(
        text("UPDATE warehouse.person SET job_title = 'CIO', shipped_at = now()")
    )
    taken_back(bench, bench.cycle().cycle_id)
    assert {each["Title"] for each in bench.records("Lead")} == {"CEO"}
    says(bench, "job_title", "CFO")
    assert the(bench, old)["Title"] == "CFO", "what was restored is ours, not people's"


def test_found_after_a_lost_answer_is_only_who_was_sent_without_one(
    pipeline: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nobody whom a rule of the org refused to make, as it named a record: that one had it."""
    rule = {"object": "Lead", "match": ["Phone"], "action": "block"}
    org = {"name": ACCOUNT, **ORG, "duplicate_rules": [rule]}
    with bench_of(org, pipeline, monkeypatch) as bench:
        bench.seed("Lead", LastName="Old", Company="x", Phone="0123")
        cycles = []
        for number, phone in ((1, "0123"), (2, "0456")):
            if number == 2:
                bench.fault("collections.create", "reset_after", times=1)
            add_person(bench.connection, number, phone_1=phone)
            register(bench.connection, number, number, minute=number * 60)
            cycles.append(bench.cycle().cycle_id)
        bench.connection.execute(text("UPDATE crm.operation SET sent_at = '2026-01-01'"))
        assert bench.cycle().state == "Complete"
        assert len(bench.records("Lead")) == 2
        refused, lost = (planned(bench, cycle_id).left for cycle_id in cycles)
        assert "found" not in {each.code for each in refused}
        assert {each.about for each in lost if each.code == "found"} == {"p2@example.com"}


@pytest.mark.deep
@pytest.mark.parametrize("action", deep_but_first(1, ["reset_after", "reset_before"]))
def test_lost_answers_do_no_harm(bench: Bench, action: str) -> None:
    old, cycle_id = known_and_new(bench)
    foreseen = planned(bench, cycle_id)
    bench.fault("collections.delete", action, times=1)
    undo(bench, cycle_id, foreseen)
    bench.connection.execute(text("UPDATE crm.operation SET sent_at = '2026-01-01'"))
    bench.connection.execute(text("UPDATE crm.account SET enabled = false"))
    again = undo(bench, cycle_id, planned(bench, cycle_id))
    bench.connection.execute(text("UPDATE crm.account SET enabled = true"))
    bench.connection.commit()
    assert again.report.state == "Complete"
    for _ in range(2):
        assert bench.cycle().state == "Complete"
    [left] = bench.records("Lead")
    assert (left["Id"], left["LastName"], left["Title"]) == (old, "Old", "Boss")
    assert bench.records("Event") == []
    nothing_more_goes(bench)


@pytest.mark.parametrize("action", deep_but_first(1, ["reset_before", "reset_after"]))
def test_what_waits_for_an_answer_goes_before_that_to_which_it_belongs(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    """It was left for good, as something belonged to it."""
    monkeypatch.setenv("LOST_ANSWER_GRACE_SECONDS", "600")
    settings.cache_clear()
    switch_on(bench)
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    cycle_id = bench.cycle().cycle_id
    foreseen = planned(bench, cycle_id)
    bench.fault("collections.delete", action, times=1)
    undo(bench, cycle_id, foreseen)
    again = undo(bench, cycle_id, foreseen)
    assert again.report.state == "Complete"
    assert "waiting" in {each.outcome for each in again.records}
    bench.connection.execute(
        text("UPDATE crm.operation SET sent_at = '2026-01-01' WHERE state = 'in_flight'")
    )
    bench.connection.commit()
    assert bench.cycle().state == "Complete"
    for sobject in ("Lead", "Event", "Campaign", "CampaignMember"):
        assert bench.records(sobject) == []
    nothing_more_goes(bench)


@pytest.mark.deep
def test_where_an_object_is_not_described_now_another_cycle_goes_on(bench: Bench) -> None:
    """It was taken for a description."""
    old, cycle_id = known_and_new(bench)
    foreseen = planned(bench, cycle_id)
    bench.fault("describe", "error", times=1)
    report = undo(bench, cycle_id, foreseen).report
    assert (report.state, "does not describe" in report.reason) == ("Failed", True)
    over = {"status": 403, "code": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests"}
    bench.fault("describe", "error", times=1, **over)
    assert undo(bench, cycle_id, foreseen).report.state == "Paused"
    bench.connection.execute(text("UPDATE crm.sync_state SET paused_until = NULL"))
    bench.forget_usage()
    assert bench.cycle().state == "Complete"
    assert [each["Id"] for each in bench.records("Lead")] == [old]


@pytest.mark.deep
def test_what_was_approved_is_looked_at_again(bench: Bench) -> None:
    old, cycle_id = known_and_new(bench)
    foreseen = planned(bench, cycle_id)
    bench.admin("edit", id=old, fields={"LastName": "Married", "Title": "Chief"})
    ask(address="p2@example.com")
    done = undo(bench, cycle_id, foreseen)
    assert done.report.state == "Complete"
    assert (the(bench, old)["LastName"], the(bench, old)["Title"]) == ("Married", "Chief")


def test_only_cycles_of_the_account_and_not_while_one_runs(bench: Bench) -> None:
    _, cycle_id = known_and_new(bench)
    assert cycle_id is not None
    for other in (0, cycle_id + 7):
        with pytest.raises(AccountError, match=re.escape(f"has no cycle {other} that can be")):
            plan_undo(CycleToUndo(ACCOUNT, other), run_id="undo")
    with account_lock(engine("pipeline"), ACCOUNT), pytest.raises(AccountError, match="running"):
        plan_undo(CycleToUndo(ACCOUNT, cycle_id), run_id="undo")


def test_nothing_is_taken_back_in_another_org(bench: Bench) -> None:
    """Neither where the login leads to it meanwhile, nor once all is to start anew there."""
    old, cycle_id = known_and_new(bench)
    taken_back(bench, cycle_id, "Title")
    foreseen, before = planned(bench, cycle_id), all_records(bench)
    another = bench.org.id = str(long_id("00DREFRESHED000"))
    for report in (
        plan_undo(CycleToUndo(ACCOUNT, cycle_id or 0), run_id="plan").report,
        undo(bench, cycle_id, foreseen).report,
    ):
        assert (report.state, report.counts.api_calls) == ("Failed", 0)
        assert f"The login leads to org {another}" in (report.reason or "")
    assert all_records(bench) == before
    take_other_org(bench.connection, ACCOUNT)
    start_anew(bench.connection, ACCOUNT)
    approve_load(bench.connection, ACCOUNT)
    take_for_sent(bench.connection, ACCOUNT)
    bench.connection.commit()
    assert bench.cycle().state == "Complete"
    assert (the(bench, old)["LastName"], the(bench, old)["Title"]) == ("Last 1", "CTO")
    nothing_more_goes(bench)
    assert len(bench.records("Event")) == 2


def test_what_the_org_refused_of_one_field_does_not_hold_up_the_rest(bench: Bench) -> None:
    old = bench.seed(
        "Lead", LastName="Old", Company="x", Email="p1@example.com", Country="Atlantis"
    )
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    cycle_id = bench.cycle().cycle_id
    foreseen = planned(bench, cycle_id, "Country")
    assert [each.outcome for each in undo(bench, cycle_id, foreseen, "Country").records] == [
        "refused"
    ]
    assert taken_back(bench, cycle_id, "LastName") == {old: "restore"}
    assert the(bench, old)["LastName"] == "Old"
    RULES[bench.org]["Lead"].clear()
    taken_back(bench, cycle_id)
    assert (the(bench, old)["Company"], the(bench, old)["Country"]) == ("x", "Atlantis")
    nothing_more_goes(bench)
