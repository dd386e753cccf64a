"""Another choice of an account: what that comes to, and storing it.

Whoever starts the console brings the desk that knows: the one behind `crm-pipeline account`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ChoiceWanted:
    """A setting with another value, or another mapping, other filters or sessions.

    Attributes:
        account_id: whose.
        name: of the setting; or `mapping`, `filters`, `sessions`.
        value: as it is typed; None: the default of a setting, or none at all.
    """

    account_id: str
    name: str
    value: str | None


@dataclass(frozen=True, slots=True)
class ChoiceSeen:
    """What another choice comes to.

    Attributes:
        wanted: the choice.
        changes: what is chosen otherwise: its name, as it is and as it becomes.
        said: what that makes otherwise, in sentences.
        before: all that the account has chosen so far: on it what is said depends.
    """

    wanted: ChoiceWanted
    changes: Sequence[tuple[str, str, str]]
    said: Sequence[str]
    before: str

    def holds(self, now: "ChoiceSeen") -> bool:
        """Whether it comes to about the same now: to no number that is higher by more than a tenth.

        Rows come all the time, and what is said counts them.
        """
        if (self.wanted, self.changes, self.before) != (now.wanted, now.changes, now.before):
            return False
        then, by_now = (_NUMBER.split("\n".join(each.said)) for each in (self, now))
        return then[::2] == by_now[::2] and all(
            _number(new) <= _number(old) * 1.1 + _FEW
            for old, new in zip(then[1::2], by_now[1::2], strict=True)
        )


_NUMBER = re.compile(r"(\d[\d,]*)")

_FEW = 10
"""So many more are never much."""


def _number(text: str) -> int:
    return int(text.replace(",", ""))


class ChoiceDesk(Protocol):
    """Says what other choices come to, and stores them."""

    def look(self, wanted: ChoiceWanted, who: str) -> ChoiceSeen:
        """Returns what a choice comes to; stores nothing. It may read the whole warehouse.

        Raises:
            ConsoleError: the choice is impossible, changes nothing, or it cannot be said.
        """

    def store(self, seen: ChoiceSeen, who: str) -> None:
        """Stores a choice, as wanted by somebody, if it comes to about what was seen.

        Raises:
            ConsoleError: it comes to something else by now, or is refused; nothing is stored.
        """
