"""The small flow's rows in tables of their own, so that they are put back with all else."""

from typing import Any, Literal, cast

from sqlalchemy import Connection, text

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.declaration import Flow
from crm_pipeline_tests.small_flow.badges import Badge, badges_flow

WhenDeleted = Literal["recreate", "leave"]

BADGES_AT_A_TIME = 4
"""Rows of a batch: several batches, hence several commits, a reading."""

_TABLES = """
CREATE SCHEMA badges;
CREATE TABLE badges.badge (
    number int PRIMARY KEY,
    level int NOT NULL DEFAULT 1,
    holder text NOT NULL DEFAULT 'Somebody',
    calls bool NOT NULL DEFAULT false,
    told bool NOT NULL DEFAULT false,
    gone bool NOT NULL DEFAULT false,
    person int,
    at int NOT NULL DEFAULT 0
);
CREATE TABLE badges.line (
    badge int, number int, text text NOT NULL, PRIMARY KEY (badge, number)
);
CREATE TABLE badges.deed (
    deed_id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    badge int NOT NULL,
    deed text NOT NULL,
    holder text,
    at int NOT NULL
)
"""


def make_tables(rows: Connection) -> None:
    """Makes the tables: badges, their lines, and what people did to badges in the org.

    Each row of `deed` bears the `at` that its badge had at the source by then.
    """
    for table in _TABLES.split(";"):
        rows.execute(text(table))


def put(rows: Connection, badge: Badge) -> None:
    """The source has a badge with these lines, and no others, from now on."""
    columns = ("number", "level", "holder", "calls", "told", "gone", "person", "at")
    rows.execute(text("DELETE FROM badges.badge WHERE number = :number"), {"number": badge.number})
    rows.execute(text("DELETE FROM badges.line WHERE badge = :number"), {"number": badge.number})
    rows.execute(
        text(
            f"INSERT INTO badges.badge ({', '.join(columns)})"
            f" VALUES ({', '.join(f':{name}' for name in columns)})"
        ),
        {name: getattr(badge, name) for name in columns},
    )
    for number, said in badge.lines.items():
        rows.execute(
            text("INSERT INTO badges.line VALUES (:badge, :number, :text)"),
            {"badge": badge.number, "number": number, "text": said},
        )


def badges(rows: Connection) -> list[Badge]:
    """The source's badges, by number."""
    lines: dict[int, dict[int, str]] = {}
    for row in rows.execute(text("SELECT * FROM badges.line ORDER BY badge, number")):
        lines.setdefault(row.badge, {})[row.number] = row.text
    found = rows.execute(text("SELECT * FROM badges.badge ORDER BY number"))
    return [Badge(**row._mapping, lines=lines.get(row.number, {})) for row in found]


def flow_of_tables(when_deleted: str) -> Flow[AccountSettings]:
    """The small flow over the tables of the pipeline's database."""
    return badges_flow(
        badges, when_deleted=cast("WhenDeleted", when_deleted), at_a_time=BADGES_AT_A_TIME
    )


GONE = "gone"
"""The note where the source has a badge no more: people's edits may go with it."""


def note_deed(rows: Connection, number: int, deed: str, holder: str | None = None) -> None:
    """Notes what somebody did to a badge in the org: `edited`, `deleted`, `undeleted`, `erased`."""
    rows.execute(
        text(
            "INSERT INTO badges.deed (badge, deed, holder, at)"
            " SELECT number, :deed, :holder, at FROM badges.badge WHERE number = :number"
        ),
        {"number": number, "deed": deed, "holder": holder},
    )


def deeds(rows: Connection) -> dict[int, list[Any]]:
    """People's deeds, by badge, in their order."""
    found: dict[int, list[Any]] = {}
    for row in rows.execute(text("SELECT * FROM badges.deed ORDER BY deed_id")):
        found.setdefault(row.badge, []).append(row)
    return found
