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
from crm_pipeline.inbound.tombstones import Tombstones, addresses_in, hasher_of

_AT_A_TIME = 1_000


class Leftover(NamedTuple):
    """A column that has the address of somebody whom an account has erased."""

    account_id: str
    place: str


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
    to another account as well, is not counted.

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
        elsewhere: dict[tuple[str, str], set[str]] = {}
        found: set[Leftover] = set()
        for database in (pipeline, *others) if accounts else ():
            for place, account_id, address in _addresses(database):
                if account_id is not None:
                    if account_id in erased and erased[account_id].hold(address):
                        found.add(Leftover(account_id, place))
                    continue
                for each in accounts:
                    if erased[each].hold(address):
                        elsewhere.setdefault((each, place), set()).add(address)
        found |= {
            Leftover(*where)
            for where, addresses in elsewhere.items()
            if addresses - _known(connection, addresses)
        }
    with pipeline.begin() as connection:
        rows = orjson.dumps([each._asdict() for each in found]).decode()
        connection.execute(statement("scan/note"), {"account_ids": accounts, "found": rows})
    return sorted(found)


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
