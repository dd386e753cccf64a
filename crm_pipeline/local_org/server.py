"""Runs the orgs: from the command line, or within a test process."""

from __future__ import annotations

import asyncio
import gc
import socket
import struct
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from crm_pipeline.local_org.app import LocalOrgApp
from crm_pipeline.local_org.config import OrgConfig, OrgConfigError, load
from crm_pipeline.local_org.setup import build_org

if TYPE_CHECKING:
    from crm_pipeline.local_org.store import Org

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

_COLLECT_AFTER = 50_000
"""New objects until Python looks for garbage."""


class _Protocol(HttpToolsProtocol):
    """Lets the application cut the line: weather does, and nothing in ASGI can."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"local_org.cut": self._cut}  # type: ignore[dict-item]

    def _cut(self) -> None:
        connection = self.transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.transport.abort()


class _ServerInThread(uvicorn.Server):
    """Ends as soon as it is told to: uvicorn looks ten times a second, which delays each test."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._told = asyncio.Event()
        await super().startup(sockets)

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self._told.wait()

    def end(self) -> None:
        """Tells it to end; from another thread."""
        self._loop.call_soon_threadsafe(self._told.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answers what is under way for as long as the configuration says."""
        for listening in [*self.servers, *(sockets or ())]:
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            seconds = self.config.timeout_graceful_shutdown
            await asyncio.wait(self.server_state.tasks, timeout=seconds)


def _configured(app: LocalOrgApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise OrgConfigError(f"cannot listen on {host}:{port}: {error.strerror}") from None
    # Accepted connections inherit it (uvloop and asyncio set it too).
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def serve(configs: Sequence[OrgConfig], host: str, port: int) -> None:
    """Serves these orgs until the process is stopped.

    Raises `OrgConfigError` before it starts to serve.
    """
    app = _app(configs)
    listening = _listen(host, port)
    # The records of an org stay; to look through it for garbage again and again takes long.
    gc.set_threshold(_COLLECT_AFTER, 50, 100)
    uvicorn.Server(_configured(app)).run(sockets=[listening])


def _app(configs: Sequence[OrgConfig]) -> LocalOrgApp:
    names = [each.name for each in configs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise OrgConfigError(f"two orgs are named {twice}; names are part of the address")
    return LocalOrgApp(build_org(each) for each in configs)


class LocalOrgServer:
    """The orgs on a free port of this machine, for the length of a `with` block.

    Takes configurations as `OrgConfig`, as mappings of the same keys, or as paths of files.
    """

    def __init__(self, *configs: OrgConfig | Mapping[str, Any] | Path) -> None:
        self._app = _app([each for given in configs for each in _configs(given)])
        self._server = _ServerInThread(_configured(self._app))
        self._socket = _listen("127.0.0.1", 0)
        self._thread = threading.Thread(
            target=self._server.run, args=[[self._socket]], name="local-org", daemon=True
        )

    @property
    def url(self) -> str:
        """The address of the server; an org's own is `url_of`."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def url_of(self, name: str) -> str:
        """The address of an org, without a slash at the end."""
        return f"{self.url}/{name}"

    def org(self, name: str) -> Org:
        """An org, to look into or to change between requests."""
        return self._app.orgs[name]

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.001)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.end()
        self._thread.join(timeout=5)
        self._socket.close()


def _configs(given: OrgConfig | Mapping[str, Any] | Path) -> list[OrgConfig]:
    if isinstance(given, Path):
        return load(given)
    return [given if isinstance(given, OrgConfig) else OrgConfig.model_validate(dict(given))]
