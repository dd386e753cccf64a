"""A PostgreSQL server of one's own that is killed, or whose disk is full."""

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import psutil
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from crm_pipeline_tests.databases import make_migrated, server_in

LARGEST_FILE = 16 * 1024 * 1024
"""No file of the server grows beyond this. It is the size of a segment of PostgreSQL's log, without
which no server lives."""

FULL = "SQLSTATE XX000"
"""The words for a file that may not grow; of a disk that is full it is 53100, and in words."""

_FILLER = """
INSERT INTO crm.operation (
    account_id, flow, kind, natural_key, version, as_of, content_hash, intent, state
)
SELECT 'filler', 'webinars', 'activity', gen_random_uuid(), 1, now(), '',
    jsonb_build_object('text', repeat('x', :length)), 'done'
FROM generate_series(1, :rows)
"""


class TroubledPostgres:
    """A server below a folder. A disk that is full is a limit on the size of its files.

    To the server that is a write that fails, as on a full disk, but for the error's number.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.server = server_in(folder)
        self._start()
        make_migrated(self.server, folder)

    def is_killed_and_started(self) -> None:
        """kill -9 of the postmaster; then it is started again, as its next user does."""
        self._kill()
        self._start()

    def moves_to_a_large_disk(self) -> None:
        """Starts the server anew without the limit, so that databases can be dropped."""
        self._kill()
        self.server.url("postgres")

    def _kill(self) -> None:
        pid_file = self._folder / "server" / "data" / "postmaster.pid"
        postmaster = psutil.Process(int(pid_file.read_text(encoding="utf-8").splitlines()[0]))
        postmaster.send_signal(signal.SIGKILL)
        postmaster.wait(timeout=10)

    def disk_fills_up(self, engine: Engine) -> None:
        """Fills the ledger's table until it cannot grow: with rows that are nobody's.

        Many rows at once come first: those that do not fit take up their room all the same.
        """
        _vacuum(engine)
        for length, rows in product((1_700, 700, 1), (1_000, 50, 1)):
            with engine.connect() as connection:
                try:
                    while True:
                        connection.execute(text(_FILLER), {"rows": rows, "length": length})
                        connection.commit()
                except DBAPIError as full:
                    if FULL not in str(full.orig):
                        raise

    def disk_has_room(self, engine: Engine) -> None:
        """Ends `disk_fills_up`."""
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM crm.operation WHERE account_id = 'filler'"))
        _vacuum(engine)

    def close(self) -> None:
        """Stops the server for good."""
        self.server.stop()

    def _start(self) -> None:
        with _largest_file(LARGEST_FILE):
            self.server.url("postgres")


def _vacuum(engine: Engine) -> None:
    with engine.connect() as connection:
        autocommit = connection.execution_options(isolation_level="AUTOCOMMIT")
        autocommit.execute(text("VACUUM crm.operation"))


@contextmanager
def _largest_file(size: int) -> Iterator[None]:
    """Processes that are started meanwhile cannot write larger files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
