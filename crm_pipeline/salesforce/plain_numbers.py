"""Phone numbers written in digits alone, by the tables of `phonenumbers` and without its detours.

Most numbers are such, once blanks and dashes are gone, and an org has as many as it has people: the
library takes ten times as long for each, as it looks for words, extensions and letters.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

Metadata = Any
"""A country's or a network's numbering plan, as the library has it; it has no types."""


class Unsure(Exception):  # noqa: N818 - an answer: the library knows
    """The number is one of the special cases."""


def e164(digits: str, region: str | None) -> str | None:
    """Returns a valid number as `+4930901820`, None of one that is not valid.

    Args:
        digits: ASCII digits only, perhaps with a plus before them.
        region: the country's two letters in which a number without a country code is read.

    Raises:
        Unsure: ask the library.
    """
    if digits.startswith("+"):
        code, national = _country_code(digits[1:])
        plan = _plan_of_code(code)
    else:
        plan = _plan_of_region(region)
        code, national = plan.country_code, digits
        if national.startswith(str(code)) or _pattern(plan.international_prefix).match(national):
            raise Unsure
    national = _without_prefix(national, plan)
    if not 2 <= len(national) <= 17 or national[0] == "0":
        raise Unsure
    return f"+{code}{national}" if _is_valid(code, national) else None


def _country_code(digits: str) -> tuple[int, str]:
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    for length in (1, 2, 3):
        code = int(digits[:length] or 0)
        if code and code in COUNTRY_CODE_TO_REGION_CODE and digits[0] != "0":
            return code, digits[length:]
    raise Unsure


@cache
def _regions(code: int) -> tuple[str, ...]:
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    return tuple(COUNTRY_CODE_TO_REGION_CODE[code])


@cache
def _plan(code: int, region: str) -> Metadata:
    from phonenumbers import PhoneMetadata

    return PhoneMetadata.metadata_for_region_or_calling_code(code, region)


def _plan_of_code(code: int) -> Metadata:
    return _plan(code, _regions(code)[0])


@cache
def _plan_of_region(region: str | None) -> Metadata:
    from phonenumbers import PhoneMetadata

    plan = None if region is None else PhoneMetadata.metadata_for_region(region, None)
    if plan is None:
        raise Unsure
    return plan


@cache
def _pattern(regular_expression: str | None) -> re.Pattern[str]:
    return re.compile(regular_expression or "(?!)")


def _without_prefix(national: str, plan: Metadata) -> str:
    """The number without the 0 or 1 that is dialled at home only, where that is all there is."""
    prefix = plan.national_prefix_for_parsing
    if not prefix or not _pattern(prefix).match(national):
        return national
    general = plan.general_desc
    if (
        not prefix.isdigit()
        or plan.national_prefix_transform_rule
        or _pattern(general.national_number_pattern).fullmatch(national)
        or (rest := len(national) - len(prefix)) not in general.possible_length
        or rest in general.possible_length_local_only
    ):
        raise Unsure
    return national[len(prefix) :]


def _is_valid(code: int, national: str) -> bool:
    regions = _regions(code)
    if len(regions) > 1:
        for region in regions:
            plan = _plan(code, region)
            if plan.leading_digits:
                if _pattern(plan.leading_digits).match(national):
                    return _is_of(code, region)(national)
            elif _is_of(code, region)(national):
                return True
        return False
    return _is_of(code, regions[0])(national)


@cache
def _is_of(code: int, region: str) -> Callable[[str], bool]:
    """Whether a number is of any kind that a plan has; asked by its length."""
    plan = _plan(code, region)
    kinds = (
        plan.premium_rate, plan.toll_free, plan.shared_cost, plan.voip, plan.personal_number,
        plan.pager, plan.uan, plan.voicemail, plan.fixed_line, plan.mobile,
    )  # fmt: skip
    general = plan.general_desc
    by_length: Mapping[int, re.Pattern[str]] = {
        length: re.compile(
            f"(?={_of_length(general, length)}$)(?:"
            + "|".join(filter(None, (_of_length(kind, length) for kind in kinds)))
            + ")"
        )
        for length in range(2, 18)
        if _of_length(general, length)
    }

    def is_of(national: str) -> bool:
        pattern = by_length.get(len(national))
        return pattern is not None and pattern.fullmatch(national) is not None

    return is_of


def _of_length(description: Metadata, length: int) -> str | None:
    """The pattern of a kind of numbers that may be so long; None where it has none."""
    if description is None or not description.national_number_pattern:
        return None
    lengths = description.possible_length
    return f"(?:{description.national_number_pattern})" if length in (lengths or [length]) else None
