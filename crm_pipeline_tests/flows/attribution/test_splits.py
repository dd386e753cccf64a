"""Splits: parts of an opportunity add up to it, to the cent."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_pipeline.flows.attribution.matches import LeadMatch, MatchableLead, Rule
from crm_pipeline.flows.attribution.splits import Part, parts

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def matches_of(*minutes: int) -> list[LeadMatch]:
    """Matches in the order of the rules, each with a lead of that minute past noon."""
    return [
        LeadMatch(
            MatchableLead(f"L{number}", NOON + timedelta(minutes=minute), number),
            Rule.CONTACT_ROLE,
            "contact 003",
        )
        for number, minute in enumerate(minutes, start=1)
    ]


def leads_of(found: Sequence[Part]) -> list[str]:
    return [each.match.lead.lead_id for each in found]


def test_the_primary_one_has_all_of_it() -> None:
    [part] = parts(matches_of(5, 1, 3), "primary")
    assert part.match.lead.lead_id == "L1"
    assert part.amount(Decimal("10.01")) == Decimal("10.01")


def test_the_first_touch_has_all_of_it() -> None:
    assert leads_of(parts(matches_of(5, 1, 3), "first_touch")) == ["L2"]


def test_equal_parts_add_up_to_the_cent() -> None:
    found = parts(matches_of(1, 2, 3), "equal")
    amounts = [each.amount(Decimal(100)) for each in found]
    assert amounts == [Decimal("33.34"), Decimal("33.33"), Decimal("33.33")]


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("100.0", "JPY", ["34", "33", "33"]),
        ("-100", "KRW", ["-34", "-33", "-33"]),
        ("1", "KWD", ["0.334", "0.333", "0.333"]),
        ("1", "USD", ["0.34", "0.33", "0.33"]),
        ("1", None, ["0.34", "0.33", "0.33"]),
        ("100.5", "JPY", ["33.5", "33.5", "33.5"]),
        ("0.01", "EUR", ["0.01", "0", "0"]),
        ("1234567890123456.78", "EUR",
         ["411522630041152.26", "411522630041152.26", "411522630041152.26"]),
    ],
)  # fmt: skip
def test_parts_are_whole_units_of_the_currency(
    amount: str, currency: str | None, expected: list[str]
) -> None:
    found = [each.amount(Decimal(amount), currency) for each in parts(matches_of(1, 2, 3), "equal")]
    assert found == [Decimal(each) for each in expected]


def test_a_lead_alone_has_the_amount_as_it_is() -> None:
    [part] = parts(matches_of(1), "equal")
    assert part.amount(Decimal("0.1234")) == Decimal("0.1234")


def test_no_amount_has_no_parts() -> None:
    assert [each.amount(None) for each in parts(matches_of(1, 2), "equal")] == [None, None]


def test_nobody_has_a_part_where_nobody_matches() -> None:
    assert parts([], "equal") == parts([], "primary") == parts([], "first_touch") == []


@given(
    amount=st.decimals(min_value=-(10**12), max_value=10**12, places=3),
    of=st.integers(min_value=1, max_value=50),
)
def test_parts_add_up_and_differ_by_a_unit_at_most(amount: Decimal, of: int) -> None:
    found = [
        part
        for each in parts(matches_of(*range(of)), "equal")
        if (part := each.amount(amount)) is not None
    ]
    assert sum(found) == amount
    assert max(found) - min(found) <= Decimal("0.01")
