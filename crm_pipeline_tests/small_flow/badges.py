"""A small flow for tests: badges with lines, each line about a badge; and calls as events.

It declares all that a flow can declare of records: an object with a key of ours, a child set, a
reference to another record, a record that is left where people delete it, an event without a key.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal
from zlib import crc32

from sqlalchemy import Connection

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.database.engines import engine
from crm_pipeline.declaration import (
    Batch,
    Flow,
    Noticed,
    Outside,
    Reading,
    Topic,
    Watched,
)
from crm_pipeline.ledger.messages import MessageWant
from crm_pipeline.ledger.people import people_of
from crm_pipeline.ledger.positions import Position
from crm_pipeline.ledger.records import ChildSet, RecordWant, Target
from crm_pipeline.sources.extracts import UNFINISHED
from crm_pipeline.sources.shipped import NEVER
from crm_pipeline.sources.source import Asked, Chunk, Start

OBJECTS: Mapping[str, Any] = {
    "Badge__c": {
        "fields": {
            "Badge_Key__c": {"type": "string", "external_id": True, "unique": True},
            "Level__c": {"type": "double", "scale": 0},
            "Holder__c": {"type": "string", "length": 40},
            "Lead__c": {"reference_to": "Lead", "child_relationship_name": "Badges"},
            "Contact__c": {"reference_to": "Contact", "child_relationship_name": "Badges"},
        }
    },
    "Line__c": {
        "fields": {
            "Line_Key__c": {"type": "string", "external_id": True, "unique": True},
            "Badge__c": {"reference_to": "Badge__c", "child_relationship_name": "Lines"},
            "Text__c": {"type": "string", "length": 20},
        }
    },
    "Call__e": {"fields": {"Badge__c": {"type": "string"}}},
}
"""The objects of the flow, as an org's file has them."""

MASTERED: Mapping[str, Any] = {
    **OBJECTS,
    "Line__c": {
        "fields": {
            **OBJECTS["Line__c"]["fields"],
            "Badge__c": {
                "type": "master_detail",
                "reference_to": "Badge__c",
                "child_relationship_name": "Lines",
            },
        }
    },
}
"""The same, with lines that are deleted with their badge, and may not be given another one."""

PERSON_FIELDS = ("Lead__c", "Contact__c")

TOPICS = frozenset(("badges", "badge_lines", "badge_calls", "badge_levels", "badge_edits"))
"""The names of its topics."""


@dataclass(frozen=True, slots=True)
class Badge:
    """A badge, its level, and the texts of its lines by number.

    Its lines belong to the badge `lines_of` where that is given; its record has the key of the
    badge `twin_of`, which no two should share. `person` is the platform's id of whom it belongs
    to; the Lead or Contact of that person stands in its field.
    """

    number: int
    level: int = 1
    holder: str = "Somebody"
    lines: Mapping[int, str] = field(default_factory=dict)
    calls: bool = False
    told: bool = False
    gone: bool = False
    at: int = 0
    lines_of: int | None = None
    twin_of: int | None = None
    person: int | None = None
    call: str | None = None


def as_of(badge: Badge) -> datetime:
    """The moment at which a badge became so."""
    return datetime(2026, 1, 1, 0, badge.at, tzinfo=UTC)


def wants(
    badge: Badge, people: Mapping[str, int] | None = None
) -> list[RecordWant | ChildSet | MessageWant]:
    """The wants of a badge; `people` are the numbers of those whom the account knows."""
    key, said_at = f"badge:{badge.number}", as_of(badge)
    target = Target("Badge__c", ("Badge_Key__c", str(badge.twin_of or badge.number)))
    if badge.gone:
        return [
            ChildSet(key, "badge_lines", frozenset(), said_at),
            RecordWant(key, "badges", said_at, target, None),
        ]
    person = (people or {}).get(str(badge.person))
    belongs_to = {} if person is None else dict.fromkeys(PERSON_FIELDS, f"person:{person}")
    lines = {f"line:{badge.number}:{n}": text for n, text in badge.lines.items()}
    found: list[RecordWant | ChildSet | MessageWant] = [
        RecordWant(
            key,
            "badges",
            said_at,
            target,
            {"Level__c": badge.level, "Holder__c": badge.holder},
            refs=belongs_to,
        ),
        *(
            RecordWant(
                each,
                "badge_lines",
                said_at,
                Target("Line__c", ("Line_Key__c", each.partition(":")[2])),
                {"Text__c": text},
                refs={"Badge__c": f"badge:{badge.lines_of or badge.number}"},
                parent=key,
                attempts=30,
            )
            for each, text in lines.items()
        ),
        ChildSet(key, "badge_lines", frozenset(lines), said_at),
    ]
    if badge.calls:
        call = {"Badge__c": badge.call or str(badge.number)}
        target = Target("Call__e")
        found.append(RecordWant(f"call:{badge.number}", "badge_calls", said_at, target, call))
    if badge.told:
        body = {"level": badge.level}
        found.append(MessageWant("badge_levels", key, said_at, body))
    return found


