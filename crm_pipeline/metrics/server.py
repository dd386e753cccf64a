"""Serves the metrics: from the command line, or within a test process."""

import threading
from typing import Self
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server
from sqlalchemy import Engine

from crm_pipeline.metrics.collector import PipelineCollector


class MetricsServer:
    """Metrics on a port of their own; port 0 takes a free one. Serves until `stop`."""

    _server: WSGIServer
    _thread: threading.Thread

    def __init__(
        self,
        database: Engine,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        most_accounts: int = 1_000,
    ) -> None:
        """Begins to serve.

        Raises:
            OSError: the port is taken, or not ours to take.
        """
        registry = CollectorRegistry(auto_describe=False)
        registry.register(PipelineCollector(database, most_accounts))
        self._server, self._thread = start_http_server(port, host, registry)

    @property
    def url(self) -> str:
        """The address of the metrics."""
        host, port = self._server.server_address[:2]
        name = str(host)
        return f"http://{f'[{name}]' if ':' in name else name}:{port}/metrics"

    def wait(self) -> None:
        """Returns when it serves no more."""
        self._thread.join()

    def stop(self) -> None:
        """Ends serving; a scrape that is under way is answered."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
