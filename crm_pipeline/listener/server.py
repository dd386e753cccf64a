"""Runs the listener: from the command line, or within a test process."""

import socket
import threading
import time
from typing import Self

import uvicorn
from sqlalchemy import Engine

from crm_pipeline.listener.app import application
from crm_pipeline.listener.connections import own_connections
from crm_pipeline.patience import HEAD_BYTES, PatientProtocol

MOST_CONNECTIONS = 2_000
"""Open ones: of those that say nothing each costs a few kilobytes for `HEAD_SECONDS`."""


class Listener:
    """The listener on a port, for the length of a `with` block; port 0 takes a free one."""

    def __init__(self, database: Engine, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Begins to listen.

        Raises:
            OSError: the port is taken, or not ours to take.
        """
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._database = own_connections(database)
        self._socket = socket.create_server((host, port), family=family, backlog=1024)
        self._server = uvicorn.Server(
            uvicorn.Config(
                application(self._database),
                http=PatientProtocol,
                ws="none",
                lifespan="off",
                # It would write the whole query: keys and addresses of people.
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
                h11_max_incomplete_event_size=HEAD_BYTES,
                limit_concurrency=MOST_CONNECTIONS,
                timeout_keep_alive=5,
                timeout_graceful_shutdown=10,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, args=[[self._socket]], name="listener", daemon=True
        )

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        host, port = self._socket.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def serve(self) -> None:
        """Serves until the process is stopped; requests under way are answered."""
        self._server.run([self._socket])
        self._database.dispose()

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.001)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=15)
        self._socket.close()
        self._database.dispose()
