"""One call and its answer on the wire, and all that the weather does to them."""

import asyncio
import gzip
import time
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import formatdate
from typing import Any

import orjson

from crm_pipeline.local_org.config import Fault
from crm_pipeline.local_org.errors import SalesforceError
from crm_pipeline.local_org.open_transactions import end_due, ended
from crm_pipeline.local_org.routing import Answer, Call, Route, session_token
from crm_pipeline.local_org.store import Org
from crm_pipeline.local_org.weather import BEFORE, ActiveFault, Interrupted
from crm_pipeline.local_org.xml_bodies import in_xml, prefers_xml, refuse_unless_json

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_DROPS = 20
_UNAVAILABLE = (
    "<html><head><title>Service Unavailable</title></head><body><h1>503 Service Unavailable</h1>"
    "<p>We are down for maintenance. Sorry for the inconvenience. "
    "We&apos;ll be back shortly.</p></body></html>"
)


class _Name(bytes):
    """The name of a header, as Salesforce writes it: uvicorn would put it into lower case."""

    def lower(self) -> "_Name":
        """The name as it is."""
        return self

    def __eq__(self, other: object) -> bool:
        return bytes.lower(self) == other

    __hash__ = bytes.__hash__


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
        call, meter = self.call, self.org.meter
        try:
            answer = await self._answer(started)
            if answer is not None and prefers_xml(call):
                answer = in_xml(answer, self.route)
            await self._deliver(answer)
        finally:
            meter.in_flight.pop(call.number, None)
            self.org.weather.release(call.number)
        meter.calls[self.kind] += 1
        meter.log.append(
            {
                "at": self.org.now().isoformat(timespec="milliseconds"),
                "kind": self.kind,
                "method": call.method,
                "path": call.path,
                "status": answer.status if answer else 0,
                "ms": round((time.monotonic() - started) * 1000, 1),
                "user_id": call.user_id or None,
                "weather": self.note,
            }
        )

    async def _answer(self, started: float) -> Answer | None:
        """The answer, or None where the line is cut before the work is done."""
        org, call = self.org, self.call
        end_due(org)
        try:
            _unpack(call)
            self.route, call.params = call.router.find(call.method, call.path)
            self.kind = self.route.kind_of(call) if self.route.kind_of else self.route.kind
            if org.weather.maintenance == "down":
                return html(503, _UNAVAILABLE)
            struck = org.weather.take(self.kind)
            if struck is not None:
                early = await self._before(struck)
                if early is not None or struck.fault.action == "reset_before":
                    return early
            refuse_unless_json(call, self.route)
            if self.route.session:
                _authenticate(org, call)
            if self.route.counted:
                org.meter.refuse_if_too_many_long(started)
                org.meter.charge(org.now())
            org.meter.in_flight[call.number] = started
            call.locker = org.weather.locker(call.number, struck)
            answer = self.route.handler(org, call)
        except SalesforceError as error:
            answer = Answer(error.http_status, error.body())
        except Interrupted as interrupted:
            self.note = interrupted.fault.action
            return None if self.note == "reset_before" else html(503, _UNAVAILABLE)
        if call.transaction is not None:
            await ended(org, call.transaction)
        if self.route is None or self.route.counted:
            answer.headers = {"Sforce-Limit-Info": org.meter.info(org.now()), **answer.headers}
        if org.weather.latency_seconds:
            await asyncio.sleep(org.weather.latency_seconds)
        return answer

    async def _before(self, struck: ActiveFault) -> Answer | None:
        """Lets a fault act before the work; returns an answer if it takes the work's place."""
        fault = struck.fault
        self.note = fault.action
        match fault.action:
            case "hang":
                await self.org.weather.hang(fault.seconds)
            case "expire_session":
                self.org.sessions.pop(session_token(self.call.headers), None)
                self.org.sessions.pop(self.call.headers.get("x-sfdc-session", ""), None)
            case "html_503":
                return html(503, _UNAVAILABLE)
            case "hold":
                self.call.hold_seconds = fault.seconds
            case "error":
                error = SalesforceError(fault.status, fault.code, fault.message)
                return Answer(error.http_status, error.body())
            case action if action not in BEFORE and action != "lock":
                self.call.fault_after = fault
        return None

    async def _deliver(self, answer: Answer | None) -> None:
        """Sends the answer, as far as the fault lets it that strikes after the work."""
        fault = self.call.fault_after
        self.note = fault.action if fault else self.note
        if answer is None or (fault and fault.action == "reset_after"):
            self.cut()
        elif fault is None:
            await self._send(answer, self._body(answer))
        else:
            await self._deliver_badly(answer, fault)

    async def _deliver_badly(self, answer: Answer, fault: Fault) -> None:
        if fault.action == "html_503_after":
            answer = html(503, _UNAVAILABLE)
        elif fault.action == "hang_after":
            await self.org.weather.hang(fault.seconds)
        body = self._body(answer)
        half = body[: len(body) // 2]
        if fault.action == "slow":
            await self._send(answer, body, within=fault.seconds)
        elif fault.action == "wrong_length":
            await self._send(answer, half, length=len(body) or 1)
            self.cut()
        else:
            await self._send(answer, half if fault.action == "truncate" else body)

    async def _send(
        self, answer: Answer, body: bytes, *, length: int | None = None, within: float = 0.0
    ) -> None:
        """Sends the answer by the org's clock, also where that differs from this machine's."""
        date = formatdate(self.org.now().timestamp(), usegmt=True)
        answer.headers = {"Date": date, **answer.headers}
        await send_answer(self.send, answer, body, length=length, within=within)

    def _body(self, answer: Answer) -> bytes:
        pretty = self.call.headers.get("x-prettyprint", "").lower() in ("1", "true")
        return rendered(answer, orjson.OPT_INDENT_2 if pretty else 0)


def _authenticate(org: Org, call: Call) -> None:
    token = session_token(call.headers)
    if not token and call.headers.get("authorization"):
        raise SalesforceError(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")
    call.session = org.session(token)
    if call.session is None:
        raise SalesforceError(401, "INVALID_SESSION_ID", "Session expired or invalid")


def _unpack(call: Call) -> None:
    encoding = call.headers.get("content-encoding", "").lower()
    try:
        if encoding == "gzip":
            call.body = gzip.decompress(call.body)
        elif encoding == "deflate":
            call.body = zlib.decompress(call.body)
        elif encoding not in ("", "identity"):
            told = f"Content-Encoding is not supported: {encoding}"
            raise SalesforceError(415, "UNSUPPORTED_MEDIA_TYPE", told)
    except (OSError, EOFError, zlib.error):
        raise SalesforceError(400, "MALFORMED_BODY", f"The body is not {encoding}") from None


def html(status: int, page: str) -> Answer:
    """A page, as Salesforce's edge answers."""
    return Answer(status, page, media_type="text/html; charset=UTF-8")


def rendered(answer: Answer, option: int = 0) -> bytes:
    """The body as it is sent."""
    if answer.body is None:
        return b""
    if isinstance(answer.body, str):
        return answer.body.encode()
    return (
        answer.body if isinstance(answer.body, bytes) else orjson.dumps(answer.body, None, option)
    )


async def send_answer(
    send: Send, answer: Answer, body: bytes, *, length: int | None = None, within: float = 0.0
) -> None:
    """Sends an answer with this body: drop by drop `within` seconds, or short of its `length`."""
    headers = {"Date": formatdate(usegmt=True), **answer.headers}
    if answer.status != 204:
        headers["Content-Length"] = str(length or len(body))
        if answer.body is not None:
            headers["Content-Type"] = answer.media_type
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(_Name(k, "latin-1"), v.encode("latin-1")) for k, v in headers.items()],
        }
    )
    size = len(body) // _DROPS + 1
    while within and body:
        await asyncio.sleep(within / _DROPS)
        await send({"type": "http.response.body", "body": body[:size], "more_body": True})
        body = body[size:]
    await send({"type": "http.response.body", "body": body, "more_body": length is not None})
