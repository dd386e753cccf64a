"""A request as it came: its query, its headers, its body; nothing of it is believed yet."""

import re
from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import orjson

from crm_pipeline.inbound.tombstones import number_in
from crm_pipeline.listener.answers import Refused
from crm_pipeline.salesforce.emails import email_key

MOST_BYTES = 1_000_000
"""Of a body."""

DEEPEST = 32
"""Objects and lists within each other."""

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class HttpQuestion:
    """A request.

    Attributes:
        method: of HTTP.
        query: the raw query.
        headers: by name in lower case.
        body: whole.
        parts: what the path names.
    """

    method: str
    query: bytes
    headers: Mapping[str, str]
    body: bytes
    parts: Mapping[str, str]

    def parameter(self, name: str) -> str | None:
        """Returns a parameter of the query, whatever the case of its name; None: it is not there.

        A plus stays one.

        Raises:
            Refused: it is there twice, or no text.
        """
        found = []
        for part in self.query.split(b"&"):
            said, _, value = part.partition(b"=")
            try:
                if unquote(said.decode("ascii"), errors="strict").lower() == name.lower():
                    found.append(unquote(value.decode("ascii"), errors="strict"))
            except (UnicodeDecodeError, ValueError):
                raise Refused(400, "the query is no percent-encoded UTF-8") from None
        if len(found) > 1:
            raise Refused(400, f"{name} is there more than once")
        return found[0] if found else None

    @property
    def address(self) -> str:
        """The address of whom the request is about (`find`), as `email_key` writes it.

        Of a caller whose address nobody knows it is the phone number, in E.164.

        A plus that came as it is may have become a blank on the way, or mean one.

        Raises:
            Refused: there is none, or it is no address.
        """
        said = self.parameter("find")
        if said is None:
            raise Refused(400, "find is missing: the person's email address, percent-encoded")
        for text in (said, said.strip().replace(" ", "+"), said.replace("+", " ")):
            if (address := email_key(text) or number_in(text)) is not None:
                return address
        raise Refused(400, "find is no email address, nor a phone number like +4930901820")

    @property
    def key(self) -> tuple[str, bool] | None:
        """The key that was given, and whether it came in the address; None: there is none.

        Raises:
            Refused: there are several.
        """
        given = []
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            given.append((token.strip(), False))
        if header := self.headers.get("x-api-key", "").strip():
            given.append((header, False))
        if (of_query := self.parameter("apiKey")) is not None:
            given.append((of_query, True))
        if of_path := self.parts.get("key"):
            given.append((of_path, False))
        if len({key for key, _ in given}) > 1:
            raise Refused(400, "more than one key is given")
        return given[0] if given else None

    @property
    def idempotency_key(self) -> str | None:
        """The caller's own key of the request.

        Raises:
            Refused: it is none.
        """
        said = self.headers.get("idempotency-key")
        if said is None:
            return None
        key = said.strip().removeprefix('"').removesuffix('"')
        if not _KEY.fullmatch(key):
            raise Refused(400, "Idempotency-Key is 1 to 255 characters of ASCII without blanks")
        return key

    def json(self) -> dict[str, Any]:
        """Returns the body as a JSON object.

        Raises:
            Refused: it is none, or of another type, or nested too deeply.
        """
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Refused(415, "Content-Type: application/json is expected")
        if self.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise Refused(415, "the body is to come as it is, without Content-Encoding")
        try:
            said = orjson.loads(self.body.removeprefix(BOM_UTF8))
        except orjson.JSONDecodeError:
            raise Refused(400, "the body is no JSON") from None
        if not isinstance(said, dict):
            raise Refused(422, "a JSON object is expected")
        if not _is_flat_enough(said, DEEPEST):
            raise Refused(422, f"the body is nested deeper than {DEEPEST}")
        return said


def _is_flat_enough(value: Any, left: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return left > 0 and all(_is_flat_enough(each, left - 1) for each in inner)