WATCHED = (
    Watched("Badge__c", ("Holder__c", "Level__c", "IsDeleted"), context=("Badge_Key__c",)),
    Watched("Lead", ("Email", "IsDeleted"), held_only=False),
)


def edited(noticed: Sequence[Noticed], _: AccountSettings) -> list[MessageWant]:
    """Messages about people's edits of badges, and the addresses of leads."""
    return [
        MessageWant(
            "badge_edits",
            each.natural_key or each.record["Id"],
            datetime.fromisoformat(each.record["SystemModstamp"]),
            {name: each.record[name] for name in ("Holder__c", "Email") if name in each.record}
            | {"gone": each.record["IsDeleted"], "changed": sorted(each.changed)},
        )
        for each in noticed
    ]


@dataclass(frozen=True, slots=True, eq=False)
class BadgeRows:
    """The source: these rows, or those that are there when it is read."""

    rows: Sequence[Badge] | Callable[[Connection], Sequence[Badge]]
    at_a_time: int
    name: str = "badges"
    start: Start = Start.OF_OTHERS

    def read(self, reading: Connection, position: Position | None) -> Iterator[Chunk[Badge]]:
        """All rows, whatever was read of them before."""
        there = self._there(reading)
        begun = _position(UNFINISHED)
        for start in range(0, len(there), self.at_a_time):
            yield Chunk(there[start : start + self.at_a_time], begun)
        yield Chunk((), _position(len(there), there))

    def news(self, asked: Sequence[Asked]) -> frozenset[str]:
        """All accounts that have not read these rows."""
        with engine("pipeline").connect() as connection:
            there = self._there(connection)
        now = _position(len(there), there)
        read = {None, now} if not there else {now}
        return frozenset(each.account_id for each in asked if each.position not in read)

    def unread_since(self, asked: Sequence[Asked]) -> dict[str, datetime]:
        """The time of the oldest row, for all accounts that have not read these rows."""
        with engine("pipeline").connect() as connection:
            oldest = min((as_of(badge) for badge in self._there(connection)), default=NEVER)
        return dict.fromkeys(self.news(asked), oldest)

    def _there(self, connection: Connection) -> Sequence[Badge]:
        return self.rows(connection) if callable(self.rows) else self.rows


def _position(number: int, rows: Sequence[Badge] = ()) -> Position:
    return Position("badges", NEVER, NEVER, number, Decimal(crc32(repr(rows).encode())))


def badges_flow(
    rows: Sequence[Badge] | Callable[[Connection], Sequence[Badge]],
    *,
    when_deleted: Literal["recreate", "leave"] = "recreate",
    at_a_time: int = 10_000,
    watches: Sequence[Watched] = WATCHED,
) -> Flow[AccountSettings]:
    """The flow, with these rows at its source, or those that are there when it reads."""

    source = BadgeRows(rows, at_a_time)

    def read(reading: Reading[AccountSettings]) -> Generator[Batch]:
        for chunk in source.read(reading.ledger, None):
            ids = [str(badge.person) for badge in chunk.rows if badge.person is not None]
            people = people_of(reading.ledger, reading.account.account_id, ids)
            found = [want for badge in chunk.rows for want in wants(badge, people)]
            yield Batch(source.name, len(chunk.rows), (), chunk.position, wants=found)

    names = {"badges": "Badge__c", "badge_lines": "Line__c", "badge_calls": "Call__e"}
    topics = tuple(
        Topic(
            name,
            "For tests.",
            "badges",
            "salesforce",
            (),
            reads=("badges",),
            records=True,
            sends=("record",),
            when_deleted=when_deleted,
            publishes=name == "badge_calls",
        )
        for name in names
    )
    told = Topic(
        "badge_levels",
        "For tests.",
        "badges",
        "python",
        (),
        reads=("badges",),
        records=True,
        sends=("message",),
    )
    edits = Topic(
        "badge_edits",
        "For tests.",
        "badges",
        "salesforce",
        (),
        reads_back=True,
        sends=("message",),
    )
    objects = tuple(
        Outside(f"salesforce/{sobject}", "For tests.", "salesforce", (name,))
        for name, sobject in names.items()
    )
    return Flow(
        "badges",
        lambda account: account,
        (*topics, told, edits),
        (source,),
        objects,
        (),
        read,
        watches=lambda _: watches,
        notice=edited,
    )
