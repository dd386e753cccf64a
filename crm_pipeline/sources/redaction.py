"""Redaction of what people write, before it becomes CRM data: cards, health, patterns. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import orjson

from crm_pipeline.sources.participations import Participation
from crm_pipeline.text import JsonText, written

FREE_TEXT = ("polls", "chats", "questions", "surveys", "answers", "rating")
"""Columns of what people write themselves."""

REMOVED = "[removed]"

_CARD = re.compile(r"(?<![\d])(?:\d[ -]?){12,18}\d(?![\d])")
_HEALTH = re.compile(
    r"\b(?:hiv|aids|cancer|chemotherapy|diabet\w*|pregnan\w*|miscarr\w*|depress(?:ion|ed|ive)"
    r"|diagnos\w*|psychiatr\w*|epilep\w*|krebs\w*|schwanger\w*|zucker(?:krank\w*)|depression\w*"
    r"|diagnose\w*|enceinte|cancer\w*|diabète\w*)\b",
    re.IGNORECASE,
)

Redact = Callable[[str], str]


def redactions(chosen: Sequence[str]) -> Redact:
    """Returns a function that takes out of a text what an account does not want in its org.

    Args:
        chosen: `cards`, `health`, or regular expressions.
    """
    steps = [_STEPS.get(each) or _by_pattern(each) for each in chosen]

    def redact(text: str) -> str:
        for step in steps:
            text = step(text)
        return text

    return redact


def redacted(row: Participation, redact: Redact) -> Participation:
    """Returns a row whose free texts have gone through `redact`."""
    changed: dict[str, Any] = {}
    for name in FREE_TEXT:
        value = row.columns.get(name)
        if isinstance(value, JsonText):
            said: str = JsonText(orjson.dumps(_walked(value.parsed(), redact)).decode())
        elif isinstance(value, str):
            said = redact(value)
        else:
            continue
        if said != value:
            changed[name] = said
    return replace(row, columns={**row.columns, **changed}) if changed else row


def _walked(value: Any, redact: Redact) -> Any:
    """A value of JSON, its texts and numbers redacted; the keys of answers stay."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {key: _walked(each, redact) for key, each in value.items()}
    if isinstance(value, list):
        return [_walked(each, redact) for each in value]
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        text = written(value)
        if (said := redact(text)) != text:
            return said
        return float(value) if isinstance(value, Decimal) else value
    return value


def _without_cards(text: str) -> str:
    return _CARD.sub(lambda found: REMOVED if _is_card(found[0]) else found[0], text)


def _is_card(text: str) -> bool:
    """Returns whether digits are a card's number: the last one checks the others (Luhn)."""
    digits = [int(each) for each in text if each.isdigit()][::-1]
    doubled = [2 * each - 9 * (each > 4) for each in digits[1::2]]
    return sum(digits[::2] + doubled) % 10 == 0


def _without_health(text: str) -> str:
    return _HEALTH.sub(REMOVED, text)


def _by_pattern(pattern: str) -> Redact:
    compiled = re.compile(pattern)
    return lambda text: compiled.sub(REMOVED, text)


_STEPS: Mapping[str, Redact] = {"cards": _without_cards, "health": _without_health}
