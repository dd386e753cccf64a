"""Messages about a lead's part in an opportunity."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from crm_pipeline.flows.attribution.splits import Part
from crm_pipeline.flows.attribution.stages import Meaning, Move
from crm_pipeline.flows.attribution.values import Value, message, withdrawal
from crm_pipeline_tests.flows.attribution.test_splits import matches_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OPEN, WON, LOST = Meaning(False, False), Meaning(True, True), Meaning(True, False)
VALUE = Value(
    opportunity_id="006A",
    name="Engines",
    amount=Decimal("100.5"),
    currency="EUR",
    stage="Sure",
    meaning=OPEN,
    probability=90.0,
    close_date="2026-12-31",
    is_deleted=False,
    version=3,
    fired={"new": 1, "updated": 3},
    history=[Move("Talking", NOON, 10.0, OPEN), Move("Sure", NOON, 90.0, OPEN)],
)


def body(value: Value, part: Part | None = None) -> Any:
    [match] = matches_of(0)
    return message(value, part or Part(match), NOON, NOON).body


def test_the_whole_state_is_told() -> None:
    [match] = matches_of(0)
    want = message(VALUE, Part(match, 1, 3), NOON, NOON)
    assert (want.topic, want.about) == ("lead_values", "lead:L1:opportunity:006A")
    assert want.body == {
        "lead": "L1",
        "opportunity": "006A",
        "name": "Engines",
        "standing": "open",
        "amount": "33.50",
        "closed_amount": "0.00",
        "whole_amount": "100.50",
        "currency": "EUR",
        "stage": "Sure",
        "probability": 90.0,
        "close_date": "2026-12-31",
        "history": [
            {
                "stage": stage,
                "at": NOON,
                "is_closed": False,
                "is_won": False,
                "probability": probability,
            }
            for stage, probability in (("Talking", 10.0), ("Sure", 90.0))
        ],
        "match": {
            "rule": "contact_role",
            "because": "contact 003",
            "since": NOON,
            "part": "2/3",
        },
        "version": 3,
        "fired": {"new": 1, "updated": 3},
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"meaning": WON}, ("won", "100.50", "100.50")),
        ({"meaning": LOST}, ("lost", "100.50", "0.00")),
        ({"meaning": WON, "is_deleted": True}, ("deleted", None, "0.00")),
        ({"meaning": WON, "amount": None}, ("won", None, None)),
        ({"amount": Decimal("0.125")}, ("open", "0.125", "0.00")),
        ({"amount": Decimal("1E+3")}, ("open", "1000.00", "0.00")),
        ({"amount": Decimal(-5)}, ("open", "-5.00", "0.00")),
    ],
)
def test_amounts_follow_how_it_stands(
    changes: dict[str, Any], expected: tuple[str, str | None, str | None]
) -> None:
    told = body(replace(VALUE, **changes))
    assert (told["standing"], told["amount"], told["closed_amount"]) == expected


def test_what_belongs_to_another_lead_goes_back() -> None:
    told = withdrawal(replace(VALUE, meaning=WON), "L9", NOON)
    assert told.about == "lead:L9:opportunity:006A"
    kept = told.body["standing"], told.body["amount"], told.body["closed_amount"]
    assert kept == ("withdrawn", None, "0.00")
    assert told.body["match"] is None


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("1000.0", "JPY", "1000"),
        ("1.5", "KWD", "1.500"),
        ("1.5", "EUR", "1.50"),
        ("2", None, "2.00"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(
    amount: str, currency: str | None, expected: str
) -> None:
    said = body(replace(VALUE, amount=Decimal(amount), currency=currency))
    assert (said["amount"], said["whole_amount"]) == (expected, expected)
