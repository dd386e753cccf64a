"""Splits: the parts that several tracked leads have in one opportunity; they add up. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from crm_pipeline.accounts.attribution import Split
from crm_pipeline.flows.attribution.matches import LeadMatch

_WHOLE = frozenset(
    (
        *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND"),
        *("VUV", "XAF", "XOF", "XPF"),
    )
)
_OF_THOUSANDTHS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))
"""Currencies without cents, and those with thousandths (ISO 4217)."""

_ONE, _CENT, _THOUSANDTH = Decimal(1), Decimal("0.01"), Decimal("0.001")


def smallest_unit(currency: str | None) -> Decimal:
    """Returns the smallest amount that a currency has: a cent, a yen."""
    if currency in _WHOLE:
        return _ONE
    return _THOUSANDTH if currency in _OF_THOUSANDTHS else _CENT


class Part(NamedTuple):
    """A tracked lead's part in an opportunity: the `number`th of `of` equal ones, from 0 on."""

    match: LeadMatch
    number: int = 0
    of: int = 1

    def amount(self, whole: Decimal | None, currency: str | None = None) -> Decimal | None:
        """Returns the part of an amount, None of none; all parts add up to it, to the last digit.

        What cannot be divided goes to the first ones, a cent (the currency's smallest unit, or the
        amount's own last digit) each. Zero or negative amounts are divided alike.
        """
        if whole is None or self.of == 1:
            return whole
        unit = min(
            smallest_unit(currency), Decimal(1).scaleb(int(whole.normalize().as_tuple().exponent))
        )
        units, over = divmod(int(abs(whole) / unit), self.of)
        part = (units + (self.number < over)) * unit
        return part.copy_sign(whole) if part else part


def parts(matches: Sequence[LeadMatch], split: Split) -> list[Part]:
    """The leads that have a part in an opportunity, in the order of the rules.

    Args:
        matches: those found, by the order of the rules.
        split: `primary`: the first has all of it; `first_touch`: the one whom the tracker met
            first; `equal`: each has an equal part.
    """
    if split == "equal":
        return [Part(match, number, len(matches)) for number, match in enumerate(matches)]
    if split == "first_touch":
        matches = sorted(matches, key=lambda each: (each.lead.happened_at, each.lead.lead_id))
    return [Part(match) for match in matches[:1]]
