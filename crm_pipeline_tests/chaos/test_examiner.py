"""The examiner: what it lets pass, and what it finds."""

from dataclasses import replace
from typing import Any

import pytest

from crm_pipeline.report import Tally
from crm_pipeline_tests.chaos.evidence import (
    CycleRow,
    Evidence,
    Operation,
    Participation,
    together,
)
from crm_pipeline_tests.chaos.examiner import examine, is_rejected
from crm_pipeline_tests.chaos.findings import Findings

AT = "2026-03-01T12:00:00.000+0000"
REGISTRATION = Participation("registration:1", "Ann@x.com", "Webinar Registration", AT)
LEAD = "00Q000000000001AAA"
CONTACT = "003000000000001AAA"


def lead(record_id: str = LEAD, email: str = "ann@x.com", **values: Any) -> dict[str, Any]:
    return {
        "Id": record_id,
        "Email": email,
        "IsDeleted": False,
        "IsConverted": False,
        "ConvertedContactId": None,
        "MasterRecordId": None,
        **values,
    }


def contact(record_id: str = CONTACT, email: str = "ann@x.com", **values: Any) -> dict[str, Any]:
    return {
        "Id": record_id,
        "Email": email,
        "IsDeleted": False,
        "MasterRecordId": None,
        **values,
    }


def event(who: str = LEAD, record_id: str = "00U1", **values: Any) -> dict[str, Any]:
    return {
        "Id": record_id,
        "WhoId": who,
        "Subject": "Webinar Registration",
        "ActivityDateTime": AT,
        "Description": None,
        "IsDeleted": False,
        **values,
    }


def operation(state: str = "done", key: str = "registration:1", **values: Any) -> Operation:
    kind = "person" if key.startswith("person") else "activity"
    return Operation(key, kind, state, person_key="ann@x.com", **values)


def evidence(**changed: Any) -> Evidence:
    """One registration, delivered as it should be, but for what is said otherwise."""
    people = changed.pop("people", [lead()])
    delivered = Evidence(
        account="acme",
        participations=[REGISTRATION],
        filters=["rival"],
        operations=[operation(), operation(key="person:ann@x.com")],
        cycles=[],
        people={record["Id"]: record for record in people},
        events=[event()],
    )
    return replace(delivered, **changed)


def found(kind: str, evidence: Evidence, **options: bool) -> list[str]:
    """The findings of this kind; there are no others."""
    findings = examine(evidence, **options)
    kinds = {"lost": findings.lost, "doubled": findings.doubled, "wrong": findings.wrong}
    lines = kinds.pop(kind)
    assert not any(kinds.values()), str(findings)
    return lines


@pytest.mark.parametrize(
    "kept",
    [
        evidence(),
        evidence(
            people=[lead(IsConverted=True, ConvertedContactId=CONTACT), contact(email="b@x.com")],
            events=[event(CONTACT)],
        ),
        evidence(
            people=[
                lead(IsDeleted=True, MasterRecordId="00Q2"),
                lead("00Q2", "other@x.com", IsDeleted=True, MasterRecordId="00Q3"),
                lead("00Q3", "third@x.com"),
            ],
            events=[event("00Q3")],
            given=frozenset(("00Q2", "00Q3")),
        ),
        evidence(people=[lead(email="new@x.com")], addresses={LEAD: ["ann@x.com"]}),
        evidence(events=[event(IsDeleted=True)]),
        evidence(operations=[operation("failed", error_code="UNABLE_TO_LOCK_ROW")], events=[]),
        evidence(
            operations=[
                operation("pending"),
                operation("exhausted", "person:ann@x.com", error_code="STRING_TOO_LONG"),
            ],
            people=[],
            events=[],
        ),
        evidence(
            participations=[REGISTRATION, replace(REGISTRATION, key="registration:2")],
            events=[event(), event(record_id="00U2")],
        ),
    ],
    ids=[
        "delivered",
        "converted",
        "merged twice",
        "another address since",
        "deleted by a salesperson",
        "in the queue",
        "waits for its person, who is in the queue",
        "two that look alike",
    ],
)
def test_a_promise_that_was_kept_raises_no_finding(kept: Evidence):
    assert not examine(kept), str(examine(kept))


@pytest.mark.parametrize(
    "state", ["done", "pending", "superseded", "rejected", "left_out", "dropped"]
)
def test_a_participation_without_an_activity_or_a_place_in_the_queue_is_lost(state: str):
    findings = examine(evidence(events=[], operations=[operation(state)]))
    assert findings.lost == [f"registration:1: 1 without an activity ({state})"]


