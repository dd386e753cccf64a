"""What a page is made of: facts, tables, plots and forms, each declared, none with markup."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from crm_pipeline.text import shown


@dataclass(frozen=True, slots=True)
class Link:
    """A value that leads to another page."""

    text: object
    href: str

    def __str__(self) -> str:
        return shown(self.text)


@dataclass(frozen=True, slots=True)
class Badge:
    """A state, in a colour that says whether it is well: good, warn, bad or calm."""

    text: str
    tone: str = "calm"

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Bars:
    """Numbers of days, the oldest first; in a table's cell they are a sparkline.

    None is a day on which it was not counted.
    """

    days: Sequence[date]
    numbers: Sequence[int | None]
    unit: str

    def __str__(self) -> str:
        return " ".join("?" if number is None else str(number) for number in self.numbers)

    @property
    def counted(self) -> Sequence[int]:
        """The numbers of the days on which it was counted."""
        return [number for number in self.numbers if number is not None]

    @property
    def most(self) -> int:
        """The highest number, for the scale."""
        return max(self.counted, default=0)

    @property
    def total(self) -> int:
        """All together."""
        return sum(self.counted)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form; with `choices` one of these, with `hidden` not shown, `long` of lines."""

    name: str
    label: str
    value: str = ""
    choices: Sequence[str] = ()
    required: bool = False
    hidden: bool = False
    long: bool = False


@dataclass(frozen=True, slots=True)
class Button:
    """What a form does, and how it is written on it; `value` is sent as `do`."""

    label: str
    value: str = ""
    danger: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """Something to fill in: `get` looks something up, `post` does something."""

    kind: ClassVar[str] = "form"
    action: str
    fields: Sequence[Field]
    buttons: Sequence[Button]
    method: str = "get"
    title: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values; without those that are None."""

    kind: ClassVar[str] = "facts"
    title: str
    facts: Iterable[tuple[str, object]]

    @property
    def known(self) -> list[tuple[str, object]]:
        """Those with a value."""
        return [(name, value) for name, value in self.facts if value is not None]


@dataclass(frozen=True, slots=True)
class PageTable:
    """Rows, which are the table's CSV as well.

    Attributes:
        name: of the table in the page's address (`?csv=name`).
        rows: cells are values, `Link`, `Badge` or `Bars`.
        empty: what is said where there is none.
        more: the address of the next rows.
        chosen_by: where rows are chosen for a form, the form; each row begins with its id then.
    """

    kind: ClassVar[str] = "table"
    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    empty: str
    more: str | None = None
    chosen_by: Form | None = None


@dataclass(frozen=True, slots=True)
class Plot:
    """Numbers by day, drawn."""

    kind: ClassVar[str] = "plot"
    title: str
    bars: Bars


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence that stands out."""

    kind: ClassVar[str] = "note"
    text: str
    tone: str = "calm"


PagePart = Form | Facts | PageTable | Plot | Note


@dataclass(frozen=True, slots=True)
class ConsolePage:
    """A page: its title, its parts in order, and where it stands in the navigation."""

    title: str
    parts: Sequence[PagePart]
    place: str = ""
