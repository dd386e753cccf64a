"""Scans of everything that the databases store: the proof of an erasure.

One looks for a text that somebody knows. The other knows hashes only: it looks at every address
that is stored, and tells where one belongs to somebody who was erased.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, Engine

from crm_pipeline.accounts.store import get_account
from crm_pipeline.database.statements import statement
from crm_pipeline.inbound.erasing import pattern_of
from crm_pipeline.inbound.tombstones import Tombstones, addresses_in, hasher_of

_AT_A_TIME = 1_000


class Leftover(NamedTuple):
    """A column that has the address of somebody whom an account has erased."""

    account_id: str
    place: str


def is_empty(database: Engine) -> bool:
    """Returns whether there is nothing to look at, so that a scan would prove nothing."""
    with database.connect() as connection:
        return connection.execute(statement("scan/columns")).first() is None


def places_of(database: Engine, text: str) -> Iterator[tuple[str, int]]:
    """Yields the columns that have a text in them, in any case, with how many rows.

    Every column that can hold text, of every table but those of the warehouse, and the samples
    of the planner's statistics. Reads all of it: minutes where there is much.

    Args:
        database: which.
        text: such as an address.
    """
    with database.connect() as connection:
        columns = connection.execute(statement("scan/columns")).all()
        for row in columns:
            number = connection.exec_driver_sql(row.command, {"text": text}).scalar_one()
            if number:
                yield row.place, number
        if number := connection.scalar(statement("scan/statistics"), {"text": text}):
            yield "pg_stats", number
        for command in connection.scalars(statement("scan/statements")):
            number = connection.exec_driver_sql(command, {"text": text}).scalar_one()
            if number:
                yield "pg_stat_statements", number


def scan_for_erased(pipeline: Engine, others: Sequence[Engine]) -> list[Leftover]:
    """Looks at every address in the databases for people who were erased, and notes what it found.

    Reads all of them: minutes where there is much. Whoever is being removed meanwhile, or belongs
    to another account as well, is not counted. Texts of others that named them long ago, which no
    removal looks through, lose the address.

    Args:
        pipeline: the pipeline's database.
        others: further ones.

    Returns:
        What was found, each column once for an account.

    Raises:
        AccountError: the key of hashes cannot be opened.
    """
    with pipeline.connect() as connection:
        accounts = list(connection.scalars(statement("scan/accounts")))
        erased = {each: _erased(connection, each) for each in accounts}
    found = _look(pipeline, others, erased)
    if _take_out_of_texts(pipeline, found):
        found = _look(pipeline, others, erased)
    with pipeline.begin() as connection:
        rows = orjson.dumps([each._asdict() for each in found]).decode()
        connection.execute(statement("scan/note"), {"account_ids": accounts, "found": rows})
    return sorted(found)


def _look(
    pipeline: Engine, others: Sequence[Engine], erased: Mapping[str, Tombstones]
) -> dict[Leftover, set[str]]:
    """Returns the columns that have somebody who was erased, each with their addresses."""
    found: dict[Leftover, set[str]] = {}
    elsewhere: dict[Leftover, set[str]] = {}
    for database in (pipeline, *others) if erased else ():
        for place, account_id, address in _addresses(database):
            for each in erased if account_id is None else erased.keys() & {account_id}:
                if erased[each].hold(address):
                    where = elsewhere if account_id is None else found
                    where.setdefault(Leftover(each, place), set()).add(address)
    with pipeline.connect() as connection:
        for left, addresses in elsewhere.items():
            if unknown := addresses - _known(connection, addresses):
                found[left] = unknown
    return found


def _take_out_of_texts(pipeline: Engine, found: Mapping[Leftover, Collection[str]]) -> bool:
    """Takes addresses out of operations that are done with; returns whether there were any."""
    named: dict[str, set[str]] = {}
    for left, addresses in found.items():
        if left.place.startswith("crm.operation."):
            named.setdefault(left.account_id, set()).update(addresses)
    with pipeline.begin() as connection:
        for account_id, addresses in named.items():
            what = {"account_id": account_id, "pattern": pattern_of(addresses)}
            connection.execute(statement("scan/take_texts"), what)
    return bool(named)


def _erased(connection: Connection, account_id: str) -> Tombstones:
    whose: Mapping[str, str] = {"account_id": account_id}
    digests = connection.scalars(statement("scan/erased"), whose)
    hasher = hasher_of(connection, get_account(connection, account_id))
    return Tombstones(hasher, frozenset(map(bytes, digests)))


def _addresses(database: Engine) -> Iterator[tuple[str, str | None, str]]:
    """Yields each address of a database with its column, and the account where that has one."""
    with database.connect() as connection:
        for column in connection.execute(statement("scan/addresses")).all():
            rows = connection.execution_options(
                no_parameters=True, stream_results=True, max_row_buffer=_AT_A_TIME
            ).exec_driver_sql(column.command)
            for row in rows:
                for address in addresses_in(row.address):
                    yield column.place, row.account_id, address


def _known(connection: Connection, addresses: Collection[str]) -> set[str]:
    parameters = {"addresses": list(addresses)}
    return set(connection.scalars(statement("scan/known_elsewhere"), parameters))