def test_a_participation_that_was_never_read_is_lost_once_nothing_is_due():
    unread = evidence(events=[], operations=[], people=[])
    assert found("lost", unread) == ["registration:1: 1 without an activity (never read)"]
    assert not examine(unread, at_rest=False)


@pytest.mark.parametrize("state", ["rejected", "left_out", "dropped"])
def test_a_row_that_is_not_to_be_sent_yet_is_lost_only_once_nothing_is_due(state: str):
    waits = evidence(events=[], operations=[operation(state)], people=[])
    assert examine(waits).lost
    assert not examine(waits, at_rest=False)


def test_of_two_that_look_alike_one_may_be_lost():
    alike = [REGISTRATION, replace(REGISTRATION, key="registration:2")]
    [line] = found("lost", evidence(participations=alike))
    assert "1 without an activity" in line


def test_a_second_activity_is_doubled():
    twice = evidence(events=[event(), event(record_id="00U2")])
    assert found("doubled", twice) == ["registration:1: 2 activities"]
    assert found("doubled", twice, at_rest=False)


def test_a_deleted_activity_that_came_again_is_doubled():
    [line] = found("doubled", evidence(events=[event(IsDeleted=True), event(record_id="00U2")]))
    assert "deleted came again" in line


def test_a_second_lead_of_one_person_is_doubled():
    [line] = found("doubled", evidence(people=[lead(), lead("00Q2", "ANN@x.com")]))
    assert line.startswith("2 leads of one person")


def test_a_lead_of_somebody_who_was_a_contact_is_doubled():
    there = evidence(people=[lead(), contact()], given=frozenset((CONTACT,)))
    assert found("doubled", there) == [f"lead {LEAD} of a person who was there"]


def test_a_lead_made_anew_after_it_was_deleted_is_not_doubled():
    anew = evidence(people=[lead("00Q2", IsDeleted=True), lead()])
    assert not examine(anew)


def test_a_lead_made_anew_before_the_deleted_one_was_taken_out_of_the_bin_is_not_doubled():
    both = {"people": [lead(), lead("00Q2")], "events": [event("00Q2")]}
    again = evidence(**both, restored={LEAD: frozenset(("00Q2",))})
    assert not examine(again)
    [line] = found("doubled", evidence(**both, restored={LEAD: frozenset()}))
    assert line.startswith("2 leads of one person")


def test_an_activity_taken_out_of_the_bin_may_stand_beside_the_one_made_anew():
    both = [event(record_id="00U0"), event()]
    assert found("doubled", evidence(events=both))
    assert not examine(evidence(events=both, restored={"00U0": frozenset()}))


@pytest.mark.parametrize(
    "under",
    [lead("00Q2", "bob@x.com"), contact(email="bob@x.com")],
)
def test_an_activity_under_somebody_else_is_wrong(under: dict[str, Any]):
    findings = examine(evidence(people=[lead(), under], events=[event(under["Id"])]))
    assert findings.lost
    assert "is nobody's" in findings.wrong[0]


def test_an_activity_left_under_a_converted_lead_is_wrong():
    left = evidence(people=[lead(IsConverted=True, ConvertedContactId=CONTACT), contact()])
    assert "no person" in found("wrong", left)[0]


def test_one_persons_activities_under_two_records_are_wrong():
    later = "2026-03-02T12:00:00.000+0000"
    people = [lead(), lead("00Q2")]
    apart = evidence(
        participations=[REGISTRATION, replace(REGISTRATION, key="registration:2", at=later)],
        people=people,
        given=frozenset((LEAD, "00Q2")),
        events=[event(), event("00Q2", "00U2", ActivityDateTime=later)],
    )
    assert found("wrong", apart) == [f"one person's activities are under {sorted((LEAD, '00Q2'))}"]


def test_an_activity_of_a_rejected_participation_is_wrong():
    rejected = replace(REGISTRATION, email="ann@rival.com")
    under = evidence(participations=[rejected], operations=[], people=[lead(email="b@x.com")])
    assert "is nobody's" in found("wrong", under)[0]


def test_a_filtered_address_in_the_org_is_wrong_unless_it_was_there():
    people = [lead(), lead("00Q2", "bob@RIVAL.com")]
    assert found("wrong", evidence(people=people)) == ["00Q2 has a filtered address"]
    assert not examine(evidence(people=people, given=frozenset(("00Q2",))))


