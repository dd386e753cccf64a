"""Rows of prospects for tests, each shipped just now or at a given time."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from crm_pipeline_tests.flows.webinars.warehouse import CLIENT

_BEGAN = datetime.now(UTC) - timedelta(hours=1)
_ticks = itertools.count()


def now() -> datetime:
    """A time a little later than the one before."""
    return _BEGAN + timedelta(milliseconds=next(_ticks))


def ship(connection: Connection, table: str, key: tuple[str, ...], **columns: Any) -> None:
    """Puts a row into the warehouse, in place of the one with the same key."""
    row = {"client_id": CLIENT, "shipped_at": now(), **columns}
    names = list(row)
    updates = ", ".join(f"{name} = excluded.{name}" for name in names if name not in key)
    connection.execute(
        text(
            f"INSERT INTO warehouse.{table} ({', '.join(names)})"
            f" VALUES ({', '.join(f':{name}' for name in names)})"
            f" ON CONFLICT (client_id, {', '.join(key)}) DO UPDATE SET {updates}"
        ),
        row,
    )


def define_tag(connection: Connection, tag: str, **columns: Any) -> None:
    ship(connection, "tag_definition", ("tag_id",), tag_id=tag, **{"name": tag.title(), **columns})


def define_score(connection: Connection, score: str, **columns: Any) -> None:
    said = {"name": score.title(), "kind": "number", **columns}
    ship(connection, "score_definition", ("score_id",), score_id=score, **said)


def prospect(connection: Connection, prospect_id: str, **columns: Any) -> None:
    """A prospect with an address of its own, unless columns say otherwise."""
    said = {"email": f"{prospect_id}@x.example", "life_cycle": "Active", **columns}
    ship(connection, "prospect", ("prospect_id",), prospect_id=prospect_id, **said)


def tag(connection: Connection, prospect_id: str, tag_id: str, **columns: Any) -> None:
    said = {"prospect_id": prospect_id, "tag_id": tag_id, "times": 1, **columns}
    ship(connection, "prospect_tag", ("prospect_id", "tag_id"), **said)


def score(connection: Connection, prospect_id: str, score_id: str, value: Any, **said: Any) -> None:
    row = {"prospect_id": prospect_id, "score_id": score_id, "value": value, **said}
    ship(connection, "prospect_score", ("prospect_id", "score_id"), **row)


def page(connection: Connection, prospect_id: str, page_id: str, **columns: Any) -> None:
    said = {"prospect_id": prospect_id, "page_id": page_id, "kind": "page visit", **columns}
    ship(connection, "prospect_page", ("page_id",), **said)


def take_away(connection: Connection, table: str, **where: Any) -> None:
    """Removes rows from the warehouse."""
    conditions = " AND ".join(f"{name} = :{name}" for name in where)
    connection.execute(text(f"DELETE FROM warehouse.{table} WHERE {conditions}"), where)
