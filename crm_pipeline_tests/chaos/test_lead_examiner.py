"""The examiner of tracked leads sees what it is there to see."""

from typing import Any

import pytest

from crm_pipeline_tests.chaos.lead_examiner import Wanted, examine_records

ADA = Wanted("1", "Lead", "ada@example.com", None, first="a", last="b")
RECORD: dict[str, Any] = {
    "Id": "00Q1",
    "Tracker_Id__c": "1",
    "Email": "Ada@example.com",
    "Phone": None,
    "First_Source__c": "a",
    "Last_Source__c": "b",
}


def test_what_is_right_is_no_finding() -> None:
    assert not examine_records([RECORD], [{"Id": "0031"}], [ADA])


@pytest.mark.parametrize(
    ("leads", "contacts", "kind", "said"),
    [
        ([], [], "lost", "missing"),
        ([RECORD, {**RECORD, "Id": "00Q2"}], [], "doubled", "2 people"),
        ([RECORD], [RECORD], "doubled", "2 people"),
        ([{**RECORD, "Last_Source__c": "a"}], [], "wrong", "and not"),
        ([{**RECORD, "Email": "bob@example.com"}], [], "wrong", "and not"),
        ([RECORD, {**RECORD, "Tracker_Id__c": "2"}], [], "wrong", "is to be nobody"),
        ([RECORD, {"Id": "00Q3"}], [], "wrong", "without an id"),
    ],
)
def test_what_is_not_is_found(leads: list[Any], contacts: list[Any], kind: str, said: str) -> None:
    found = examine_records(leads, contacts, [ADA])
    assert said in "".join(getattr(found, kind))