@pytest.mark.parametrize("state", ["in_flight", "dropped"])
def test_what_is_on_its_way_when_nothing_is_due_is_wrong(state: str):
    still = evidence(operations=[operation(state), operation("pending", "person:ann@x.com")])
    assert [line for line in examine(still).wrong if "stands still" in line] == [
        f"registration:1 stands still, {state}",
        "person:ann@x.com stands still, pending",
    ]
    assert not examine(still, at_rest=False)


def test_a_failure_without_a_reason_is_wrong():
    assert found("wrong", evidence(operations=[operation("failed")], events=[])) == [
        "registration:1 is failed for no reason"
    ]


def test_an_old_description_is_wrong_once_nothing_is_due():
    said_more = evidence(participations=[replace(REGISTRATION, description="Chat: more")])
    assert "description" in found("wrong", said_more)[0]
    assert not examine(said_more, at_rest=False)


def test_an_older_value_over_a_newer_one_is_wrong_but_not_what_a_salesperson_wrote():
    titled = evidence(
        participations=[replace(REGISTRATION, title="New")], people=[lead(Title="Old")]
    )
    assert "the warehouse says 'New'" in found("wrong", titled)[0]
    assert not examine(replace(titled, touched=frozenset((LEAD,))))


def test_what_the_newest_row_said_does_not_stay_once_it_was_taken_back():
    titled = evidence(
        participations=[replace(REGISTRATION, title="New")], people=[lead(Title="Old")]
    )
    later = replace(REGISTRATION, key="registration:2", at=AT.replace("03", "04"))
    assert found("wrong", replace(titled, former=[later]))


def test_an_activity_with_anothers_external_id_is_wrong():
    named = evidence(external_id="Key__c", events=[event(Key__c="registration:2")])
    assert "named" in found("wrong", named)[0]


CORRECTED = replace(REGISTRATION, email="new@x.com", person=1)
"""The registration, whose person has another address than before."""

BEFORE = replace(REGISTRATION, person=1)
BOB = "00Q000000000002AAA"


def corrected(**changed: Any) -> Evidence:
    """The registration's person has another address now, and so has the lead."""
    said: dict[str, Any] = {
        "participations": [CORRECTED],
        "former": [BEFORE],
        "people": [lead(email="new@x.com")],
        "operations": [operation(), operation(key="person:new@x.com")],
    }
    return evidence(**{**said, **changed})


def moved(under: str, **changed: Any) -> Evidence:
    """The registration is Bob's now, and not Ann's any more; its activity is under this one."""
    return evidence(
        participations=[replace(REGISTRATION, email="bob@x.com", person=2)],
        former=[BEFORE],
        people=[lead(), lead(BOB, "bob@x.com")],
        events=[event(under)],
        **changed,
    )


@pytest.mark.parametrize(
    "kept",
    [
        corrected(),
        corrected(events=[event(IsDeleted=True)]),
        corrected(
            people=[lead(IsDeleted=True), lead(BOB, "new@x.com")], events=[event(IsDeleted=True)]
        ),
        moved(BOB),
        evidence(participations=[], former=[BEFORE]),
        evidence(participations=[], former=[BEFORE], events=[]),
        evidence(participations=[replace(BEFORE, email="ann@rival.com")], former=[BEFORE]),
        evidence(
            participations=[],
            former=[BEFORE, replace(CORRECTED, key="registration:2", at="then")],
            people=[lead(email="new@x.com")],
        ),
    ],
    ids=[
        "corrected",
        "deleted, then corrected",
        "deleted with the person, then corrected",
        "moved",
        "vanished",
        "vanished before it was read",
        "filtered since",
        "vanished, then corrected",
    ],
)
def test_what_follows_the_source_raises_no_finding(kept: Evidence):
    assert not examine(kept), str(examine(kept))


def test_an_activity_that_stayed_with_the_one_whose_it_was_is_wrong_once_nothing_is_due():
    findings = examine(moved(LEAD))
    assert findings.lost == ["registration:1: 1 without an activity (done)"]
    assert f"under {LEAD} is nobody's" in findings.wrong[0]
    assert not examine(moved(LEAD), at_rest=False)
    assert not examine(moved(LEAD, operations=[operation("failed", error_code="LOCKED")]))


def test_an_activity_of_both_of_those_whose_it_is_and_was_is_doubled():
    twice = replace(moved(BOB), events=[event(BOB), event(LEAD, "00U2")])
    assert examine(twice).wrong
    assert found("doubled", twice, at_rest=False)


