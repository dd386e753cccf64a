"""The examiner of the small flow sees each thing that may go wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from crm_pipeline_tests.chaos.badge_examiner import Evidence, Message, examine
from crm_pipeline_tests.small_flow.badges import Badge


@dataclass(frozen=True, slots=True)
class Deed:
    deed_id: int
    deed: str
    holder: str | None
    at: int


def badge(number: int, holder: str = "Somebody", **more: Any) -> dict[str, Any]:
    record = {"Id": f"a0{number}", "Badge_Key__c": str(number), "Level__c": 1}
    return {**record, "Holder__c": holder, "IsDeleted": False, **more}


def line(of: int, number: int = 1, text: str = "first", **more: Any) -> dict[str, Any]:
    record = {"Id": f"a1{of}{number}", "Line_Key__c": f"{of}:{number}", "Text__c": text}
    return {**record, "Badge__c": f"a0{of}", "IsDeleted": False, **more}


def told(about: str, version: int, *changed: str, gone: bool = False, holder: str = "") -> Message:
    body = {"Holder__c": holder, "gone": gone, "changed": list(changed)}
    return Message("badge_edits", about, version, body)


GOOD = Evidence(
    badges=[
        Badge(1, lines={1: "first"}, told=True),
        Badge(2),
        Badge(3, lines={1: "first"}),
        Badge(4, gone=True),
    ],
    deeds={2: [Deed(1, "edited", "By hand", 0)], 3: [Deed(2, "deleted", None, 0)]},
    org_badges=[badge(1), badge(2, "By hand"), badge(3, IsDeleted=True)],
    org_lines=[line(1), line(3, Badge__c=None)],
    org_people=[],
    messages=[
        Message("badge_levels", "badge:1", 1, {"level": 1}),
        told("badge:2", 1, "Holder__c", holder="By hand"),
        told("badge:3", 1, "IsDeleted", gone=True),
    ],
    queue=[],
    leaves=False,
)

Change = Callable[[Evidence], Evidence]


def org(*badges: Mapping[str, Any]) -> Change:
    return lambda good: replace(good, org_badges=[*badges])


def lines(*records: Mapping[str, Any]) -> Change:
    return lambda good: replace(good, org_lines=[*records])


def messages(*of: Message) -> Change:
    return lambda good: replace(good, messages=[*of])


EDIT, DELETION, LEVEL = GOOD.messages[1], GOOD.messages[2], GOOD.messages[0]

SPOILT: dict[str, tuple[Change, str]] = {
    "a badge is missing": (org(badge(2, "By hand")), "lost"),
    "a badge is there twice": (org(*GOOD.org_badges, badge(1, Id="a09")), "doubled"),
    "a badge of nobody": (org(*GOOD.org_badges, badge(9)), "wrong"),
    "one that is to be gone": (org(*GOOD.org_badges, badge(4)), "wrong"),
    "one that people deleted": (org(*GOOD.org_badges[:2], badge(3)), "wrong"),
    "another level": (org(badge(1, Level__c=2), GOOD.org_badges[1]), "wrong"),
    "an edit that was written over": (org(badge(1), badge(2)), "wrong"),
    "a line is missing": (lines(), "lost"),
    "a line is there twice": (lines(*GOOD.org_lines, line(1, Id="a19")), "doubled"),
    "a line of another badge": (lines(line(1, Badge__c="a02")), "wrong"),
    "another text": (lines(line(1, text="second")), "wrong"),
    "a line of nobody": (lines(*GOOD.org_lines, line(2)), "wrong"),
    "a badge of nobody's": (
        lambda good: replace(good, badges=[Badge(1, lines={1: "first"}, told=True, person=1)]),
        "wrong",
    ),
    "a badge of somebody else": (
        lambda good: replace(
            good,
            badges=[replace(good.badges[0], person=1), *good.badges[1:]],
            org_badges=[badge(1, Lead__c="00Q1"), *good.org_badges[1:]],
            org_people=[{"Id": "00Q2", "IsDeleted": False}],
        ),
        "wrong",
    ),
    "one that is back and told to be gone": (
        lambda good: replace(
            good,
            deeds={**good.deeds, 3: [*good.deeds[3], Deed(3, "undeleted", None, 0)]},
            org_badges=[*good.org_badges[:2], badge(3)],
            org_lines=[line(1), line(3)],
        ),
        "wrong",
    ),
    "one that was deleted for good and is not told": (
        lambda good: replace(
            good, deeds={**good.deeds, 3: [Deed(2, "erased", None, 0)]}, messages=[LEVEL, EDIT]
        ),
        "lost",
    ),
    "an edit is not told": (messages(LEVEL, DELETION), "lost"),
    "a deletion is not told": (messages(LEVEL, EDIT), "lost"),
    "a level is not told": (messages(EDIT, DELETION), "lost"),
    "an edit is told again": (messages(*GOOD.messages, replace(EDIT, version=2)), "doubled"),
    "a message is told twice": (messages(*GOOD.messages, EDIT), "doubled"),
    "our own value is told": (
        messages(*GOOD.messages, told("badge:1", 1, "Level__c")),
        "wrong",
    ),
    "our own deletion is told": (
        messages(*GOOD.messages, told("badge:4", 1, "IsDeleted", gone=True)),
        "wrong",
    ),
}


def test_what_is_right_is_found_right() -> None:
    assert not (found := examine(GOOD)), str(found)


@pytest.mark.parametrize("name", SPOILT)
def test_what_is_wrong_is_found(name: str) -> None:
    spoil, kind = SPOILT[name]
    assert getattr(examine(spoil(GOOD)), kind)


def test_one_that_people_deleted_is_to_come_back_with_its_next_change() -> None:
    changed = replace(GOOD, badges=[*GOOD.badges[:2], Badge(3, at=1), GOOD.badges[3]])
    assert "badge 3 is missing" in examine(changed).lost
    assert examine(replace(changed, leaves=True)).lost == []


def test_what_is_open_is_shown() -> None:
    assert examine(replace(GOOD, queue=["badge:1 is failed"])).queued == ["badge:1 is failed"]
