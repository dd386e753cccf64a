"""An HTTP server that takes alerts, and keeps what it was sent."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson


@dataclass
class Receiver:
    """What came to which path, as (headers, body); and what each path answers, 200 by default."""

    url: str
    came: dict[str, list[tuple[dict[str, str], bytes]]] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    meanwhile: Callable[[], object] = lambda: None

    def documents(self, path: str) -> list[Any]:
        return [orjson.loads(body) for _, body in self.came.get(path, [])]

    def alerts(self, path: str) -> list[Any]:
        return [each for document in self.documents(path) for each in document["alerts"]]


@contextmanager
def receiving() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            path = self.path.partition("?")[0]
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.came.setdefault(path, []).append((headers, body))
            receiver.meanwhile()
            self.send_response(receiver.answers.get(path, 200))
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()