def test_a_second_lead_under_the_former_address_that_has_the_activity_is_wrong():
    second = corrected(people=[lead(), lead(BOB, "new@x.com")])
    findings = examine(second)
    assert findings.lost
    assert f"under {LEAD} is nobody's" in findings.wrong[0]


def test_an_activity_stays_where_it_is_when_somebody_else_s_record_has_the_corrected_address():
    second = corrected(people=[lead(), lead(BOB, "new@x.com")], given=frozenset((BOB,)))
    assert not examine(second), str(examine(second))
    assert not examine(replace(second, deletes=True))
    later = replace(second.participations[0], key="registration:2")
    both = [*second.participations, later]
    events = [event(), event(BOB, "00U2")]
    operations = [*second.operations, operation(key="registration:2")]
    parted = replace(second, participations=both, events=events, operations=operations)
    assert not examine(parted), str(examine(parted))


def test_two_leads_with_the_corrected_address_are_doubled():
    second = corrected(people=[lead(email="new@x.com"), lead(BOB, "new@x.com")])
    assert found("doubled", second) == [f"2 leads of one person: {LEAD}, {BOB}"]


def test_swapped_addresses_leave_each_activity_with_the_one_who_was_there():
    later = "2026-03-02T12:00:00.000+0000"
    hers = replace(REGISTRATION, email="bob@x.com", person=1)
    his = replace(REGISTRATION, key="registration:2", email="ann@x.com", at=later, person=2)
    swapped: dict[str, Any] = {
        "participations": [hers, his],
        "former": [replace(hers, email="ann@x.com"), replace(his, email="bob@x.com")],
        "people": [lead(email="bob@x.com"), lead(BOB, "ann@x.com")],
        "operations": [operation(), operation(key="registration:2")],
    }
    right = [event(), event(BOB, "00U2", ActivityDateTime=later)]
    assert not examine(evidence(events=right, **swapped))
    crossed = [event(BOB), event(LEAD, "00U2", ActivityDateTime=later)]
    findings = examine(evidence(events=crossed, **swapped))
    assert (len(findings.lost), len(findings.wrong)) == (2, 2)


def test_who_gets_a_row_whose_activity_was_deleted_has_one_of_their_own():
    hers = replace(REGISTRATION, email="bob@x.com", person=2)
    moved: dict[str, Any] = {
        "participations": [hers],
        "former": [replace(REGISTRATION, person=1)],
        "people": [lead(IsDeleted=True), lead(BOB, "bob@x.com")],
    }
    gone = event(IsDeleted=True)
    assert not examine(evidence(events=[gone, event(BOB, "00U2")], **moved))
    twice = [gone, event(BOB, "00U2"), event(BOB, "00U3")]
    assert found("doubled", evidence(events=twice, **moved)) == ["registration:1: 2 activities"]


def test_an_activity_that_was_deleted_before_the_address_changed_and_came_again_is_doubled():
    again = corrected(
        people=[lead(IsDeleted=True), lead(BOB, "new@x.com")],
        events=[event(IsDeleted=True), event(BOB, "00U2")],
    )
    [line] = found("doubled", again)
    assert "deleted came again" in line


@pytest.mark.parametrize("is_part_of_another", [True, False])
def test_whoever_comes_as_one_did_that_is_part_of_another_now_has_an_activity(
    is_part_of_another: bool,
):
    live = Participation("attendance:1", "ann@x.com", "Webinar Attendance", AT)
    viewed = replace(live, subject="Webinar On-Demand View")
    views = [viewed, *[replace(viewed, key="attendance:2")] * is_part_of_another]
    [view] = together(views, lambda key: True)
    came = evidence(
        participations=[*views, replace(live, key="attendance:3")],
        former=[live],
        operations=[operation(key=f"attendance:{number}") for number in (1, 2, 3)],
        events=[
            event(Subject=live.subject, IsDeleted=True),
            event(Subject=view.subject, record_id="00U2", Description=view.description),
            event(Subject=live.subject, record_id="00U3"),
        ],
        removed=frozenset(("00U1",)),
    )
    assert len(found("doubled", came)) == (not is_part_of_another)


