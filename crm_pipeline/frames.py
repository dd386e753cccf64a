"""The reporting views, a plan and a person's story as DataFrames of pandas, for notebooks.

Nothing is written, neither to the pipeline's database nor to an org. Each column has the type that
its declaration says, also where a frame is empty: whole numbers of any size with gaps (`Int64`),
times in UTC (`datetime64[us, UTC]`), days without a zone (`datetime64[s]`), texts (`string`).
What each column is stands in `frame.attrs["columns"]`, and in docs/notebooks.md.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import chain
from typing import Any, NamedTuple
from uuid import uuid4

import pandas as pd
from sqlalchemy import Connection, column, select, table

from crm_pipeline.accounts.account import AccountError
from crm_pipeline.accounts.store import get_account
from crm_pipeline.cycle.plan import PlannedRecord, planned
from crm_pipeline.cycle.planning import Planning
from crm_pipeline.database.engines import engine
from crm_pipeline.near_names import near
from crm_pipeline.reporting.views import SCHEMA
from crm_pipeline.reporting.views import views as reporting_views
from crm_pipeline.stories.looking import look_up

_NUMBER, _TEXT, _TIME, _ANY = "Int64", "string", "datetime64[us, UTC]", "object"

TYPES = {
    "bigint": _NUMBER,
    "integer": _NUMBER,
    "boolean": "boolean",
    "date": "datetime64[s]",
    "double precision": "Float64",
    "text": _TEXT,
    "timestamp with time zone": _TIME,
}
"""Types of the views' columns, by PostgreSQL's name of them."""


class FrameColumn(NamedTuple):
    """A column of a frame: its type as pandas names it, and what it is."""

    name: str
    type: str
    says: str


PLAN = (
    FrameColumn("object", _TEXT, "Object of Salesforce that is written."),
    FrameColumn("outcome", _TEXT, "What the record comes to: create, update, unchanged, …"),
    FrameColumn("about", _TEXT, "Person by address, or row of the platform."),
    FrameColumn("record", _TEXT, "Id of the record; none of one that is only to be made."),
    FrameColumn("field", _TEXT, "Field that would be written; none where none is."),
    FrameColumn("now", _ANY, "What stands there in the org, of what was compared."),
    FrameColumn("planned", _ANY, "What would stand there."),
    FrameColumn("reason", _TEXT, "Why this record, or why none."),
)
PEOPLE = (
    FrameColumn("person_key", _NUMBER, "Our number of the person."),
    FrameColumn("address", _TEXT, "Email address, or key of a phone number."),
    FrameColumn("as_of", _TIME, "When the source said so."),
    FrameColumn("successor", _NUMBER, "Who stands for them, as both turned out to be one."),
    FrameColumn("absorbed_at", _TIME, "Since when."),
    FrameColumn("sobject", _TEXT, "Object of the record that stands for them."),
    FrameColumn("salesforce_id", _TEXT, "Its Id."),
    FrameColumn("reason", _TEXT, "Why it is this one."),
    FrameColumn("seen_at", _TIME, "When that was found."),
    FrameColumn("other_addresses", _ANY, "List of those by which they are known, too."),
    FrameColumn("ids", _ANY, "List of the platform's and others', each behind its kind."),
)
MOMENTS = (
    FrameColumn("at", _TIME, "When it happened."),
    FrameColumn("about", _TEXT, "To whom or what."),
    FrameColumn("event", _TEXT, "What happened."),
    FrameColumn("detail", _TEXT, "With what."),
)
OUTLOOKS = (
    FrameColumn("about", _TEXT, "Person by address, or row of the platform."),
    FrameColumn("operation_id", _NUMBER, "Number of the operation, as `operations show` takes it."),
    FrameColumn("state", _TEXT, "How it stands."),
    FrameColumn("record", _TEXT, "Id of its record."),
    FrameColumn("comes_next", _TEXT, "What happens next."),
)
UNSENT = (
    FrameColumn("row", _TEXT, "Row of the warehouse, as in registration:4711."),
    FrameColumn("event_session_id", _NUMBER, "Its session."),
    FrameColumn("why", _TEXT, "Why it is not sent; none: a cycle reads it."),
)


class StoryFrames(NamedTuple):
    """What is known of somebody or something.

    Attributes:
        people: who it is; a row for each of `KnownPerson`.
        moments: what happened, in the order of time.
        outlooks: how each thing stands now, and what comes next.
        unsent: rows of the warehouse that are not sent, or not yet.
    """

    people: pd.DataFrame
    moments: pd.DataFrame
    outlooks: pd.DataFrame
    unsent: pd.DataFrame


def views() -> pd.DataFrame:
    """Returns the views that there are, by name, with what a row of each is.

    Raises:
        sqlalchemy.exc.DBAPIError: the database does not answer.
    """
    with _reading() as connection:
        rows = [(view.name, view.says) for view in reporting_views(connection)]
    columns = (
        FrameColumn("view", _TEXT, "Name, as `view` takes it."),
        FrameColumn("says", _TEXT, "What a row of it is."),
    )
    return _frame(columns, rows).set_index("view")


def view(name: str, *, account_id: str | None = None, since: date | None = None) -> pd.DataFrame:
    """Returns a view of the schema `reporting`, as docs/reporting.md describes it.

    A role that may read these views alone (`crm-pipeline reporting reader`) is enough.

    Args:
        name: of the view, such as `deliveries`.
        account_id: of this account alone.
        since: from this day (UTC) on.

    Raises:
        ValueError: there is no such view, or it has neither accounts nor days to choose by.
        sqlalchemy.exc.DBAPIError: the database does not answer.
    """
    with _reading() as connection:
        known = {each.name: each for each in reporting_views(connection)}
        if name not in known:
            meant = "".join(f"; did you mean {each}?" for each in near(name, known, most=1))
            raise ValueError(f"there is no view {SCHEMA}.{name}{meant}")
        columns = [FrameColumn(c.name, TYPES[c.type], c.says) for c in known[name].columns]
        asked = select(table(name, *(column(each.name) for each in columns), schema=SCHEMA))
        names = {each.name for each in columns}
        for of, chosen in (("account_id", account_id), ("day", since)):
            if chosen is not None and of not in names:
                raise ValueError(f"{SCHEMA}.{name} has no column {of}")
        if account_id is not None:
            asked = asked.where(column("account_id") == account_id)
        if since is not None:
            asked = asked.where(column("day") >= since)
        return _frame(columns, connection.execute(asked).all())


def plan(
    account_id: str,
    *,
    since: str | None = None,
    limit: int | None = None,
    person: str | None = None,
) -> pd.DataFrame:
    """Plans the next cycle of an account, and returns every record of it, a row for each field.

    As `crm-pipeline plan` with `--all`, which stays small in memory for a million records; the plan
    is not kept, so it has no number by which it could be applied. It reads the org by the same
    calls, and one more for 10,000 updates.

    Args:
        account_id: the account; drafts have plans, too.
        since: as if nothing that happened before were to be sent: a day, or `now`.
        limit: of the first so many people alone.
        person: of one person alone, by the email address.

    Raises:
        AccountError: there is no such account, or not all could be planned; it says why.
    """
    planning = Planning(since, limit, person, in_full=True)
    with planned(account_id, planning, run_id=f"frames-{uuid4()}") as made:
        if made.report.state != "Complete":
            raise AccountError(f"Not all could be planned: {made.report.reason}")
        return _frame(PLAN, chain.from_iterable(map(PlannedRecord.lines, made.records(None))))


def story(account_id: str, whom: str) -> StoryFrames:
    """Returns what `crm-pipeline find` tells of a person, a row or a record.

    It has personal data. No org is called. Of whoever was removed on request nothing is told, and
    where the warehouse does not answer none of its rows.

    Args:
        account_id: the account.
        whom: an email address, a phone number (+49…), a row of the platform (registration:4711)
            or the Id of a record (00Q…).

    Raises:
        AccountError: there is no such account.
        stories.subjects.NotSoughtError: by such a text nobody can be looked for.
    """
    with _reading() as connection:
        found = look_up(connection, get_account(connection, account_id), whom)
    told = found.story
    return StoryFrames(
        _frame(PEOPLE, _values(PEOPLE, told.people)),
        _frame(MOMENTS, _values(MOMENTS, told.moments)),
        _frame(OUTLOOKS, _values(OUTLOOKS, told.outlooks)),
        _frame(UNSENT, _values(UNSENT, found.unsent)),
    )


@contextmanager
def _reading() -> Iterator[Connection]:
    """A transaction that can write nothing."""
    with engine("pipeline").connect().execution_options(postgresql_readonly=True) as connection:
        yield connection


def _values(columns: Sequence[FrameColumn], rows: Iterable[object]) -> Iterator[tuple[Any, ...]]:
    return (tuple(getattr(row, each.name) for each in columns) for row in rows)


def _frame(columns: Sequence[FrameColumn], rows: Iterable[Sequence[Any]]) -> pd.DataFrame:
    """A frame of rows, each column of its own type: what pandas would guess depends on the rows."""
    by_column = list(zip(*rows, strict=True)) or [()] * len(columns)
    made: Mapping[str, Any] = {
        each.name: pd.Series(list(values), dtype=each.type)
        for each, values in zip(columns, by_column, strict=True)
    }
    frame = pd.DataFrame(made)
    frame.attrs["columns"] = {each.name: each.says for each in columns}
    return frame
