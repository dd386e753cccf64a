"""A source gives a flow its rows, and tells the planner and the alerts who has unread ones."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, NamedTuple, Protocol, TypeVar

from crm_pipeline.ledger.positions import Position

Row_co = TypeVar("Row_co", covariant=True)
Selection_contra = TypeVar("Selection_contra", contravariant=True)


class Start(StrEnum):
    """What an account's start (`start_at`) means for the rows of a source."""

    HAPPENED = "what happened before it is not sent"
    CHANGED = "what was changed last before it is not sent"
    OF_OTHERS = "nothing: of what is sent by these rows, another source tells when it was"


BEFORE_START = "before the account's start (start_at)"
"""Why a row is not sent that is from before."""


class Asked(NamedTuple):
    """An account's position in a source; `position` None: never read, or not to its end."""

    account_id: str
    client_id: str
    position: Position | None


@dataclass(frozen=True, slots=True)
class Chunk(Generic[Row_co]):
    """Some rows, and how far the source is read with them."""

    rows: Sequence[Row_co]
    position: Position


class Source(Protocol[Selection_contra, Row_co]):
    """A source of a flow's rows.

    Attributes:
        name: the source's; an account's position in it is kept by flow and name.
        start: what an account's start means for its rows; whoever reads them holds to that.
    """

    @property
    def name(self) -> str:
        """The source's name."""

    @property
    def start(self) -> Start:
        """What an account's start means for its rows."""

    def read(
        self, selection: Selection_contra, position: Position | None
    ) -> Iterator[Chunk[Row_co]]:
        """Reads from a position on, in bounded memory; the last chunk (it may be empty) ends it.

        Args:
            selection: what of it, for which account.
            position: of the last reading; None: from the start.

        Raises:
            ExtractError: it cannot be read; what was given before is good.
        """

    def news(self, asked: Sequence[Asked]) -> frozenset[str]:
        """The accounts with something that they have not read, by one question for all of them.

        A source that was never read is news to those only who have rows in it.

        Raises:
            ExtractError: it cannot be asked.
        """

    def unread_since(self, asked: Sequence[Asked]) -> Mapping[str, datetime]:
        """Returns since when (UTC) the oldest unread row waits, of accounts that have one.

        One question for all of them. Late rows, which lie before the position, need not count.

        Raises:
            ExtractError: it cannot be asked.
        """