def test_an_activity_that_was_deleted_is_not_given_to_one_that_waits_for_its_own():
    hers = replace(REGISTRATION, email="bob@x.com", person=1)
    his = replace(REGISTRATION, key="registration:2", email="ann@x.com", person=2)
    waiting = evidence(
        participations=[his, hers],
        former=[replace(hers, email="ann@x.com")],
        people=[lead(IsDeleted=True)],
        operations=[operation("failed", "registration:2", error_code="LOCKED"), operation()],
        events=[event(IsDeleted=True)],
    )
    assert not examine(waiting)


def test_no_participation_that_has_to_have_an_activity_goes_without_for_one_that_waits():
    hers = replace(REGISTRATION, email="bob@x.com", person=1)
    waits = replace(REGISTRATION, key="registration:2", email="ann@x.com", person=2)
    third = replace(REGISTRATION, key="registration:3", email="bob@x.com", person=3)
    alike = evidence(
        participations=[hers, waits, third],
        former=[replace(hers, email="ann@x.com")],
        people=[lead(), lead(BOB, "bob@x.com")],
        operations=[
            operation(),
            operation("failed", "registration:2", error_code="LOCKED"),
            operation(key="registration:3"),
        ],
        events=[event(), event(BOB, "00U2")],
    )
    assert not examine(alike, at_rest=False), str(examine(alike, at_rest=False))


def test_a_vanished_participation_with_two_activities_is_doubled():
    gone = evidence(participations=[], former=[BEFORE], events=[event(), event(record_id="00U2")])
    assert found("doubled", gone) == ["registration:1: 2 activities"]


def test_an_activity_of_a_vanished_row_is_wrong_where_the_account_has_it_deleted():
    gone = evidence(participations=[], former=[BEFORE], deletes=True)
    assert "is nobody's" in found("wrong", gone)[0]
    assert not examine(gone, at_rest=False)
    assert not examine(replace(gone, events=[event(IsDeleted=True)]))


def test_an_activity_that_the_pipeline_deleted_is_lost_but_not_one_that_somebody_else_did():
    deleted = evidence(events=[event(IsDeleted=True)], deletes=True)
    assert found("lost", deleted)
    assert not examine(replace(deleted, removed=frozenset(("00U1",))))


def test_a_row_that_was_shipped_long_ago_and_never_read_is_lost():
    late = replace(REGISTRATION, key="registration:2", at="2026-01-01T12:00:00.000+0000")
    unread = evidence(participations=[REGISTRATION, late])
    assert found("lost", unread) == ["registration:2: 1 without an activity (never read)"]


def test_a_value_is_not_examined_that_the_pipeline_had_no_right_to_write():
    titled = evidence(
        participations=[replace(REGISTRATION, title="New")], people=[lead(Title="Old")]
    )
    assert not examine(replace(titled, hidden=frozenset(("Lead.Title",))))


TALLY = Tally(
    {
        ("filtered_leads", "rows_read"): 4,
        ("filtered_leads", "known_already"): 1,
        ("filtered_leads", "rejected"): 1,
        ("registrations", "rows"): 2,
        ("attendances", "rows"): 1,
        ("lead_payloads", "activities_new"): 1,
        ("lead_payloads", "activities_changed"): 1,
    }
)


@pytest.mark.parametrize(
    ("cycle", "adds_up"),
    [
        (CycleRow(1, TALLY, 2, 0), True),
        (CycleRow(1, Tally({**TALLY, ("registrations", "rows"): 4}), 2, 0), False),
        (CycleRow(1, Tally({**TALLY, ("filtered_leads", "known_already"): 2}), 2, 0), False),
        (CycleRow(1, TALLY, 1, 0), False),
        (CycleRow(1, TALLY, 2, 1), False),
    ],
)
def test_a_cycle_has_to_account_for_every_row_that_it_read(cycle: CycleRow, adds_up: bool):
    assert (not examine(evidence(cycles=[cycle]))) is adds_up


@pytest.mark.parametrize(
    ("email", "rejected"),
    [
        ("ann@x.com", False),
        (" Ann@X.com ", False),
        ("ann@rival.com", True),
        ("ann@sub.RIVAL.com", True),
        ("", True),
        ("ann", True),
        ("ann@x", True),
        ("an n@x.com", True),
    ],
)
def test_what_has_no_address_or_a_filtered_one_is_rejected(email: str, rejected: bool):
    assert is_rejected(replace(REGISTRATION, email=email), [" Rival "]) is rejected


def test_findings_of_two_examinations_are_added_without_repeating():
    first, second = Findings(lost=["a"]), Findings(lost=["a", "b"], queued=["c"])
    first.add(second)
    assert (first.lost, first.queued) == (["a", "b"], ["c"])
