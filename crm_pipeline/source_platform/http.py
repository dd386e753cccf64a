"""Telling the platform by signed HTTP: batches, an answer for each message."""

import time
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests

from crm_pipeline.source_platform.messages import (
    Message,
    PlatformStopped,
    PlatformUnavailable,
    Reply,
)
from crm_pipeline.source_platform.signing import signed

MESSAGES_PER_REQUEST = 500
BYTES_PER_REQUEST = 1_000_000

CONNECT_TIMEOUT_SECONDS = 10.0

_BATCH_REFUSED = frozenset((400, 413, 422))
"""The platform could not take the request as it is; one of its messages may be why."""

_PASSING = frozenset((408, 409, 425, 429))
"""409: a request with the same `Idempotency-Key` is still being worked on."""


class HttpPlatform:
    """The platform behind `PLATFORM_URL`.

    Each request has an `Idempotency-Key` that is the same when the same messages go out again.
    A batch that is refused as a whole is halved until the message is found that is to blame.
    """

    def __init__(self, url: str, secret: str, *, read_timeout: float) -> None:
        """Args: where to post; the shared secret; the longest wait for an answer, in seconds."""
        self._url = url
        self._secret = secret
        self._timeout = (CONNECT_TIMEOUT_SECONDS, read_timeout)
        self._session = requests.Session()

    def send(self, messages: Sequence[Message]) -> Iterator[list[Reply]]:
        """Sends as `Platform.send`."""
        for batch in _batches(messages):
            yield from self._deliver(batch)

    def _deliver(self, batch: list[tuple[Message, bytes]]) -> Iterator[list[Reply]]:
        answer = self._post(batch)
        if answer.status_code in _BATCH_REFUSED:
            if len(batch) == 1:
                [(message, _)] = batch
                code = f"HTTP_{answer.status_code}"
                yield [Reply(message.message_id, "refused", code, "refused by the platform")]
                return
            middle = len(batch) // 2
            yield from self._deliver(batch[:middle])
            yield from self._deliver(batch[middle:])
            return
        self._raise_problem(answer)
        yield _answers(answer, {message.message_id for message, _ in batch})

    def _post(self, batch: list[tuple[Message, bytes]]) -> requests.Response:
        body = b'{"messages":[' + b",".join(text for _, text in batch) + b"]}"
        ids = "\n".join(message.message_id for message, _ in batch)
        key = blake2b(ids.encode(), digest_size=16).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": f'"{key}"',
            **signed(self._secret, key, int(time.time()), body),
        }
        try:
            # A redirect would take what we say to a host that nobody has named.
            return self._session.post(
                self._url, data=body, headers=headers, timeout=self._timeout, allow_redirects=False
            )
        except requests.Timeout:
            raise PlatformUnavailable(f"{self._host} does not answer in time") from None
        except requests.exceptions.SSLError:
            raise PlatformStopped(
                f"{self._host}: its TLS certificate was not accepted; check PLATFORM_URL"
            ) from None
        except requests.RequestException as error:
            raise PlatformUnavailable(
                f"{self._host} cannot be reached ({type(error).__name__}); check PLATFORM_URL"
            ) from None

    def _raise_problem(self, answer: requests.Response) -> None:
        status = answer.status_code
        if status in _PASSING or status >= 500:
            raise PlatformUnavailable(f"{self._host} answered {status}", _pause(answer))
        if status in (401, 403):
            raise PlatformStopped(
                f"{self._host} refuses our signature ({status}); check PLATFORM_SECRET, "
                "and that the clocks of both are right"
            )
        if status != 200:
            raise PlatformStopped(f"{self._host} answered {status}; check PLATFORM_URL")

    @property
    def _host(self) -> str:
        return f"The source platform at {urlsplit(self._url).hostname}"


def _batches(messages: Sequence[Message]) -> Iterator[list[tuple[Message, bytes]]]:
    """Messages with their JSON, as many as a request takes."""
    batch: list[tuple[Message, bytes]] = []
    size = 0
    for message in messages:
        text = _json(message)
        full = len(batch) == MESSAGES_PER_REQUEST or size + len(text) > BYTES_PER_REQUEST
        if batch and full:
            yield batch
            batch, size = [], 0
        batch.append((message, text))
        size += len(text)
    if batch:
        yield batch


def _json(message: Message) -> bytes:
    return orjson.dumps(
        {
            "id": message.message_id,
            "client_id": message.client_id,
            "topic": message.topic,
            "about": message.about,
            "version": message.version,
            "as_of": message.as_of,
            "body": message.body,
        },
        option=orjson.OPT_UTC_Z,
    )


def _pause(answer: requests.Response) -> float | None:
    """Seconds of `Retry-After`; None where it is absent or a date."""
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isdigit() else None


def _answers(answer: requests.Response, sent: set[str]) -> list[Reply]:
    """The answers to messages of this request; what is not of the agreed form counts as none."""
    try:
        body: Any = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        raise PlatformUnavailable("The source platform's answer is not JSON") from None
    said = body.get("answers") if isinstance(body, dict) else None
    if not isinstance(said, list):
        raise PlatformUnavailable("The source platform's answer has no list `answers`")
    found = []
    for each in said:
        if not isinstance(each, dict) or each.get("id") not in sent:
            continue
        if each.get("status") == "taken":
            found.append(Reply(each["id"], "taken"))
        elif each.get("status") == "refused":
            code, reason = str(each.get("code") or "REFUSED"), str(each.get("reason") or "")
            found.append(Reply(each["id"], "refused", code[:100], reason[:1000]))
    return found
