"""The examiner of people finds what a conversion left behind."""

from typing import Any

import pytest

from crm_pipeline_tests.chaos.deal_examiner import Evidence
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.people_examiner import PeopleExamination

LEAD, CONTACT = "00Q1", "0031"
OF_LEAD: dict[str, Any] = {"Tracker_Id__c": "1", "First_Source__c": "s1"}


def found(restless: frozenset[str] = frozenset(), **of_contact: Any) -> Findings:
    lead = {"Id": LEAD, "IsDeleted": False, "IsConverted": True, "ConvertedContactId": CONTACT}
    people = {
        LEAD: {**lead, **OF_LEAD},
        CONTACT: {"Id": CONTACT, "IsDeleted": False, **of_contact},
    }
    had = {LEAD: {"id 1"}, CONTACT: set[str]()}
    evidence = Evidence({}, {}, {}, people, had, (), (), (), ())
    return PeopleExamination(evidence, frozenset(people), restless, follows=False).findings()


def test_what_came_along_or_was_written_afterwards_is_no_finding() -> None:
    assert not found(**OF_LEAD)
    assert not found(**{**OF_LEAD, "First_Source__c": "by hand"})


@pytest.mark.parametrize("field", OF_LEAD)
def test_a_field_that_stayed_behind_is_lost(field: str) -> None:
    assert found(**{**OF_LEAD, field: None}).lost == [
        f"{field} of {LEAD} did not come to {CONTACT}"
    ]


def test_of_a_lead_that_turned_out_to_be_none_nothing_has_to_come() -> None:
    assert not found(frozenset("1"))
