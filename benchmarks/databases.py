"""PostgreSQL for the benchmarks: one embedded server, and a fresh database for each measurement."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from benchmarks import job
from crm_pipeline.database.embedded import EmbeddedPostgres
from crm_pipeline.database.migrations import migrate

COLUMNS = {
    "client": "client_id name",
    "event": "event_id client_id name starts_at ends_at shipped_at",
    "event_session": "event_session_id event_id client_id title starts_at ends_at shipped_at",
    "person": "person_id client_id email first_name surname title job_title company_name "
    "address_1 address_2 address_3 city county postal_code country_code phone_1 shipped_at",
    "registration": "registration_id client_id event_session_id person_id status source "
    "registered_at shipped_at",
    "attendance": "attendance_id client_id event_session_id person_id attended_at "
    "minutes_attended shipped_at",
}
"""Rows to be written, by table of the schema `warehouse`."""

_AGE = timedelta(hours=1)

_LEDGER = Path(__file__).with_name("sql") / "ledger"


class Databases:
    """The benchmarks' server; `close` it at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = EmbeddedPostgres(folder)

    def url(self, name: str) -> str:
        """Address of a database, which is made when missing; carries the password."""
        return self._server.url(name).render_as_string(hide_password=False)

    def cpu_seconds(self) -> float:
        """The CPU seconds of the server's processes since it started."""
        pid_file = self._folder / "server" / "data" / "postmaster.pid"
        server = psutil.Process(int(pid_file.read_text(encoding="ascii").split()[0]))
        computed = 0.0
        for backend in server.children():
            with suppress(psutil.NoSuchProcess):  # ended meanwhile: the server has its seconds
                computed += sum(backend.cpu_times()[:2])
        return computed + sum(server.cpu_times()[:4])

    def close(self) -> None:
        """Leaves the server, which stops when nobody else uses it."""
        self._server.leave()

    def create(self, name: str) -> str:
        """Makes an empty database with the pipeline's and the warehouse's tables."""
        self.drop(name)
        url = self.url(name)
        engine = create_engine(url, poolclass=NullPool)
        migrate(engine, "crm")
        migrate(engine, "warehouse")
        return url

    @contextmanager
    def copy_of(self, template: str, name: str) -> Iterator[str]:
        """A copy of a database that nobody is connected to, for as long as the block takes."""
        self.drop(name)
        self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)
        try:
            yield self.url(name)
        finally:
            self.drop(name)

    def drop(self, name: str) -> None:
        """Drops a database if it is there."""
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _execute(self, command: str, *names: str) -> None:
        identifiers = [sql.Identifier(name) for name in names]
        with connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(command).format(*identifiers))


def connect(url: str, *, autocommit: bool = False) -> psycopg.Connection[Any]:
    """A plain connection to a database of these."""
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=autocommit)


def fill(url: str, rows: int) -> None:
    """Writes the job's people and registrations into an empty warehouse."""
    now = datetime.now(UTC)
    first = now - _AGE - 2 * job.shipping_time(rows)
    event = (job.EVENT_ID, job.CLIENT, "Benchmark", first, now, first)
    starts = job.registered_at(0)
    session = (job.SESSION_ID, job.EVENT_ID, job.CLIENT, "Benchmark", starts, now, first)
    with connect(url) as connection:
        copy(connection, "client", [(job.CLIENT, "Benchmark")])
        copy(connection, "event", [event])
        copy(connection, "event_session", [session])
        copy(connection, "person", job.people(rows, first))
        copy(connection, "registration", job.registrations(rows, first))
    settle(url)


def fill_attendances(url: str, rows: int) -> None:
    """Writes an attendance of each person, shipped after all registrations."""
    first = datetime.now(UTC) - _AGE - job.shipping_time(rows)
    with connect(url) as connection:
        copy(connection, "attendance", job.attendances(rows, first))
    settle(url)


def fill_ledger(url: str, account_id: str, operations: int) -> None:
    """Writes what former cycles of ten accounts, one of them this, have left: two for a person."""
    with connect(url) as connection:
        for file in sorted(_LEDGER.glob("*.sql")):
            values = {"account": account_id, "people": operations // 2}
            connection.execute(file.read_bytes(), values)
    settle(url)


def settle(url: str) -> None:
    """Brings the planner's statistics up to date, as autovacuum does in time."""
    with connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def copy(connection: psycopg.Connection[Any], table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Writes rows, in the order of `COLUMNS`, into a table of the warehouse."""
    columns = [sql.Identifier(column) for column in COLUMNS[table].split()]
    command = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier("warehouse", table), sql.SQL(", ").join(columns)
    )
    with connection.cursor() as cursor, cursor.copy(command) as target:
        for row in rows:
            target.write_row(row)
