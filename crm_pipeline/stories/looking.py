"""Looking somebody or something up: in the ledger, and in the warehouse for what is not sent."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import Connection

from crm_pipeline.accounts.account import Account
from crm_pipeline.database.engines import engine
from crm_pipeline.sources.errors import ExtractError
from crm_pipeline.sources.participations import EXTRACTS, Extract
from crm_pipeline.sources.unsent import UnsentRow, UnsentRows
from crm_pipeline.stories.story import Story, story_of
from crm_pipeline.stories.subjects import Subject, is_forgotten, subject_of

_ID = re.compile(r"[0-9]{1,18}")
"""As long as PostgreSQL's bigint takes it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of somebody or something.

    Attributes:
        story: what the ledger knows.
        unsent: rows of the warehouse that are not sent, or not yet.
        forgotten: whether this address was removed on request; then nothing else is told by it.
        unasked: why the warehouse could not be asked; empty: it was.
    """

    story: Story
    unsent: Sequence[UnsentRow]
    forgotten: bool
    unasked: str

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is known."""
        known = self.story.people or self.story.moments or self.unsent
        return not (known or self.forgotten)


def look_up(connection: Connection, account: Account, sought: str) -> Finding:
    """Returns what is known of whom or what a text means; writes nothing, calls no org.

    Args:
        connection: the caller's.
        account: whose ledger and rows.
        sought: as `subject_of` takes it.

    Raises:
        NotSoughtError: the text is nothing that anybody can be looked for by.
    """
    subject = subject_of(connection, account, sought)
    forgotten = is_forgotten(connection, account, sought)
    rows = _Warehouse(connection, account)
    by_address = [] if forgotten or "@" not in sought else rows.read(lambda r: r.of_person(sought))
    story = story_of(connection, account, subject.with_things(row.row for row in by_address))
    unsent = _unexplained(story, by_address or rows.named([sought.strip()], story))
    return Finding(story, unsent, forgotten, rows.unasked)


def look_up_person(connection: Connection, account: Account, person_key: int) -> Finding:
    """Returns what is known of a person of the account, by their number; otherwise as `look_up`."""
    rows = _Warehouse(connection, account)
    story = story_of(connection, account, Subject(person_keys=(person_key,)))
    return Finding(story, _unexplained(story, rows.named([], story)), False, rows.unasked)


class _Warehouse:
    """The rows of an account in the warehouse, as far as it answers."""

    def __init__(self, connection: Connection, account: Account) -> None:
        self._connection, self._account = connection, account
        self.unasked = ""

    def read(self, read: Callable[[UnsentRows], Iterable[UnsentRow]]) -> list[UnsentRow]:
        """Returns what is read; nothing where the warehouse does not answer, and notes why."""
        try:
            return list(read(UnsentRows(self._connection, engine("warehouse"), self._account)))
        except ExtractError as error:
            self.unasked = str(error)
            return []

    def named(self, sought: Sequence[str], story: Story) -> list[UnsentRow]:
        """Returns the rows that are sought, and those that the ledger has rejected."""
        rejected = [each.natural_key for each in story.latest if each.state == "rejected"]
        names = list(dict.fromkeys((*sought, *rejected)))
        return self.read(
            lambda rows: chain.from_iterable(rows.named(*each) for each in _by_extract(names))
        )


def _unexplained(story: Story, rows: Iterable[UnsentRow]) -> list[UnsentRow]:
    """Returns the rows that the ledger does not know, or has rejected for what is told here."""
    states = {each.natural_key: each.state for each in story.latest}
    return [
        row
        for row in rows
        if row.row not in states or (states[row.row] == "rejected" and row.why is not None)
    ]


def _by_extract(names: Sequence[str]) -> Iterator[tuple[Extract, list[int]]]:
    """The ids of rows, as in `registration:4711`, by their extract."""
    for extract in EXTRACTS:
        prefix = extract.name.removesuffix("s") + ":"
        ids = [
            int(number)
            for name in names
            if name.startswith(prefix) and _ID.fullmatch(number := name.removeprefix(prefix))
        ]
        if ids:
            yield extract, ids
