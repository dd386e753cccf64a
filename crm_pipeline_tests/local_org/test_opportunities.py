"""Opportunities: stages, history, contact roles, activities, merging."""

from typing import Any

import pytest

from crm_pipeline_tests.local_org.records import admin, create, read, update
from crm_pipeline_tests.local_org.wire import Caller, serving, serving_afresh

STAGES = [
    {"label": "Talking", "probability": 20},
    {"label": "Commitment", "probability": 80, "forecast_category": "Commit"},
    {"label": "Gewonnen", "type": "won"},
    {"label": "Verloren", "type": "lost"},
    {"label": "Old", "active": False},
]
HISTORY = "SELECT StageName, Amount, PrevAmount FROM OpportunityHistory ORDER BY Id"


@pytest.fixture(scope="module")
def fresh():
    with serving_afresh(opportunity_stages=STAGES) as afresh:
        yield afresh


@pytest.fixture
def staged(fresh):
    return fresh()


def sell(acme: Caller, stage: str = "Prospecting", **fields: Any) -> str:
    given = {"Name": "Deal", "CloseDate": "2026-03-31", "StageName": stage, **fields}
    return create(acme, "Opportunity", **given)


def role(acme: Caller, opportunity: str, contact: str, **fields: Any) -> str:
    given = {"OpportunityId": opportunity, "ContactId": contact, **fields}
    return create(acme, "OpportunityContactRole", **given)


# --- stages ---


def test_a_stage_of_ones_own_says_what_is_won(staged):
    won, lost = sell(staged, "Gewonnen"), sell(staged, "Verloren")
    talking, sure = sell(staged, "Talking"), sell(staged, "Commitment")
    fields = "SELECT IsClosed, IsWon, Probability, ForecastCategory, ForecastCategoryName"
    for record_id, expected in (
        (won, [True, True, 100.0, "Closed", "Closed"]),
        (lost, [True, False, 0.0, "Omitted", "Omitted"]),
        (talking, [False, False, 20.0, "Pipeline", "Pipeline"]),
        (sure, [False, False, 80.0, "Forecast", "Commit"]),
    ):
        (row,) = staged.query(f"{fields} FROM Opportunity WHERE Id = '{record_id}'")
        assert list(row.values()) == expected


def test_the_stages_can_be_read_and_no_client_writes_them(staged):
    found = staged.query(
        "SELECT MasterLabel, SortOrder, IsActive, IsWon FROM OpportunityStage ORDER BY SortOrder"
    )
    labels = [each["MasterLabel"] for each in found]
    assert labels == ["Talking", "Commitment", "Gewonnen", "Verloren", "Old"]
    assert [each["IsActive"] for each in found] == [True] * 4 + [False]
    fields = staged.get("sobjects/Opportunity/describe").json()["fields"]
    (stage,) = (each for each in fields if each["name"] == "StageName")
    assert [each["value"] for each in stage["picklistValues"]] == labels[:4]
    answer = staged.post("sobjects/OpportunityStage", json={"MasterLabel": "x"})
    assert answer.status_code == 403


def test_salesforces_own_stages_are_there_without_any_in_the_file(acme):
    won = "SELECT MasterLabel FROM OpportunityStage WHERE IsWon = true"
    assert acme.values(won) == ["Closed Won"]
    assert read(acme, "Opportunity", sell(acme, "Closed Lost"))["IsClosed"] is True


def test_a_stage_that_is_not_set_up_is_open(acme):
    row = read(acme, "Opportunity", sell(acme, "Whatever"))
    assert (row["IsClosed"], row["IsWon"], row["Probability"]) == (False, False, 0.0)


def retype(caller: Caller) -> tuple[str, str]:
    """Makes a stage won; returns the stamps of its opportunity before and after."""
    opportunity = sell(caller, "Verloren")
    before = read(caller, "Opportunity", opportunity)["SystemModstamp"]
    admin(caller, "settings", {"clock_shift_seconds": 60})
    (stage,) = caller.values("SELECT Id FROM OpportunityStage WHERE MasterLabel = 'Verloren'")
    admin(caller, "edit", {"id": stage, "fields": {"IsWon": True, "ForecastCategory": "Closed"}})
    row = read(caller, "Opportunity", opportunity)
    assert (row["IsWon"], row["ForecastCategory"]) == (True, "Closed")
    return before, row["SystemModstamp"]


def test_a_retyped_stage_changes_its_opportunities_without_a_stamp(staged):
    before, after = retype(staged)
    assert before == after


