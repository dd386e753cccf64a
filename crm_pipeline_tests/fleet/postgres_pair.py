"""A primary and its standby by streaming replication, out of the embedded PostgreSQL's programs."""

import os
import subprocess
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from crm_pipeline.database.embedded import EmbeddedPostgres, free_port
from crm_pipeline.database.embedded_installation import binary, server_environment, server_user

STANDBY = "standby"

_CONFIGURATION = {
    "wal_level": "replica",
    "max_wal_senders": "8",
    "max_connections": "200",
    "fsync": "off",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
}


class PostgresPair:
    """Two servers below a folder; an address names both, and leads to the one that takes writes."""

    def __init__(self, folder: Path) -> None:
        """Starts both; the standby follows by itself, and no commit waits for it.

        Args:
            folder: where they live; PostgreSQL's user can pass through to it.
        """
        self._primary = EmbeddedPostgres(folder / "primary", _CONFIGURATION)
        self._primary_data = folder / "primary" / "server" / "data"
        self._at_primary = self._primary.url("postgres")
        self._data = folder / STANDBY
        self._port = free_port()
        self._data.mkdir(mode=0o700)
        if user := server_user():
            os.chown(self._data, user["user"], user["group"])
        source = self._at_primary.set(drivername="postgresql").update_query_dict(
            {"application_name": STANDBY}
        )
        address = source.render_as_string(hide_password=False)
        _run("pg_basebackup", "-D", str(self._data), "-R", "-c", "fast", "-d", address)
        options = {**_CONFIGURATION, "port": str(self._port)}
        chosen = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        log = str(self._data / "server.log")
        _run("pg_ctl", "-D", str(self._data), "-w", "-l", log, "-o", chosen, "start")

    def url(self, database: str) -> str:
        """Address of a database, wherever it is being written; made when missing."""
        self._primary.url(database)
        address = URL.create(
            "postgresql",
            self._at_primary.username,
            self._at_primary.password,
            database=database,
            query={
                "host": "127.0.0.1,127.0.0.1",
                "port": f"{self._at_primary.port},{self._port}",
                "target_session_attrs": "read-write",
                "sslmode": "disable",
            },
        )
        return address.render_as_string(hide_password=False)

    def commits_wait_for_the_standby(self) -> None:
        """From now on nothing is committed that the standby has not."""
        self._set(self._at_primary, f"synchronous_standby_names = '{STANDBY}'")

    def the_standby_hears_no_more(self) -> None:
        """Ends the replication; the primary goes on."""
        self._set(self._at_primary.set(port=self._port), "primary_conninfo = ''")

    def fails_over(self) -> None:
        """Ends the primary in the middle of all, as a power cut does, and promotes the standby."""
        _run("pg_ctl", "-D", str(self._primary_data), "-m", "immediate", "-w", "stop")
        _run("pg_ctl", "-D", str(self._data), "-w", "promote")

    def close(self) -> None:
        """Stops what runs of both."""
        self._primary.stop()
        _run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")

    def _set(self, server: URL, setting: str) -> None:
        engine = create_engine(server, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"ALTER SYSTEM SET {setting}"))
            connection.execute(text("SELECT pg_reload_conf()"))


def _run(program: str, *arguments: str) -> None:
    """One of PostgreSQL's programs, as PostgreSQL's user; what it starts keeps no pipe of ours."""
    subprocess.run(
        [binary(program), *arguments],
        **server_user(),
        cwd="/",
        env=server_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=True,
    )
