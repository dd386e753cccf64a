"""What a page or an action is asked, and where each says what it needs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from sqlalchemy import Connection

from crm_pipeline.console.databases import ConsoleDatabases
from crm_pipeline.console.errors import ConsoleError
from crm_pipeline.console.parts import ConsolePage
from crm_pipeline.console.roles import ConsoleRole, Somebody
from crm_pipeline.console.sessions import ConsoleSession
from crm_pipeline.console.under_way import WorkUnderWay

MOST_ROWS = 100_000
"""Of one CSV file: what is more is to be asked for in parts."""


@dataclass(slots=True)
class PageQuestion:
    """A page that somebody asks for.

    Attributes:
        connection: to read with; nothing can be written by it.
        path: parts of the address, by their names.
        query: what was filled in, without blanks around it.
        csv: the name of the table that is wanted as CSV, whole; empty: the page is wanted.
        work: what this process has under way.
        account_id: the account that it is about, for the log.
        looked_at: the people whom it shows, by their numbers, for the log.
    """

    session: ConsoleSession
    connection: Connection
    path: Mapping[str, str]
    query: Mapping[str, str]
    csv: str
    work: WorkUnderWay
    account_id: str | None = None
    looked_at: set[int] = field(default_factory=set)

    @property
    def somebody(self) -> Somebody:
        """Who asks."""
        return self.session.somebody

    def chosen(self, name: str, choices: Sequence[str]) -> str:
        """What was chosen of a list; the first of it where nothing was.

        Raises:
            ConsoleError: the list has no such thing.
        """
        said = self.query.get(name) or choices[0]
        if said not in choices:
            known = ", ".join(each for each in choices if each)
            raise ConsoleError(
                HTTPStatus.BAD_REQUEST, f"There is no such {name}. Those that exist: {known}."
            )
        return said

    def rows(self, of_a_page: int) -> int:
        """How many rows are wanted at most, one more than are shown."""
        return (MOST_ROWS if self.csv else of_a_page) + 1


@dataclass(slots=True)
class Order:
    """Something that somebody wants done; `form` has what was filled in, by field."""

    session: ConsoleSession
    databases: ConsoleDatabases
    work: WorkUnderWay
    path: Mapping[str, str]
    form: Mapping[str, Sequence[str]]

    @property
    def somebody(self) -> Somebody:
        """Who wants it."""
        return self.session.somebody

    def said(self, name: str) -> str:
        """What a field says, without blanks around it; empty: nothing."""
        return next(iter(self.form.get(name, ())), "").strip()


@dataclass(frozen=True, slots=True)
class ActionDone:
    """What was done, in one sentence, and the page that shows it."""

    sentence: str
    address: str


@dataclass(frozen=True, slots=True)
class PageAddress:
    """A page: where it is, who may see it, and what makes it."""

    path: str
    role: ConsoleRole
    page: Callable[[PageQuestion], ConsolePage]


@dataclass(frozen=True, slots=True)
class ActionAddress:
    """Something that can be done: where it is posted to, who may, and what does it.

    Attributes:
        writes: whether it needs the primary database.
        page: the address of the page that has its form, where it is another one.
    """

    path: str
    role: ConsoleRole
    do: Callable[[Order], ActionDone]
    writes: bool = True
    page: str = ""

    @property
    def form_page(self) -> str:
        """The address of the page that has its form."""
        return self.page or self.path
