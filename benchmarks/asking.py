"""Asks a listener at a steady pace, as many callers do: `python -m benchmarks.asking`.

A process of its own, so that its CPU seconds can be told apart. It reads what it is to do as JSON,
and writes what came of it. A request is sent when its time has come, whether earlier ones were
answered or not; its latency counts from that time.
"""

import asyncio
import itertools
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any

TRIES = 20
"""Of a request that was refused for the moment, or whose line broke."""


@dataclass(frozen=True, slots=True)
class Errand:
    """Requests to be made.

    Attributes:
        host: of the listener.
        ports: of its processes, taken in turn.
        key: of the account.
        per_second: requests.
        seconds: for so long.
        people: addresses known to the platform, a removal for each of the first of them.
        removals: so many of a hundred requests remove somebody.
        repeated: so many of a hundred repeat an earlier request.
    """

    host: str
    ports: list[int]
    key: str
    per_second: int
    seconds: float
    people: list[str]
    removals: int
    repeated: int


@dataclass(slots=True)
class Heard:
    """What came of an errand: milliseconds by request, statuses, and the id of each thing asked."""

    milliseconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    ids: dict[str, list[str]] = field(default_factory=dict)
    unanswered: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0


class Caller:
    """Runs an errand over connections that stay open."""

    def __init__(self, errand: Errand) -> None:
        self._errand = errand
        self._heard = Heard()
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._ports = itertools.cycle(errand.ports)

    async def run(self) -> Heard:
        """Asks all, and waits for the last answer."""
        errand = self._errand
        number = round(errand.per_second * errand.seconds)
        begun = time.perf_counter()
        under_way = []
        for place in range(number):
            due = begun + place / errand.per_second
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            under_way.append(asyncio.create_task(self._ask(place, due)))
        await asyncio.gather(*under_way)
        self._heard.seconds = time.perf_counter() - begun
        self._heard.cpu_seconds = time.process_time()
        return self._heard

    async def _ask(self, place: int, due: float) -> None:
        about, request = self._request(place)
        for _ in range(TRIES):
            try:
                status, body = await self._answer(request)
            except (OSError, asyncio.IncompleteReadError, ValueError):
                await asyncio.sleep(0.05)
                continue
            self._heard.statuses[status] = self._heard.statuses.get(status, 0) + 1
            if status == 202:
                self._heard.milliseconds.append((time.perf_counter() - due) * 1000)
                self._heard.ids.setdefault(about, []).append(json.loads(body)["id"])
                return
            await asyncio.sleep(0.1)
        self._heard.unanswered += 1

    def _request(self, place: int) -> tuple[str, bytes]:
        errand = self._errand
        number = place - 10 if place % 100 < errand.repeated and place >= 10 else place
        person = number // 100 * errand.removals + number % 100 - 50
        if 50 <= number % 100 < 50 + errand.removals and person < len(errand.people):
            find = errand.people[person].replace("@", "%40")
            return f"removal {person}", self._written(
                f"/api/v1/userMacroListeners/gdpr?find={find}", b""
            )
        said = json.dumps({"Subject": f"Feedback {number}", "Details": "x" * 200}).encode()
        return f"feedback {number}", self._written("/api/v1/externalSources/bugs", said)

    def _written(self, path: str, body: bytes) -> bytes:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._errand.host}\r\n"
            f"Authorization: Bearer {self._errand.key}\r\nUser-Agent: SFDC-Callout/62.0\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def _answer(self, request: bytes) -> tuple[int, bytes]:
        line = self._free.pop() if self._free else None
        if line is None:
            line = await asyncio.open_connection(self._errand.host, next(self._ports))
        reader, writer = line
        try:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
            body = await reader.readexactly(length)
        except BaseException:
            writer.close()
            raise
        self._free.append(line)
        return int(head[9:12]), body


def main() -> None:
    """Reads an errand from the input, and writes what was heard."""
    said: dict[str, Any] = json.load(sys.stdin)
    heard = asyncio.run(Caller(Errand(**said)).run())
    json.dump(asdict(heard), sys.stdout)


if __name__ == "__main__":
    main()
