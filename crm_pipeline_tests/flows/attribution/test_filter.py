"""The filter of opportunities: what fulfils it, and when it fires."""

from itertools import product
from typing import Any

import pytest

from crm_pipeline.accounts.attribution import OpportunityCondition
from crm_pipeline.flows.attribution.filter import fires, never_compared, passes

RECORD = {
    "StageName": "Proposal",
    "Amount": 1000.5,
    "CloseDate": "2026-12-31",
    "CreatedDate": "2026-11-02T09:30:00.000+0000",
    "IsWon": False,
    "Type": None,
}


@pytest.mark.parametrize(
    ("field", "operator", "value", "expected"),
    [
        ("StageName", "=", "proposal ", True),
        ("StageName", "=", "Closed Won", False),
        ("StageName", "!=", "Closed Won", True),
        ("StageName", "in", ("Closed Won", "PROPOSAL"), True),
        ("StageName", "in", (), False),
        ("Amount", "=", "1000.50", True),
        ("Amount", ">=", 1000.5, True),
        ("Amount", ">", 1000.5, False),
        ("Amount", "<", "1001", True),
        ("Amount", "<=", 1000, False),
        ("Amount", ">", "many", False),
        ("Amount", ">", "nan", False),
        ("Amount", "=", float("nan"), False),
        ("CloseDate", "<=", "2026-12-31", True),
        ("CloseDate", "<", "2026-12-31", False),
        ("CreatedDate", ">=", "2026-11-02", True),
        ("CreatedDate", ">=", "2026-11-02T10:30:00+01:00", True),
        ("CreatedDate", "<", "2026-11-02T10:30:01+01:00", True),
        ("CreatedDate", "=", "2026-11-02 09:30:00Z", True),
        ("CreatedDate", ">", "2026-11-02T09:30:00", False),
        ("CreatedDate", ">", "2026-11-02T99:30:00", False),
        ("IsWon", "=", False, True),
        ("IsWon", "=", True, False),
        ("IsWon", "=", 0.0, False),
        ("Type", "=", None, True),
        ("Type", "=", "", True),
        ("Type", "!=", None, False),
        ("Type", ">", 1, False),
        ("Amount", "!=", None, True),
        ("Region__c", "=", None, False),
        ("Region__c", "!=", "EMEA", False),
    ],
)
def test_a_condition(field: str, operator: Any, value: Any, expected: bool) -> None:
    condition = OpportunityCondition(field=field, operator=operator, value=value)
    assert passes(RECORD, [condition]) is expected


@pytest.mark.parametrize(
    ("field_type", "operator", "value", "wanted"),
    [
        ("date", "<=", "2026-12-31", None),
        ("date", "<=", "31.12.2026", "a day"),
        ("date", "=", "12/31/2026", "a day"),
        ("date", "in", ("2026-12-31", "2026-02-30"), "a day"),
        ("date", ">", 20261231, "a day"),
        ("date", "=", None, None),
        ("date", "!=", "", None),
        ("datetime", ">", "2026-12-31", None),
        ("datetime", "=", "2026-12-31", "a time"),
        ("datetime", "=", "2026-12-31T09:30:00+01:00", None),
        ("datetime", ">", "31.12.2026 09:30", "a time"),
        ("currency", ">", "1000.50", None),
        ("currency", ">", "1.000,50", "a number"),
        ("percent", "=", True, "a number"),
        ("double", "in", ("1", "many"), "a number"),
        ("int", "=", float("nan"), "a number"),
        ("boolean", "=", True, None),
        ("boolean", "=", "true", "true or false"),
        ("boolean", "in", ("true",), "true or false"),
        ("picklist", ">", "M", None),
        ("picklist", "=", 5, "a text"),
        ("string", "=", True, "a text"),
        (None, "=", "31.12.2026", None),
        (None, ">", "31.12.2026", "a number, a day"),
        (None, ">", "2026-12-31", None),
        (None, "<", 5, None),
    ],
)
def test_a_condition_that_compares_with_nothing_is_known(
    field_type: str | None, operator: Any, value: Any, wanted: str | None
) -> None:
    condition = OpportunityCondition(field="X__c", operator=operator, value=value)
    said = never_compared(condition, field_type)
    assert said == wanted or (said is not None and wanted is not None and wanted in said)


def test_all_conditions_must_hold() -> None:
    one = OpportunityCondition(field="StageName", value="Proposal")
    other = OpportunityCondition(field="Amount", operator=">", value=2000)
    assert passes(RECORD, [one])
    assert not passes(RECORD, [one, other])


def test_it_fires_on_entering_and_again_where_that_is_wanted() -> None:
    for inside, was_inside, has_fired, again in product((True, False), repeat=4):
        expected = inside and not was_inside and (again or not has_fired)
        fired = fires(inside=inside, was_inside=was_inside, has_fired=has_fired, again=again)
        assert fired is expected
