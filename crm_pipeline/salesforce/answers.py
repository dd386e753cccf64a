"""Reading what came back from an org: an answer, or one of the declared problems. Pure."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from crm_pipeline.salesforce.errors import (
    NOTHING_BEGUN,
    LostAnswer,
    OrgUnavailable,
    RequestRefused,
    SalesforceProblem,
    Treatment,
    decide,
    moved,
    paused,
    stopped,
)
from crm_pipeline.text import parse_json

_CODE = re.compile(r"(?:[a-z]+:)?[A-Za-z0-9_.-]{1,100}", re.ASCII)


class Answer(NamedTuple):
    """An org's answer: parsed JSON, or bytes where it is something else, or None."""

    status: int
    body: Any
    headers: Mapping[str, str]


class SessionExpired(Exception):  # noqa: N818 - no error: sessions end
    """The session is over, and nothing was done."""


class Passing(OrgUnavailable):
    """A passing refusal: nothing was written, and another try in a moment may well succeed."""

    def __init__(self, reason: str, *, code: str = "", status: int = 0) -> None:
        super().__init__(reason)
        self.code = code
        self.status = status


def read_answer(status: int, headers: Mapping[str, str], content: bytes, *, writes: bool) -> Answer:
    """The answer to a request, if it is one.

    Args:
        status: HTTP status.
        headers: the answer's headers.
        content: its body, whole.
        writes: whether the request may have changed something in the org.

    Raises:
        SessionExpired: log in again.
        Passing: nothing was written; try again.
        LostAnswer: a write may have happened.
        AccountStopped, AccountPaused, RequestRefused: as the error table says.
    """
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if 200 <= status < 300:
        if not content or kind == "text/csv":
            return Answer(status, content or None, headers)
        try:
            return Answer(status, parse_json(content), headers)
        except ValueError:
            raise _lost(f"The org's answer is not readable (HTTP {status})", writes) from None
    if 300 < status < 400:
        raise moved(headers.get("Location", ""), status)
    raise _problem(status, content, writes)


def error_of(body: Any) -> tuple[str, str, tuple[str, ...]]:
    """Code, message and fields of an error's parsed body; an empty code where it has none."""
    if isinstance(body, list):
        body = body[0] if body else None
    if not isinstance(body, dict):
        return "", "", ()
    code = body.get("errorCode") or body.get("statusCode") or body.get("exceptionCode")
    if code:
        message = body.get("message") or body.get("exceptionMessage")
    else:
        code, message = body.get("error"), body.get("error_description")
    fields = body.get("fields")
    return known_as_code(code), str(message or ""), tuple(map(str, fields or ()))


def known_as_code(said: object) -> str:
    """An error code, or an empty text where it is none: words may quote a person's data."""
    return said if isinstance(said, str) and _CODE.fullmatch(said) else ""


def parsed(content: bytes) -> Any:
    """A body as JSON, or None where it is none (HTML)."""
    try:
        return parse_json(content)
    except ValueError:
        return None


def _problem(status: int, content: bytes, writes: bool) -> Exception:
    body = parsed(content)
    code, message, fields = error_of(body)
    if status == 300:
        return RequestRefused(status, code or "DUPLICATE_EXTERNAL_ID", "more than one record")
    match decide(code, message, status):
        case Treatment.LOG_IN_AGAIN:
            return SessionExpired()
        case Treatment.STOP_ACCOUNT:
            return stopped(code, status, message)
        case Treatment.PAUSE_ACCOUNT:
            return paused(code, status)
        case Treatment.RETRY:
            reason = f"The org cannot answer now: {code or 'no reason given'} (HTTP {status})"
            begun = code not in NOTHING_BEGUN and (status >= 500 or bool(code))
            return _lost(reason, writes and begun, code, status)
        case _:
            return RequestRefused(status, code or f"HTTP_{status}", message, fields, body)


def _lost(reason: str, writes: bool, code: str = "", status: int = 0) -> SalesforceProblem:
    return LostAnswer(reason) if writes else Passing(reason, code=code, status=status)