def test_a_retyped_stage_may_stamp_its_opportunities():
    with serving(opportunity_stages=STAGES, retyped_stage_stamps_opportunities=True) as caller:
        before, after = retype(caller)
        assert before < after


def test_a_renamed_stage_renames_and_stamps(staged):
    opportunity = sell(staged, "Talking")
    before = read(staged, "Opportunity", opportunity)["SystemModstamp"]
    admin(staged, "settings", {"clock_shift_seconds": 60})
    (stage,) = staged.values("SELECT Id FROM OpportunityStage WHERE MasterLabel = 'Talking'")
    admin(staged, "edit", {"id": stage, "fields": {"MasterLabel": "Speaking"}})
    row = read(staged, "Opportunity", opportunity)
    assert row["StageName"] == "Speaking"
    assert row["SystemModstamp"] > before


def test_the_change_of_a_stage_is_dated(acme):
    opportunity = sell(acme)
    assert read(acme, "Opportunity", opportunity)["LastStageChangeDate"] is None
    admin(acme, "settings", {"clock_shift_seconds": 60})
    update(acme, "Opportunity", opportunity, StageName="Closed Won")
    row = read(acme, "Opportunity", opportunity)
    assert row["LastStageChangeDate"] == row["LastModifiedDate"]
    admin(acme, "settings", {"clock_shift_seconds": 120})
    update(acme, "Opportunity", opportunity, Amount=5)
    assert read(acme, "Opportunity", opportunity)["LastStageChangeDate"] == row["LastModifiedDate"]


# --- history ---


def test_every_move_between_two_readings_is_history(acme):
    opportunity = sell(acme, Amount=10)
    for stage in ("Qualification", "Needs Analysis", "Closed Won"):
        update(acme, "Opportunity", opportunity, StageName=stage)
    update(acme, "Opportunity", opportunity, NextStep="nothing that is history")
    (row,) = acme.query("SELECT Id, (SELECT StageName FROM OpportunityHistories) FROM Opportunity")
    stages = [each["StageName"] for each in row["OpportunityHistories"]["records"]]
    assert stages == ["Prospecting", "Qualification", "Needs Analysis", "Closed Won"]


def test_history_has_amounts_and_the_old_ones(acme):
    opportunity = sell(acme, Amount=10)
    update(acme, "Opportunity", opportunity, Amount=20)
    update(acme, "Opportunity", opportunity, CloseDate="2026-04-30")
    assert acme.query(HISTORY) == [
        {"StageName": "Prospecting", "Amount": 10.0, "PrevAmount": None},
        {"StageName": "Prospecting", "Amount": 20.0, "PrevAmount": 10.0},
        {"StageName": "Prospecting", "Amount": 20.0, "PrevAmount": 20.0},
    ]
    assert acme.post("sobjects/OpportunityHistory", json={}).status_code == 403


def test_history_may_have_stages_only():
    with serving(opportunity_history="stages") as caller:
        opportunity = sell(caller, Amount=10)
        update(caller, "Opportunity", opportunity, Amount=20)
        update(caller, "Opportunity", opportunity, StageName="Closed Won")
        assert caller.values(HISTORY) == ["Prospecting", "Closed Won"]


def test_history_is_deleted_and_undeleted_with_its_opportunity(acme):
    opportunity = sell(acme)
    admin(acme, "delete", {"ids": [opportunity]})
    assert acme.query(HISTORY) == []
    admin(acme, "undelete", {"ids": [opportunity]})
    assert len(acme.query(HISTORY)) == 1


# --- contacts ---


def test_the_contact_follows_the_primary_role(acme):
    one, other = (create(acme, "Contact", LastName=name) for name in ("a", "b"))
    opportunity = sell(acme, ContactId=one)
    stamp = read(acme, "Opportunity", opportunity)["SystemModstamp"]
    admin(acme, "settings", {"clock_shift_seconds": 60})
    second = role(acme, opportunity, other)
    assert read(acme, "Opportunity", opportunity)["ContactId"] == one
    update(acme, "OpportunityContactRole", second, IsPrimary=True)
    row = read(acme, "Opportunity", opportunity)
    assert (row["ContactId"], row["SystemModstamp"]) == (other, stamp)
    primary = "SELECT ContactId FROM OpportunityContactRole WHERE IsPrimary = true"
    assert acme.values(primary) == [other]
    acme.call("DELETE", f"sobjects/OpportunityContactRole/{second}")
    assert read(acme, "Opportunity", opportunity)["ContactId"] is None


