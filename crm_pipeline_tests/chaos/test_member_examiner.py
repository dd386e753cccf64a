"""The examiner of campaigns: what it lets pass, and what it finds."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from crm_pipeline_tests.chaos.evidence import Campaigns, Happening, Operation, Participation, Record
from crm_pipeline_tests.chaos.examiner import examine
from crm_pipeline_tests.chaos.member_examiner import stages_of
from crm_pipeline_tests.chaos.test_examiner import (
    AT,
    CONTACT,
    LEAD,
    REGISTRATION,
    contact,
    event,
    evidence,
    found,
    lead,
    operation,
)

REGISTERED = replace(REGISTRATION, event=7)
ATTENDED = Participation("attendance:1", "ann@x.com", "Webinar Attendance", AT, event=7)
DAY = "2026-03-01"
EXPO = {
    "Id": "701A",
    "Name": "Expo",
    "Description": "Webinar platform: event 7",
    "StartDate": DAY,
    "EndDate": DAY,
}


def member(**values: Any) -> Record:
    return {
        "Id": "00v1",
        "CampaignId": "701A",
        "LeadId": LEAD,
        "ContactId": None,
        "Status": "Registered",
        "IsDeleted": False,
        **values,
    }


def examined(
    members: Sequence[Record] = (),
    *,
    records: Sequence[Record] = (EXPO,),
    links: Mapping[int, str] | None = None,
    at_rest: bool = True,
    **changed: Any,
) -> tuple[list[str], list[str], list[str]]:
    """Findings about one registration for an event with a campaign."""
    campaigns = Campaigns({7: Happening("Expo", DAY, DAY)}, links or {}, records, members)
    said: dict[str, Any] = {"participations": [REGISTERED], "campaigns": campaigns, **changed}
    findings = examine(evidence(**said), at_rest=at_rest)
    return findings.lost, findings.doubled, findings.wrong


def queued(key: str) -> list[Operation]:
    return [
        operation(),
        operation(key="person:ann@x.com"),
        Operation(key, key.partition(":")[0], "failed", "ann@x.com", "UNABLE_TO_LOCK_ROW"),
    ]


CONVERTED: dict[str, Any] = {
    "people": [
        lead(IsConverted=True, ConvertedContactId=CONTACT),
        contact(),
    ],
    "events": [event(CONTACT)],
}


@pytest.mark.parametrize(
    "kept",
    [
        examined([member()]),
        examined([member(CampaignId="701B")], links={7: "701B"}, records=[]),
        examined([member(ContactId=CONTACT)], **CONVERTED),
        examined([member(IsDeleted=True)]),
        examined([], operations=queued("member:7:ann@x.com")),
        examined([], records=[], operations=queued("campaign:7")),
        examined([member(Status="Sent")], touched=frozenset((LEAD,))),
        examined([member(Status="Sent")], at_rest=False),
    ],
    ids=[
        "a member",
        "of a campaign that was named",
        "converted",
        "deleted by a salesperson",
        "in the queue",
        "whose campaign is in the queue",
        "whose record somebody else wrote to",
        "not at rest",
    ],
)
def test_a_promise_that_was_kept_raises_no_finding(kept: tuple[list[str], ...]):
    assert kept == ([], [], [])


def test_a_person_without_a_membership_is_lost():
    assert examined()[0] == ["event 7, 00Q000000000001AAA: no membership"]


def test_an_event_without_a_campaign_is_lost():
    assert examined(records=[])[0] == ["event 7 has no campaign"]


@pytest.mark.parametrize("changed", [{"Name": "Expo 1"}, {"EndDate": "2026-03-02"}])
def test_a_campaign_behind_its_event_is_wrong_once_nothing_is_due(changed: dict[str, str]):
    stale = [{**EXPO, **changed}]
    assert "event 7 is Expo, 2026-03-01" in examined([member()], records=stale)[2][0]
    assert examined([member()], records=stale, at_rest=False) == ([], [], [])
    assert examined([member()], records=stale, operations=queued("campaign:7")) == ([], [], [])


def test_a_campaign_that_somebody_renamed_keeps_that_name_and_follows_its_event_in_its_days():
    there = [member()]
    named: dict[str, Any] = {"records": [{**EXPO, "Name": "Ours"}], "renamed": {"701A": "Ours"}}
    assert examined(there, **named) == ([], [], [])
    _, _, [wrong] = examined(there, renamed={"701A": "Ours"})
    assert wrong.startswith("event 7 is Ours")
    put_off = {**EXPO, "Name": "Ours", "EndDate": "2026-03-02"}
    assert examined(there, records=[put_off], renamed={"701A": "Ours"})[2]


def test_a_second_campaign_of_another_name_is_doubled():
    twice = [EXPO, {**EXPO, "Id": "701B", "Name": "Expo, put off"}]
    assert "2 campaigns" in examined([member()], records=twice)[1][0]


MOVED: dict[str, Any] = {
    "participations": [replace(REGISTERED, email="bob@x.com", person=2)],
    "former": [replace(REGISTERED, person=1)],
    "people": [lead(), lead("00Q2", "bob@x.com")],
    "events": [event("00Q2")],
}
"""The registration is Bob's now, and not Ann's any more."""


def test_a_membership_of_the_one_whose_registration_it_was_may_stay_but_does_not_do():
    theirs = member(Id="00v2", LeadId="00Q2")
    assert examined([theirs], **MOVED) == ([], [], [])
    assert examined([member(), theirs], **MOVED) == ([], [], [])
    assert examined([member()], **MOVED)[0] == ["event 7, 00Q2: no membership"]
    assert examined([member()], at_rest=False, **MOVED)[0] == []


def test_a_membership_that_was_deleted_before_the_registration_moved_stays_so():
    assert examined([member(IsDeleted=True)], **MOVED) == ([], [], [])


def test_a_membership_of_a_registration_that_vanished_may_stay():
    gone: dict[str, Any] = {"participations": [], "former": [REGISTERED], "events": []}
    assert examined([member()], **gone) == ([], [], [])
    assert examined([], **gone) == ([], [], [])


def test_a_status_that_only_a_row_gave_that_is_gone_may_stay():
    gone: dict[str, Any] = {"former": [replace(ATTENDED, stage="attended")]}
    assert examined([member(Status="Attended")], **gone) == ([], [], [])
    assert "but is no_show or registered" in examined([member(Status="Cancelled")], **gone)[2][0]


def test_who_did_not_come_to_a_session_that_others_attended_is_a_no_show():
    ben: dict[str, Any] = {"email": "ben@x.com", "key": "attendance:2", "stage": "attended"}
    came: dict[str, Any] = {
        "participations": [REGISTERED, replace(ATTENDED, **ben)],
        "filters": [],
        "at_rest": True,
    }
    assert "but is no_show" in examined([member()], **came)[2][-1]
    assert not any("00v1" in each for each in examined([member(Status="No Show")], **came)[2])


@pytest.mark.parametrize("stage", ["waitlisted", "denied"])
def test_who_waits_needs_no_membership_and_may_keep_the_one_from_before(stage: str):
    waits: dict[str, Any] = {"participations": [replace(REGISTERED, stage=stage)], "events": []}
    assert examined([], **waits) == ([], [], [])
    waits["former"] = [REGISTERED]
    assert examined([member()], **waits) == ([], [], [])


def test_a_second_campaign_is_doubled_but_not_one_that_was_there():
    twice = [EXPO, {**EXPO, "Id": "701B"}]
    assert examined([member()], records=twice)[1] == ["event 7: 2 campaigns"]
    assert examined([member()], records=twice, given=frozenset(("701B",))) == ([], [], [])


def test_a_second_membership_is_doubled_also_under_another_record_of_the_person():
    both: dict[str, Any] = {"people": [lead(), contact()], "given": frozenset((LEAD, CONTACT))}
    second = member(Id="00v2", LeadId=None, ContactId=CONTACT)
    assert "2 memberships" in examined([member(), second], **both)[1][0]
    assert "2 memberships" in examined([member(), second], at_rest=False, **both)[1][0]


def test_a_status_behind_what_the_person_did_is_wrong():
    came: dict[str, Any] = {
        "participations": [REGISTERED, replace(ATTENDED, stage="attended")],
        "events": [event(), event(record_id="00U2", Subject="Webinar Attendance")],
    }
    assert examined([member(Status="Attended")], **came)[2] == []
    assert "but is attended" in examined([member()], **came)[2][0]


def test_cancelled_is_who_cancelled_every_session_by_the_registration_made_last():
    first = replace(REGISTERED, session=1, stage="cancelled")
    again = replace(first, key="registration:2", stage="registered")
    other = replace(first, key="registration:3", session=2)
    assert stages_of([first, other]) == {"cancelled"}
    assert stages_of([again, first, other]) == {"registered"}
    assert stages_of([replace(first, key="registration:4"), again, other]) == {"cancelled"}
    somebody = replace(again, email="bob@x.com")
    assert stages_of([first, somebody]) == {"registered", "cancelled"}


def test_a_membership_of_somebody_who_did_not_take_part_is_wrong():
    people = [lead(), contact(email="bob@x.com")]
    other = member(Id="00v2", LeadId=None, ContactId=CONTACT)
    lost, doubled, [line] = examined([member(), other], people=people)
    assert (lost, doubled) == ([], [])
    assert "without a reason" in line


def test_a_membership_left_at_a_converted_lead_is_wrong():
    assert "no person any more" in examined([member()], **CONVERTED)[2][0]


def test_without_campaigns_nothing_of_them_is_expected():
    assert found("lost", evidence()) == []
