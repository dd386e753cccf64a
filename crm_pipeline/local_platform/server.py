"""Runs the platform: from the command line, or within a test process."""

import socket
import threading
import time
from typing import Self

import uvicorn

from crm_pipeline.local_platform.app import application
from crm_pipeline.local_platform.inbox import Inbox


class LocalPlatformServer:
    """A platform on a port of this machine, for the length of a `with` block; 0 takes a free one.

    Attributes:
        inbox: what it was told, to look into or to change between requests.
    """

    def __init__(self, secret: str, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.inbox = Inbox()
        self._socket = socket.create_server((host, port))
        config = uvicorn.Config(
            application(self.inbox, secret),
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=[[self._socket]], name="local-platform", daemon=True
        )

    @property
    def url(self) -> str:
        """The address of its page, without a slash at the end; messages go to `/messages`."""
        host, port = self._socket.getsockname()[:2]
        return f"http://{host}:{port}"

    def serve(self) -> None:
        """Serves until the process is stopped."""
        self._server.run([self._socket])

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.001)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=5)
        self._socket.close()
