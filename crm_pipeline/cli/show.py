"""How commands show things: tables that fit a terminal, and stay whole in a pipe or a file."""

import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_WIDTH_OUTSIDE_OF_TERMINALS = 240

_ACTS_ON_TERMINALS = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_JOINERS = "\u200c\u200d"


def harmless(text: str, *, keep: str = "\n") -> str:
    """A text without characters that act on a terminal: those are escaped.

    Names, values and messages come from strangers. That is control characters, marks that turn
    the direction of writing, separators of lines, halves of surrogates; joiners, which words of
    some languages need, stay.

    Args:
        text: what is to be shown.
        keep: of these characters those that are to stay.
    """
    if text.isprintable():
        return text
    kept = _JOINERS + keep
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in _ACTS_ON_TERMINALS and character not in kept
        else character
        for character in text
    )


def say(text: object = "", *, err: bool = False) -> None:
    """Prints a line, harmless."""
    typer.echo(harmless(str(text)), err=err)  # noqa: TID251 - here it is harmless


def console(*, stderr: bool = False) -> "Console":
    """Where to print: as wide as the terminal, or wide enough when there is none."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _WIDTH_OUTSIDE_OF_TERMINALS
    return Console(file=stream, width=width, highlight=False)


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str
) -> None:
    """Prints a table with numbers to the right; without rows, the sentence `empty` instead."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    listed = list(rows)
    if not listed:
        say(empty)
        return
    heading = Text(harmless(title, keep="")) if title else None
    table = Table(title=heading, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        numeric = all(isinstance(row[number], int | float) for row in listed)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in listed:
        table.add_row(*(Text(harmless(shown(value), keep="")) for value in row))
    _print(table)


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Prints names and values, a line each."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name, value in facts:
        table.add_row(Text(name, style="bold"), Text(harmless(shown(value)), overflow="fold"))
    _print(table)


def _print(table: "Table") -> None:
    """Prints a table; outside of terminals without the blanks that pad its lines."""
    out = console()
    if out.is_terminal:
        out.print(table)
        return
    with out.capture() as captured:
        out.print(table)
    say("\n".join(line.rstrip() for line in captured.get().splitlines()))


def counted(number: int, thing: str) -> str:
    """So many of a thing, as in "1 event" and "2 events"."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def shown(value: object) -> str:
    """A value as people read it: times to the second in UTC, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, float):
        return f"{value:.1f}"
    return str(value)
