"""Values: what the platform is told of an opportunity, for each lead to which it belongs. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from crm_pipeline.flows.attribution.splits import Part, smallest_unit
from crm_pipeline.flows.attribution.stages import Meaning, Move
from crm_pipeline.ledger.messages import MessageWant

TOPIC = "lead_values"

DealStanding = Literal["open", "won", "lost", "deleted", "withdrawn"]
"""How an opportunity stands, for a lead: `withdrawn` where it belongs to that lead no more."""


@dataclass(slots=True)
class Value:
    """An opportunity as the platform is told of it.

    Attributes:
        opportunity_id: its Id.
        name: of the opportunity.
        amount: the whole of it, in `currency`.
        currency: its ISO code; None where neither the org nor the account names one.
        stage: the label.
        meaning: of the stage.
        probability: in percent.
        close_date: a day, `2026-12-31`; no time, no zone.
        is_deleted: whether the org has it no more.
        version: grows with each state that was read.
        fired: the last version at which each trigger fired.
        history: the moves from stage to stage.
    """

    opportunity_id: str
    name: str | None
    amount: Decimal | None
    currency: str | None
    stage: str | None
    meaning: Meaning
    probability: float | None
    close_date: str | None
    is_deleted: bool
    version: int
    fired: Mapping[str, int]
    history: Sequence[Move]

    @property
    def standing(self) -> DealStanding:
        """The state of the opportunity."""
        if self.is_deleted:
            return "deleted"
        if self.meaning.is_closed:
            return "won" if self.meaning.is_won else "lost"
        return "open"


def about(lead_id: str, opportunity_id: str) -> str:
    """The platform's key of a lead's part in an opportunity."""
    return f"lead:{lead_id}:opportunity:{opportunity_id}"


def message(value: Value, part: Part, matched_at: datetime, as_of: datetime) -> MessageWant:
    """Tells a lead's part in an opportunity, as the whole new state.

    An opportunity that is deleted has no amount any more, and only one that is won has a closed
    one. Amounts are decimal numbers as text, never floats.

    Args:
        value: the opportunity.
        part: the lead, by which rule, and how much of it is its.
        matched_at: since when the opportunity belongs to the lead, UTC.
        as_of: the time of the look at it, UTC.
    """
    lead_id = part.match.lead.lead_id
    amount = None if value.is_deleted else part.amount(value.amount, value.currency)
    match = {
        "rule": part.match.rule.value,
        "because": part.match.because,
        "since": matched_at,
        "part": f"{part.number + 1}/{part.of}",
    }
    return _message(
        value,
        lead_id,
        as_of,
        value.standing,
        amount=amount,
        closed_amount=(amount if value.standing == "won" else Decimal(0)),
        match=match,
    )


def withdrawal(value: Value, lead_id: str, as_of: datetime) -> MessageWant:
    """Tells that an opportunity belongs to a lead no more: its value goes back."""
    return _message(
        value, lead_id, as_of, "withdrawn", amount=None, closed_amount=Decimal(0), match=None
    )


def _message(
    value: Value,
    lead_id: str,
    as_of: datetime,
    standing: DealStanding,
    *,
    amount: Decimal | None,
    closed_amount: Decimal | None,
    match: Mapping[str, Any] | None,
) -> MessageWant:
    body = {
        "lead": lead_id,
        "opportunity": value.opportunity_id,
        "name": value.name,
        "standing": standing,
        "amount": _text(amount, value.currency),
        "closed_amount": _text(closed_amount, value.currency),
        "whole_amount": _text(value.amount, value.currency),
        "currency": value.currency,
        "stage": value.stage,
        "probability": value.probability,
        "close_date": value.close_date,
        "history": [
            {
                "stage": each.stage,
                "at": each.at,
                "is_closed": each.meaning.is_closed,
                "is_won": each.meaning.is_won,
                "probability": each.probability,
            }
            for each in value.history
        ],
        "match": match,
        "version": value.version,
        "fired": dict(value.fired),
    }
    return MessageWant(TOPIC, about(lead_id, value.opportunity_id), as_of, body)


def _text(amount: Decimal | None, currency: str | None) -> str | None:
    """Returns an amount with the decimals of its currency, or more where it has more: `1000.50`."""
    if amount is None:
        return None
    whole = amount.quantize(smallest_unit(currency))
    return f"{whole:f}" if whole == amount else f"{amount.normalize():f}"
