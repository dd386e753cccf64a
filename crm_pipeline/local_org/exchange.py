"""One call and its answer on the wire, and all that the weather does to them."""

import asyncio
import gzip
import time
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from crm_pipeline.local_org.config import Fault
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.routing import Answer, Call, Route, session_token
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.weather import BEFORE, ActiveFault, Interrupted

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

_DROPS = 20
_HTML = "text/html; charset=UTF-8"
_UNAVAILABLE = (
    "<html><head><title>Service Unavailable</title></head><body><h1>503 Service Unavailable</h1>"
    "<p>We are down for maintenance. Sorry for the inconvenience. "
    "We&apos;ll be back shortly.</p></body></html>"
)


class Exchange:
    """One call to an org and its answer."""

    def __init__(self, org: Org, call: Call, send: Send, cut: Callable[[], None]) -> None:
        self.org = org
        self.call = call
        self.send = send
        self.cut = cut
        self.route: Route | None = None
        self.kind = "unknown"
        self.note = ""

    async def run(self) -> None:
        """Answers the call, as far as the weather lets it."""
        started = time.monotonic()
        meter = self.org.meter
        try:
            answer = await self._answer(started)
            await self._deliver(answer)
            status = answer.status if answer is not None else 0
        finally:
            meter.in_flight.pop(self.call.number, None)
            self.org.weather.release(self.call.number)
        meter.calls[self.kind] += 1
        user_id = self.call.session.user_id if self.call.session else None
        meter.log.append(
            {
                "at": self.org.now().isoformat(timespec="milliseconds"),
                "kind": self.kind,
                "method": self.call.method,
                "path": self.call.path,
                "status": status,
                "ms": round((time.monotonic() - started) * 1000, 1),
                "user_id": user_id,
                "weather": self.note,
            }
        )

    async def _answer(self, started: float) -> Answer | None:
        """The answer, or None where the line is cut before the work is done."""
        org, call = self.org, self.call
        try:
            _unpack(call)
            self.route, call.params = call.router.find(call.method, call.path)
            self.kind = self.route.kind_of(call)
            if org.weather.maintenance == "down":
                return html(503, _UNAVAILABLE)
            struck = org.weather.take(self.kind)
            if struck is not None:
                early = await self._before(struck)
                if early is not None or struck.fault.action == "reset_before":
                    return early
            if self.route.session:
                _authenticate(org, call)
            if self.route.counted:
                org.meter.refuse_if_too_many_long(started)
                org.meter.charge(org.now())
            org.meter.in_flight[call.number] = started
            call.locker = org.weather.locker(call.number, struck)
            answer = self.route.handler(org, call)
        except SalesforceError as error:
            answer = Answer(status=error.http_status, body=error.body())
        except Interrupted as interrupted:
            self.note = interrupted.fault.action
            return None if self.note == "reset_before" else html(503, _UNAVAILABLE)
        if self.route is None or self.route.counted:
            answer.headers = {"Sforce-Limit-Info": org.meter.info(org.now()), **answer.headers}
        if org.weather.latency_seconds:
            await asyncio.sleep(org.weather.latency_seconds)
        return answer

    async def _before(self, struck: ActiveFault) -> Answer | None:
        """What a fault does before the work: perhaps answer in its stead."""
        fault = struck.fault
        self.note = fault.action
        if fault.action == "hang":
            await asyncio.sleep(fault.seconds)
        elif fault.action == "expire_session":
            self.org.sessions.pop(session_token(self.call.headers), None)
            self.org.sessions.pop(self.call.headers.get("x-sfdc-session", ""), None)
        elif fault.action == "html_503":
            return html(503, _UNAVAILABLE)
        elif fault.action == "error":
            error = SalesforceError(fault.status, fault.code, fault.message)
            return Answer(status=error.http_status, body=error.body())
        elif fault.action not in BEFORE and fault.action != "lock":
            self.call.fault_after = fault
        return None

    async def _deliver(self, answer: Answer | None) -> None:
        fault = self.call.fault_after
        if fault is not None:
            self.note = fault.action
        if answer is None or (fault is not None and fault.action == "reset_after"):
            self.cut()
        elif fault is None:
            await send_answer(self.send, answer, pretty=self._is_pretty())
        else:
            await self._deliver_badly(answer, fault)

    async def _deliver_badly(self, answer: Answer, fault: Fault) -> None:
        if fault.action == "html_503_after":
            answer = html(503, _UNAVAILABLE)
        elif fault.action == "hang_after":
            await asyncio.sleep(fault.seconds)
        body = _render(answer, pretty=self._is_pretty())
        half = body[: len(body) // 2]
        if fault.action == "truncate":
            await _send_raw(self.send, answer, half)
        elif fault.action == "wrong_length":
            await _start(self.send, answer, len(body) or 1)
            await self.send({"type": "http.response.body", "body": half, "more_body": True})
            self.cut()
        elif fault.action == "slow":
            await self._drip(answer, body, fault.seconds)
        else:
            await _send_raw(self.send, answer, body)

    async def _drip(self, answer: Answer, body: bytes, seconds: float) -> None:
        await _start(self.send, answer, len(body))
        size = max(1, -(-len(body) // _DROPS))
        for place in range(0, len(body), size):
            await asyncio.sleep(seconds / _DROPS)
            drop = body[place : place + size]
            await self.send({"type": "http.response.body", "body": drop, "more_body": True})
        await self.send({"type": "http.response.body", "body": b""})

    def _is_pretty(self) -> bool:
        return self.call.headers.get("x-prettyprint", "").lower() in ("1", "true")


def _authenticate(org: Org, call: Call) -> None:
    header = call.headers.get("authorization")
    if header and not session_token(call.headers):
        raise SalesforceError(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")
    call.session = org.session(session_token(call.headers))
    if call.session is None:
        raise SalesforceError(401, "INVALID_SESSION_ID", "Session expired or invalid")


def _unpack(call: Call) -> None:
    encoding = call.headers.get("content-encoding", "").lower()
    if not encoding or encoding == "identity":
        return
    try:
        if encoding == "gzip":
            call.body = gzip.decompress(call.body)
        elif encoding == "deflate":
            call.body = zlib.decompress(call.body)
        else:
            raise SalesforceError(
                415, "UNSUPPORTED_MEDIA_TYPE", f"Content-Encoding is not supported: {encoding}"
            )
    except (OSError, EOFError, zlib.error):
        raise SalesforceError(400, "MALFORMED_BODY", f"The body is not {encoding}") from None


def html(status: int, page: str) -> Answer:
    """A page, as Salesforce's edge answers."""
    return Answer(status=status, body=page, media_type=_HTML)


def _render(answer: Answer, *, pretty: bool) -> bytes:
    if answer.body is None:
        return b""
    if isinstance(answer.body, bytes):
        return answer.body
    if isinstance(answer.body, str):
        return answer.body.encode()
    return orjson.dumps(answer.body, option=orjson.OPT_INDENT_2 if pretty else None)


async def send_answer(send: Send, answer: Answer, *, pretty: bool = False) -> None:
    """Sends a whole answer."""
    await _send_raw(send, answer, _render(answer, pretty=pretty))


async def _send_raw(send: Send, answer: Answer, body: bytes) -> None:
    await _start(send, answer, len(body))
    await send({"type": "http.response.body", "body": body})


async def _start(send: Send, answer: Answer, length: int) -> None:
    headers = [
        (key.encode("latin-1"), value.encode("latin-1")) for key, value in answer.headers.items()
    ]
    if answer.status != 204:
        headers.append((b"content-length", str(length).encode()))
        if answer.body is not None:
            headers.append((b"content-type", answer.media_type.encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
