"""Answers: accepted, or refused with problem details (RFC 9457); none has personal data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

PROBLEM = "application/problem+json"

TITLES: Mapping[int, str] = {
    400: "The request is malformed",
    401: "There is no key, or it is none of ours",
    404: "Not found",
    405: "This address does not take this method",
    408: "The request did not come to its end in time",
    409: "The account does not take this now",
    413: "The request is too large",
    415: "The content is of another type",
    422: "Something in the request does not fit",
    429: "Too many requests",
    500: "Something is wrong here",
    503: "Nothing can be accepted now",
}


class FieldProblem(NamedTuple):
    """A field of the request that does not fit, by the name under which it came."""

    field: str
    problem: str


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer, ready to be sent."""

    status: int
    body: bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):  # noqa: N818 - an answer
    """A request that is not accepted.

    Attributes:
        status: of HTTP.
        detail: what is wrong and what to do, without personal data.
        fields: what does not fit, by field.
        headers: further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        detail: str = "",
        fields: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status}")
        self.status = status
        self.detail = detail
        self.fields = fields
        self.headers = headers or {}

    @property
    def answer(self) -> HttpAnswer:
        """The answer that says so."""
        said: dict[str, Any] = {
            "type": "about:blank",
            "title": TITLES[self.status],
            "status": self.status,
        }
        if self.detail:
            said["detail"] = self.detail
        if self.fields:
            said["errors"] = [each._asdict() for each in self.fields]
        return HttpAnswer(self.status, orjson.dumps(said), PROBLEM, self.headers)


def accepted(said: Mapping[str, Any], *, status: int = 202, location: str = "") -> HttpAnswer:
    """Returns the answer to what was accepted, or found."""
    headers = {"Location": location} if location else {}
    return HttpAnswer(status, orjson.dumps(said, option=orjson.OPT_UTC_Z), headers=headers)
