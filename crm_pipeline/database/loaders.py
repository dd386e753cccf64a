"""Reading PostgreSQL's values so that no single one of them can end the reading.

Python's times have no year above 9999 or below 1, and no infinity; such a time comes as
PostgreSQL's text, for the caller to judge. So does every value of a type that a field of
Salesforce has no like of (interval, inet, ranges, bytea, …): nobody writes it better.
"""

from datetime import datetime
from typing import Any

import psycopg
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import AdaptersMap, Loader
from psycopg.types import TypeInfo
from psycopg.types.string import TextLoader

from crm_pipeline.database.sessions import plain
from crm_pipeline.text import JsonText

_AS_PYTHON_HAS_THEM = frozenset(
    (
        *("text", "varchar", "bpchar", "name", "char", "unknown"),
        *("int2", "int4", "int8", "float4", "float8", "numeric", "bool"),
        *("date", "timestamp", "timestamptz", "json", "jsonb"),
    )
)
"""Types that keep psycopg's loader, or have one here; all others are read as text."""


def reading_adapters() -> AdaptersMap:
    """The adapters of psycopg, with loaders that never raise."""
    chosen = AdaptersMap(psycopg.adapters)
    for info in psycopg.adapters.types:
        if info.name not in _AS_PYTHON_HAS_THEM:
            chosen.register_loader(info.oid, TextLoader)
    for kind, loader in _LOADERS.items():
        chosen.register_loader(kind, loader)
    return chosen


def take_arrays_apart(connection: psycopg.Connection[Any], _record: object) -> None:
    """Has arrays of types that the database's people made read as lists, like all others.

    Args:
        connection: one that was just made, and whose session has begun.
    """
    for name, oid, array_oid, delimiter in connection.execute(plain("sessions/own_types")):
        TypeInfo(name, oid, array_oid, delimiter=delimiter).register(connection)
    connection.rollback()


class _Careful(Loader):
    """Gives the text where psycopg's own loader finds nothing that Python has."""

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        # The C implementation's, where there is one: forty times as fast.
        usual = psycopg.adapters.get_loader(oid, psycopg.pq.Format.TEXT)
        if usual is None:
            raise TypeError(f"psycopg has no loader for type {oid}")
        self._load = usual(oid, context).load

    def load(self, data: Buffer) -> Any:
        try:
            return self._load(data)
        except (psycopg.DataError, ValueError, OverflowError):
            return bytes(data).decode()


class _Timestamp(_Careful):
    """Adds the session's zone: of a warehouse, the one that its times without a zone are in."""

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        self._zone = self.connection.info.timezone if self.connection else None

    def load(self, data: Buffer) -> Any:
        read = super().load(data)
        return read.replace(tzinfo=self._zone) if isinstance(read, datetime) else read


class _Json(Loader):
    def load(self, data: Buffer) -> JsonText:
        return JsonText(bytes(data).decode())


_LOADERS: dict[str, type[Loader]] = {
    "date": _Careful,
    "timestamp": _Timestamp,
    "timestamptz": _Careful,
    "json": _Json,
    "jsonb": _Json,
}
