"""Names that somebody may have meant, by what they typed."""

from collections import Counter
from collections.abc import Collection
from difflib import get_close_matches
from functools import lru_cache


def near(typed: str, known: Collection[str], most: int = 3) -> list[str]:
    """The known names that look like what was typed, the likeliest first; case does not count."""
    by_lower_case = {name.lower(): name for name in known}
    found = get_close_matches(typed.lower(), list(by_lower_case), n=most, cutoff=0.6)
    return [by_lower_case[name] for name in found]


@lru_cache(maxsize=4096)
def misspelt(typed: str, known: frozenset[str]) -> str | None:
    """The known name that was surely meant, or None: for names that others use, too.

    Surely: at most two letters are wrong, missing, too many or swapped, or its words are cut
    short (`PIPELINE_DB_URL`, `ALERT_EMAIL`). A name that is known is not misspelt.
    """
    if typed in known:
        return None
    slips = {name: _slips(typed, name) for name in known if _has_the_letters(typed, name)}
    likeliest = min(slips, key=slips.__getitem__, default=None)
    if likeliest is not None and slips[likeliest] <= min(2, len(likeliest) // 5):
        return likeliest
    return next((name for name in known if _is_cut_short(typed, name)), None)


def _has_the_letters(typed: str, name: str) -> bool:
    """Returns whether at most two letters are too many or missing, in any order; quickly told."""
    longer = max(len(typed), len(name))
    return (
        abs(len(typed) - len(name)) <= 2
        and len({*typed} ^ {*name}) <= 4
        and longer - (Counter(typed) & Counter(name)).total() <= 2
    )


def _slips(typed: str, name: str) -> int:
    """Counts the letters that are wrong, missing, too many, or swapped with the next one."""
    before: list[int] = []
    row = list(range(len(name) + 1))
    for done, letter in enumerate(typed, 1):
        swapped, before, row = before, row, [done]
        for position, (left, right) in enumerate(zip(("", *name), name, strict=False), 1):
            cost = min(
                before[position] + 1,
                row[position - 1] + 1,
                before[position - 1] + (letter != right),
            )
            if done > 1 and position > 1 and letter == left and typed[done - 2] == right:
                cost = min(cost, swapped[position - 2] + 1)
            row.append(cost)
    return row[-1]


def _is_cut_short(typed: str, name: str) -> bool:
    """Returns whether each typed word, two at least, abbreviates the name's word there."""
    if typed[:1] != name[:1]:
        return False
    words, whole = typed.split("_"), name.split("_")
    return 2 <= len(words) <= len(whole) and all(
        _abbreviates(word, meant) for word, meant in zip(words, whole, strict=False)
    )


def _abbreviates(word: str, meant: str) -> bool:
    """Returns whether a word has letters of another, at least two, in order from its first."""
    letters = iter(meant)
    return len(word) > 1 and word[0] == meant[:1] and all(letter in letters for letter in word)