def test_the_roles_of_a_merged_contact_go_to_the_winner(acme):
    winner, loser = (create(acme, "Contact", LastName=name) for name in ("a", "b"))
    opportunity = sell(acme, ContactId=loser)
    admin(acme, "merge", {"object": "Contact", "master_id": winner, "ids": [loser]})
    assert read(acme, "Opportunity", opportunity)["ContactId"] == winner
    assert acme.values("SELECT ContactId FROM OpportunityContactRole") == [winner]


@pytest.mark.parametrize("stamps", [True, False])
def test_a_merge_may_or_may_not_stamp_what_it_moves(stamps):
    with serving(merge_stamps_children=stamps) as caller:
        winner, loser = (create(caller, "Contact", LastName=name) for name in ("a", "b"))
        moved = role(caller, sell(caller), loser)
        before = read(caller, "OpportunityContactRole", moved)["SystemModstamp"]
        admin(caller, "settings", {"clock_shift_seconds": 60})
        admin(caller, "merge", {"object": "Contact", "master_id": winner, "ids": [loser]})
        row = read(caller, "OpportunityContactRole", moved)
        assert row["ContactId"] == winner
        assert (row["SystemModstamp"] > before) is stamps


def test_opportunities_are_merged_as_apps_do_it(acme):
    contact = create(acme, "Contact", LastName="x")
    winner, loser = sell(acme, Amount=5), sell(acme, NextStep="call", Amount=7)
    role(acme, loser, contact)
    admin(acme, "merge", {"object": "Opportunity", "master_id": winner, "ids": [loser]})
    assert acme.values("SELECT Id FROM Opportunity") == [winner]
    row = read(acme, "Opportunity", winner)
    assert (row["Amount"], row["NextStep"]) == (5.0, "call")
    assert acme.values("SELECT OpportunityId FROM OpportunityContactRole") == [winner]


def test_a_lead_may_be_converted_into_an_opportunity_that_is_there(acme):
    first, second = (
        admin(acme, "convert", {"lead_id": create(acme), "opportunity_name": "Deal"}),
        create(acme),
    )
    joined = {"lead_id": second, "opportunity_id": first["opportunity_id"]}
    made = admin(acme, "convert", joined)
    assert read(acme, "Lead", second)["ConvertedOpportunityId"] == first["opportunity_id"]
    roles = acme.query("SELECT ContactId, IsPrimary FROM OpportunityContactRole ORDER BY Id")
    assert roles == [
        {"ContactId": first["contact_id"], "IsPrimary": True},
        {"ContactId": made["contact_id"], "IsPrimary": False},
    ]


def test_a_converted_lead_begins_in_the_first_open_stage(staged):
    made = admin(staged, "convert", {"lead_id": create(staged), "opportunity_name": "Deal"})
    assert read(staged, "Opportunity", made["opportunity_id"])["StageName"] == "Talking"


def test_an_activity_about_an_opportunity_knows_the_account(acme):
    account, other = (create(acme, "Account", Name=name) for name in ("a", "b"))
    opportunity = sell(acme, AccountId=account)
    task = create(acme, "Task", Subject="x", WhatId=opportunity)
    assert read(acme, "Task", task)["AccountId"] == account
    update(acme, "Opportunity", opportunity, AccountId=other)
    assert read(acme, "Task", task)["AccountId"] == other


# --- statuses of leads ---


def test_the_statuses_of_leads_are_those_of_the_file():
    statuses = [
        {"label": "Fresh", "default": True},
        {"label": "Done", "converted": True},
        {"label": "Sold", "converted": True},
    ]
    with serving(lead_statuses=statuses) as caller:
        lead, other = create(caller), create(caller)
        assert read(caller, "Lead", lead)["Status"] == "Fresh"
        found = caller.query("SELECT MasterLabel, IsConverted, IsDefault FROM LeadStatus")
        assert [list(each.values()) for each in found] == [
            ["Fresh", False, True],
            ["Done", True, False],
            ["Sold", True, False],
        ]
        admin(caller, "convert", {"lead_id": lead})
        admin(caller, "convert", {"lead_id": other, "status": "Sold"})
        assert caller.values("SELECT Status FROM Lead ORDER BY Id") == ["Done", "Sold"]


def test_a_lead_is_not_converted_to_a_status_that_does_not_mean_so(acme):
    body = {"lead_id": create(acme), "status": "Working - Contacted"}
    answer = acme.http.post(f"{acme.url}/_admin/convert", json=body, timeout=30)
    assert answer.status_code == 400
    assert "INVALID_STATUS" in answer.json()["error"]
