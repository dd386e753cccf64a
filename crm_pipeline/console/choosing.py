"""Another value of an account's setting: what that comes to, and storing it.

Whoever starts the console brings the desk that knows: the one behind `crm-pipeline account set`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SettingWanted:
    """Another value of a setting.

    Attributes:
        account_id: whose.
        name: of the setting.
        value: as it is typed; None: the default.
    """

    account_id: str
    name: str
    value: str | None


@dataclass(frozen=True, slots=True)
class SettingSeen:
    """What another value comes to.

    Attributes:
        wanted: the value.
        was: the setting as it is, as it is typed.
        becomes: as it would be.
        said: what that makes otherwise, in sentences.
        before: all that the account has chosen, as JSON: on it what is said depends.
    """

    wanted: SettingWanted
    was: str
    becomes: str
    said: Sequence[str]
    before: str


class SettingsDesk(Protocol):
    """Says what other settings come to, and stores them."""

    def look(self, wanted: SettingWanted, who: str) -> SettingSeen:
        """Returns what a value comes to; stores nothing. It may read the whole warehouse.

        Raises:
            ConsoleError: the value is impossible, or it cannot be said.
        """

    def store(self, seen: SettingSeen, who: str) -> None:
        """Stores a value, as wanted by somebody, if it comes to what was seen.

        Raises:
            ConsoleError: it comes to something else by now, or is refused; nothing is stored.
        """
