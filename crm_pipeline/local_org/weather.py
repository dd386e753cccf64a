"""Bad weather: faults that are asked for precisely, row locks, maintenance, latency.

A fault names a kind of call and an action. Kinds stand in the tables `ROUTES`: `create`, `update`,
`upsert`, `delete`, `read`, `describe`, `query`, `limits`, `collections.create`, `composite`,
`bulk2.create_job`, `login` ..., or a pattern such as `collections.*`. The actions:

- `reset_before`, `reset_after`: cut the line, before or after the work is committed
- `html_503`, `html_503_after`: 503 with an HTML page, before or after the commit
- `hang`, `hang_after`: wait `seconds`, then work and answer; or work, wait and answer; what hangs
  goes on at once when the faults are deleted
- `slow`: answer drop by drop within `seconds`
- `error`: answer with `status`, `code` and `message` instead of working
- `truncate`: work, but answer half of the body; `wrong_length`: and say it were the whole
- `expire_session`: revoke the caller's session before the call
- `hold`: work, but hold the transaction open for `seconds`: its records are stamped and locked, and
  seen (and the call is answered) when it ends
- `lock`: `rows` of the call (from 1; none given: all, or at random) fail with UNABLE_TO_LOCK_ROW

`nth: 3` fires at the third call of the kind, `times` says for how many; without `nth` it fires
from the first call on; `probability` draws each call (for `lock`: each row) with a `seed`.
The calls inside a composite count as calls of their kind.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import Literal

from crm_pipeline.exceptions import PicklableError
from crm_pipeline.local_org.config import Fault
from crm_pipeline.local_org.errors import refuse
from crm_pipeline.local_org.schema import Field, Row
from crm_pipeline.local_org.tables import Locker, Table

BEFORE = frozenset({"reset_before", "html_503"})
AFTER = frozenset(
    {"reset_after", "html_503_after", "hang_after", "slow", "truncate", "wrong_length"}
)
_NEVER_LOCKED = frozenset({"User", "RecordType"})
Maintenance = Literal["none", "down", "read_only"]


class Interrupted(PicklableError):  # noqa: N818 - it carries weather
    """A fault inside a composite that keeps all of it from being done."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.action)
        self.fault = fault


@dataclass(slots=True)
class ActiveFault:
    """A fault and how often it was looked at and fired."""

    fault: Fault
    random: Random
    seen: int = 0
    fired: int = 0

    def fires(self, kind: str) -> bool:
        """Returns whether it strikes this call."""
        fault = self.fault
        if not fnmatchcase(kind, fault.kind):
            return False
        self.seen += 1
        first = fault.nth or 1
        times = fault.times or (1 if fault.nth else None)
        if self.seen < first or (times is not None and self.fired >= times):
            return False
        draws = fault.probability is not None and fault.action != "lock"
        if draws and self.random.random() >= (fault.probability or 0.0):
            return False
        self.fired += 1
        return True


@dataclass(slots=True)
class Weather:
    """The present weather of one org."""

    faults: list[ActiveFault] = field(default_factory=list)
    maintenance: Maintenance = "none"
    latency_seconds: float = 0.0
    lock_parents: bool = False
    emptied_lookups_lock: bool = False
    held: dict[str, int] = field(default_factory=dict)
    """Records locked by rows being written: id to the number of the call that holds it."""
    hanging: set[asyncio.Event] = field(default_factory=set)
    """What each call that hangs waits for; of the server's loop."""

    def add(self, fault: Fault) -> None:
        """Expects a fault from now on."""
        self.faults.append(ActiveFault(fault, Random(fault.seed)))  # noqa: S311 - reproducible

    def clear(self) -> None:
        """Expects no fault any more, and lets go on what hangs; within the server's loop."""
        self.faults.clear()
        for each in self.hanging:
            each.set()

    async def hang(self, seconds: float) -> None:
        """Waits so long, or until the weather is cleared."""
        cleared = asyncio.Event()
        self.hanging.add(cleared)
        with suppress(TimeoutError):
            await asyncio.wait_for(cleared.wait(), seconds)
        self.hanging.remove(cleared)

    def take(self, kind: str) -> ActiveFault | None:
        """The fault that strikes this call, if any; all that watch the kind count it."""
        struck = [each for each in self.faults if each.fires(kind)]
        return struck[0] if struck else None

    def locker(self, call_number: int, struck: ActiveFault | None) -> Locker | None:
        """Returns the locker that refuses rows of a call, or None in good weather."""
        locks = struck if struck and struck.fault.action == "lock" else None
        if locks is None and not self.lock_parents and self.maintenance == "none":
            return None
        count = 0

        def refuse_if_locked(table: Table, row: Row, old: Row | None) -> None:
            nonlocal count
            count += 1
            if self.maintenance == "read_only":
                raise refuse(
                    "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE",
                    "You can't create, update, or delete records while Salesforce maintenance "
                    "is in progress.",
                )
            if locks is not None and _locks_row(locks, count):
                raise _unable_to_lock(next(iter(self._locked(table, row, old)), ""))
            if self.lock_parents:
                self._hold(call_number, self._locked(table, row, old))

        return refuse_if_locked

    def _locked(self, table: Table, row: Row, old: Row | None) -> list[str]:
        """The records that a write locks: its own, and those that it leads to, but no users.

        By Salesforce's Record Locking Cheat Sheet: masters always; what other fields lead to where
        they are new, or lead there since. A lookup that is emptied where its record is deleted does
        not lock that one, unless `emptied_lookups_lock`. Of standard fields each write locks all.
        """
        own = [row["Id"]] if old is not None else []
        return own + [
            row[each.name]
            for each in table.type.fields.values()
            if each.is_reference
            and row.get(each.name)
            and not _NEVER_LOCKED.intersection(each.reference_to)
            and self._locks(each, row, old)
        ]

    def _locks(self, field: Field, row: Row, old: Row | None) -> bool:
        if field.is_master_detail or not field.custom:
            return True
        if old is not None and old.get(field.name) == row[field.name]:
            return False
        stays = field.restricted_delete or field.child_cascade_delete
        return stays or self.emptied_lookups_lock

    def _hold(self, call_number: int, records: list[str]) -> None:
        for record in records:
            if self.held.get(record, call_number) != call_number:
                raise _unable_to_lock(record)
        self.held.update(dict.fromkeys(records, call_number))

    def release(self, call_number: int) -> None:
        """Frees the records that a call held: its answer is out."""
        if self.held:
            self.held = {key: by for key, by in self.held.items() if by != call_number}


def _locks_row(struck: ActiveFault, number: int) -> bool:
    fault = struck.fault
    if fault.rows is not None:
        return number in fault.rows
    return fault.probability is None or struck.random.random() < fault.probability


def _unable_to_lock(record_id: str) -> Exception:
    return refuse(
        "UNABLE_TO_LOCK_ROW",
        f"unable to obtain exclusive access to this record or 1 records: {record_id}",
    )
