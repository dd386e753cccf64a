"""The JSON form of what a command shows: one document, printed when the command ends."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime

_NO_NAME = re.compile("[^a-z0-9]+")


class Document:
    """What a command has shown so far, by name.

    `said` has its lines, `facts` what it showed of one thing, `rows` a table without a title; a
    table with a title has that as its name.

    Attributes:
        alone: whether lines go to it only, and not to stderr as well.
    """

    def __init__(self, *, alone: bool = False) -> None:
        self.alone = alone
        self.parts: dict[str, object] = {}
        self.said: list[str] = []
        self._facts: dict[str, object] = {}

    def say(self, line: str) -> None:
        """Adds a line, unless it is empty."""
        if line:
            self.said.append(line)
            self.parts["said"] = self.said

    def show_facts(self, facts: Iterable[tuple[str, object]]) -> None:
        """Adds names and values."""
        self._facts.update((named(name), _plain(value)) for name, value in facts)
        self.parts["facts"] = self._facts

    def show_table(
        self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
    ) -> None:
        """Adds a table: a list of objects."""
        names = [named(column) for column in columns]
        self.parts[named(title) or "rows"] = [
            dict(zip(names, map(_plain, row), strict=True)) for row in rows
        ]


_DOCUMENT: ContextVar[Document | None] = ContextVar("_DOCUMENT", default=None)


def begin_document(*, alone: bool = False) -> Document:
    """Has everything that is shown from now on go into a document, which is returned.

    Lines go to stderr as well, unless it is `alone`.
    """
    document = Document(alone=alone)
    _DOCUMENT.set(document)
    return document


def end_document() -> None:
    """Has what is shown from now on go to the terminal again."""
    _DOCUMENT.set(None)


def document() -> Document | None:
    """Returns the document that is being made, or None."""
    return _DOCUMENT.get()


def named(words: str) -> str:
    """Returns words of a heading as a name, as in `leads_created` for "leads created"."""
    return _NO_NAME.sub("_", words.lower()).strip("_")


def _plain(value: object) -> object:
    """Returns a value as JSON has it; a time in UTC, what is of no type of JSON as its text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    return str(value)
