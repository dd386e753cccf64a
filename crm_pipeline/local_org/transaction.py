"""Writes of a request: stamped with user and time, undone on failure, tallied when kept."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from crm_pipeline.local_org import event_bus
from crm_pipeline.local_org.ids import long_id
from crm_pipeline.local_org.open_transactions import OPEN, OpenTransaction, hold, refuse_if_held
from crm_pipeline.local_org.routing import Call
from crm_pipeline.local_org.schema import Row
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.tables import Locker, Table, Write, timestamp, undo

_ALLOW_SAVE = re.compile(r"\ballowSave\s*=\s*true\b", re.IGNORECASE)
Savepoint = int


@dataclass(slots=True)
class WriteContext:
    """Everything written by one request, with the options that its headers gave.

    `allow_duplicates` is `Sforce-Duplicate-Rule-Header: allowSave=true`; `assignment` is
    `Sforce-Auto-Assign` (true: the active rule, false: none, or the id of a rule); `from_csv`
    says that values are texts of a Bulk CSV file; `seeding` lets every field be written, past
    all rules; `locker` stands in for row locks; `sees_all` is false for users of the API, who may
    lack rights, and from whom records may be hidden.
    """

    org: Org
    user_id: str
    allow_duplicates: bool = False
    assignment: bool | str = True
    from_csv: bool = False
    version: str = "59.0"
    seeding: bool = False
    locker: Locker | None = None
    sees_all: bool = True
    now: str = ""
    writes: list[Write] = field(default_factory=list)
    started_at: Savepoint = 0
    """The begin of this call's writes, if others of the same composite stand before them."""
    hold_seconds: float | None = None
    """Seconds that it stays open once all is written; None: it is committed at once."""
    transaction: OpenTransaction | None = None
    """After the commit: the transaction that stays open."""
    others: list[OpenTransaction] = field(default_factory=list)
    """The open transactions of the org: what they write cannot be written here."""

    def __post_init__(self) -> None:
        self.others = OPEN[self.org]
        self.now = timestamp(self.org.now())

    def refuse_if_locked(self, table: Table, row: Row, old: Row | None) -> None:
        """Raises UNABLE_TO_LOCK_ROW as a row's failure if the weather says so; `old`: as it was."""
        if self.locker is not None:
            self.locker(table, row, old)

    def insert(self, table: Table, row: Row) -> str:
        """Stores a new row. Returns its id.

        It gets an id and system fields unless it has them (as a seeded record may).
        """
        record_id: str = row.get("Id") or table.ids.next()
        if self.seeding:
            table.ids.skip(record_id)
        row["Id"] = record_id
        row["IsDeleted"] = False
        created = row.setdefault("CreatedDate", self.now)
        modified = row.setdefault("LastModifiedDate", created)
        row.setdefault("SystemModstamp", modified)
        row.setdefault("CreatedById", self.user_id)
        row.setdefault("LastModifiedById", self.user_id)
        self._put(table, record_id, row)
        self.writes.append(Write(table, record_id, None, "create"))
        return record_id

    def change(
        self, table: Table, row: Row, operation: str = "update", *, stamped: bool = True
    ) -> None:
        """Stores a changed copy of a row, stamped unless the change is another record's."""
        if stamped:
            row["LastModifiedDate"] = row["SystemModstamp"] = self.now
            row["LastModifiedById"] = self.user_id
        before = self._put(table, row["Id"], row)
        self.writes.append(Write(table, row["Id"], before, operation))

    def _put(self, table: Table, record_id: str, row: Row) -> Row | None:
        if self.others:
            refuse_if_held(self.others, table, record_id, row)
        return table.put(record_id, row)

    def erase(self, table: Table, record_id: str) -> None:
        """Removes a row for good: not even queryAll sees it."""
        refuse_if_held(self.others, table, record_id, None)
        before = table.rows[record_id]
        table.drop(record_id)
        self.writes.append(Write(table, record_id, before, "erase"))

    def savepoint(self) -> Savepoint:
        """A place to roll back to."""
        return len(self.writes)

    def rollback(self, savepoint: Savepoint = 0) -> None:
        """Undoes everything written since; ids that were handed out stay used."""
        undo(self.writes, savepoint)

    def commit(self) -> None:
        """Keeps what was written, in sight of everybody unless the transaction stays open."""
        if self.hold_seconds is not None and self.writes:
            self.transaction = hold(self.org, self.writes, self.now, self.hold_seconds)
        else:
            event_bus.commit(self.org, self.writes)
            self.writes.clear()


@contextmanager
def committed(context: WriteContext, *, alone: bool = True) -> Iterator[WriteContext]:
    """Keeps what the block wrote, or nothing of it if it raises.

    Unless it stands `alone`, it is left to others to keep or undo it with what they wrote.
    """
    try:
        yield context
    except BaseException:
        context.rollback(context.started_at)
        raise
    if alone:
        context.commit()


@contextmanager
def writing(org: Org, call: Call) -> Iterator[WriteContext]:
    """The call's write context; what is written in it is kept unless the block raises.

    A call inside a composite only adds to what the composite will keep or undo. `call` learns of
    the transaction that the weather holds open.
    """
    duplicates = call.headers.get("sforce-duplicate-rule-header", "")
    auto_assign = call.headers.get("sforce-auto-assign", "TRUE").strip()
    context = WriteContext(
        org=org,
        user_id=call.user_id,
        allow_duplicates=bool(_ALLOW_SAVE.search(duplicates)),
        assignment=long_id(auto_assign) or auto_assign.upper() != "FALSE",
        locker=call.locker,
        sees_all=False,
        version=call.version,
    )
    if call.writes is not None:
        context.writes = call.writes
        context.started_at = context.savepoint()
    with committed(context, alone=call.writes is None):
        yield context
        context.hold_seconds = call.hold_seconds
    call.transaction = context.transaction
