"""Runs the console: from the command line, or within a test process."""

import socket
import threading
import time
from collections.abc import Sequence
from typing import Self
from urllib.parse import urlsplit

import uvicorn
from sqlalchemy import URL, Engine

from crm_pipeline.console.app import PublicAddress, application
from crm_pipeline.console.choosing import ChoiceDesk
from crm_pipeline.console.databases import ConsoleDatabases
from crm_pipeline.console.logins import ConsoleLogin
from crm_pipeline.console.sessions import Sessions
from crm_pipeline.console.under_way import WorkUnderWay
from crm_pipeline.patience import HEAD_BYTES, PatientProtocol

_THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]")


class Console:
    """The console on a port, for the length of a `with` block; port 0 takes a free one."""

    def __init__(
        self,
        login: ConsoleLogin,
        pipeline: Engine,
        desk: ChoiceDesk,
        *,
        standby: URL | None = None,
        public_url: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        sessions: Sessions | None = None,
    ) -> None:
        """Begins to listen.

        Args:
            login: the way to log in.
            pipeline: the primary database.
            desk: knows what other settings come to, and stores them.
            standby: where pages are read from, if not there.
            public_url: the address that browsers know; None: this machine's own.
            host: the address to listen on.
            port: likewise.
            sessions: those that there are already.

        Raises:
            OSError: the port is taken, or not ours to take.
        """
        public = urlsplit(public_url or "")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._databases = ConsoleDatabases(pipeline, standby)
        self._work = WorkUnderWay(self._databases, desk)
        self._socket = socket.create_server((host, port), family=family, backlog=256)
        outside = PublicAddress(_hosts(public.hostname), public.scheme == "https")
        self._server = uvicorn.Server(
            uvicorn.Config(
                application(login, self._databases, self._work, outside, sessions),
                http=PatientProtocol,
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                h11_max_incomplete_event_size=HEAD_BYTES,
                # Whoever is a trusted proxy is told by the connection's own address.
                proxy_headers=False,
                limit_concurrency=200,
                timeout_keep_alive=5,
                timeout_graceful_shutdown=10,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, args=[[self._socket]], name="console", daemon=True
        )

    @property
    def url(self) -> str:
        """The address on this machine, without a slash at the end."""
        host, port = self._socket.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def serve(self) -> None:
        """Serves until the process is stopped; requests under way are answered."""
        self._server.run([self._socket])
        self._end()

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.001)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=15)
        self._socket.close()
        self._end()

    def _end(self) -> None:
        self._work.end()
        self._databases.dispose()


def _hosts(public: str | None) -> Sequence[str]:
    """The names by which the console may be asked: a page elsewhere may not name it otherwise."""
    return [public] if public else _THIS_MACHINE
