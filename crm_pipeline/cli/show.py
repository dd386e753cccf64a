"""Display of commands: tables that fit a terminal, and stay whole in a pipe or a file."""

import os
import re
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import typer

from crm_pipeline.cli.json_form import document
from crm_pipeline.text import shown

if TYPE_CHECKING:
    from rich.console import Console

_NARROWEST = 20

_WHOLE = "\x00"
"""Stands for a blank at which no line is broken; harmless texts have none."""

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


def say(text: object = "", *, err: bool = False, as_it_is: bool = False) -> None:
    """Prints sentences, harmless; where a document is made, they go there and to stderr.

    On a terminal they are wrapped between words, but for commands in them.

    Args:
        text: what is said.
        err: whether it goes to stderr.
        as_it_is: whether it is no sentences, but something to be copied or kept.
    """
    made, line = document(), harmless(str(text))
    if made is not None and (made.alone or not err):
        made.say(line)
    if made is None or not made.alone:
        err = err or made is not None
        if not as_it_is and (sys.stderr if err else sys.stdout).isatty():
            line = _in_lines(line, shutil.get_terminal_size().columns)
        _echo(line, err=err)


def _in_lines(text: str, width: int) -> str:
    """A text whose lines are broken at blanks to fit; what stands in backquotes stays whole."""
    kept = re.sub("`[^`]*`", lambda quoted: quoted[0].replace(" ", _WHOLE), text)
    lines = [part for line in kept.split("\n") for part in _wrapped(line, width, whole_words=True)]
    return "\n".join(lines).replace(_WHOLE, " ")


def _echo(line: str, *, err: bool = False) -> None:
    """Prints a harmless line; where nobody reads any more (`| head`), the command goes on."""
    try:
        typer.echo(line, err=err)  # noqa: TID251 - the one place
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, (sys.stderr if err else sys.stdout).fileno())
        os.close(nowhere)


def is_terminal() -> bool:
    """Returns whether what is shown goes to a terminal, and to no document."""
    return sys.stdout.isatty() and document() is None


def clear() -> None:
    """Empties the terminal."""
    console().clear()


def print_document(parts: Mapping[str, object]) -> None:
    """Prints a document as JSON."""
    import json

    _echo(json.dumps(parts, indent=2))


def console(*, stderr: bool = False) -> "Console":
    """Returns the console for progress and colours: as wide as the terminal."""
    from rich.console import Console

    return Console(file=sys.stderr if stderr else sys.stdout, highlight=False)


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str
) -> None:
    """Prints a table; without rows, the sentence `empty` instead.

    Outside of terminals its lines are the cells with tabs between them. On a terminal that is too
    narrow the widest columns go below their row, so that no word is cut.
    """
    listed = list(rows)
    if (made := document()) is not None:
        made.show_table(title, columns, listed)
        return
    if not listed:
        say(empty)
        return
    cells = [[harmless(shown(value), keep="") for value in row] for row in listed]
    if title:
        say(f"\n{title}")
    if not sys.stdout.isatty():
        _print_lines("\t".join(row) for row in (columns, *cells))
        return
    numeric = [all(isinstance(row[n], int | float) for row in listed) for n in range(len(columns))]
    _print_lines(_laid_out(columns, cells, numeric, shutil.get_terminal_size().columns))


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Prints names and values, a line each; outside of terminals with a tab between them."""
    if (made := document()) is not None:
        made.show_facts(facts)
        return
    listed = [(name, harmless(shown(value))) for name, value in facts]
    if not sys.stdout.isatty():
        _print_lines(f"{name}\t{value}" for name, value in listed)
        return
    width = max((len(name) for name, _ in listed), default=0) + 2
    room = max(shutil.get_terminal_size().columns - width, _NARROWEST)
    for name, value in listed:
        lines = [part for line in value.splitlines() for part in _wrapped(line, room)] or [""]
        _print_lines([typer.style(name.ljust(width), bold=True) + lines[0]])
        _print_lines(" " * width + line for line in lines[1:])


def _print_lines(lines: Iterable[str]) -> None:
    """Prints lines that are harmless already, but for what lays them out."""
    for line in lines:
        _echo(line.rstrip(" "))


def _laid_out(
    columns: Sequence[str], cells: Sequence[Sequence[str]], numeric: Sequence[bool], width: int
) -> Iterator[str]:
    """The lines of a table on a terminal of this width: numbers to the right, long texts below."""
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(columns, *cells, strict=True)]
    beside = list(range(len(columns)))
    while len(beside) > 1 and sum(widths[n] + 2 for n in beside) - 2 > width:
        beside.remove(max(beside[1:], key=widths.__getitem__))

    def line(row: Sequence[str]) -> str:
        padded = (
            (" " * (widths[n] - cell_len(row[n])), row[n])
            if numeric[n]
            else (row[n], " " * (widths[n] - cell_len(row[n])))
            for n in beside
        )
        return "  ".join(before + after for before, after in padded)

    yield line(columns)
    yield "  ".join("─" * widths[n] for n in beside)
    for row in cells:
        yield line(row)
        for n, text in enumerate(row):
            if n not in beside and text:
                yield from (f"    {part}" for part in _wrapped(f"{columns[n]}: {text}", width - 4))


def _wrapped(text: str, width: int, *, whole_words: bool = False) -> list[str]:
    """A line in pieces of at most so many characters; blanks at its begin stay."""
    return textwrap.wrap(
        text,
        max(width, _NARROWEST),
        break_on_hyphens=False,
        break_long_words=not whole_words,
        drop_whitespace=True,
    ) or [text]


def counted(number: int, thing: str) -> str:
    """So many of a thing, as in "1 event" and "2 events"."""
    return f"{number} {thing}{'' if number == 1 else 's'}"
