"""Values as text and as JSON: written as people wrote them, and so that every reader takes them.

The one place where a value of whatever type becomes text. Knows nothing of the rest.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import orjson

_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
"""Python's words for numbers that are none, and PostgreSQL's."""

_DEEPEST = 100
"""Levels of JSON that are taken apart: a writer takes 254, and Python's calls are not endless."""

_NO_BRACKETS = re.compile(r"[^\[\]{}]+")
_STRINGS_AND_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)

_EXACTLY = json.JSONDecoder(parse_float=Decimal)
_IN_ORDER = orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS

_JOINERS = frozenset("\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}")
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_TAGS = range(0xE0020, 0xE0080)
_LETTERS_OF_FLAGS = range(0x1F1E6, 0x1F200)
_JAMO_THAT_FOLLOW = range(0x1160, 0x1200)


class JsonText(str):
    """A JSON value as the warehouse has it: parsed where it is needed, and not before."""

    __slots__ = ()

    def parsed(self) -> Any:
        """The value, its numbers exact; the text itself where it is no JSON or too long.

        What is deeper in it than anybody reads is text.
        """
        try:
            return parse_json(_folded(self), exact=True)
        except ValueError:
            return str(self)


def written(value: Any) -> str:
    """A value of any type as text, as people or the database wrote it.

    Numbers keep their digits and have no others; several values stand between commas, without
    those that say nothing; times are in UTC, as Salesforce writes them.

    Args:
        value: anything; None becomes the empty text.
    """
    if type(value) is str:
        return lines(value)
    text: str
    match value:
        case None:
            text = ""
        case JsonText():
            parsed = value.parsed()
            text = str(value) if isinstance(parsed, Mapping) else written(parsed)
        case bool():
            text = "true" if value else "false"
        case float():
            text = repr(value).removesuffix(".0")
            text = _NOT_FINITE.get(text, text)
        case Decimal():
            text = format(value, "f")
        case datetime() if value.tzinfo is not None:
            text = salesforce_time(value) or value.isoformat()
        case date() | time():
            text = value.isoformat()
        case bytes() | bytearray() | memoryview():
            text = f"\\x{bytes(value).hex()}"
        case Mapping():
            text = _json_object(value)
        case list() | tuple() | set() | frozenset():
            text = ", ".join(parts(value))
        case _:
            text = str(value)
    return text


def is_no_id(value: object) -> bool:
    """Returns whether an id of the source names nothing: there is none, or only blanks."""
    return value is None or (isinstance(value, str) and not value.strip())


def shown(value: object) -> str:
    """A value as people read it: times to the second in UTC, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, float):
        return f"{value:.1f}"
    return str(value)


UNSEEN = "".join(
    map(
        chr,
        (
            *range(0x21),
            *range(0x7F, 0xA1),
            *(0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x1680, 0x17B4, 0x17B5),
            *range(0x180B, 0x1810),
            *range(0x2000, 0x2010),
            *range(0x2028, 0x2030),
            *range(0x205F, 0x2070),
            *(0x2800, 0x3000, 0x3164, 0xFEFF, 0xFFA0),
            *range(0xFE00, 0xFE10),
            *range(0xFFF0, 0xFFFC),
            *range(0x1BCA0, 0x1BCA4),
            *range(0x1D173, 0x1D17B),
            *range(0xE0000, 0xE0080),
            *range(0xE0100, 0xE01F0),
        ),
    )
)
"""Blanks, control characters, byte-order marks and characters without a width: copied along."""


def seen(text: str) -> str:
    """A text without the blanks around it; the empty one where nobody sees anything of it."""
    bare = text.strip()
    return bare if bare.isprintable() or bare.strip(UNSEEN) else ""


def lines(text: str) -> str:
    r"""A text whose lines end in \n: a bulk job knows one end of a line, and so do all routes."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _json_object(value: Mapping[Any, Any]) -> str:
    def exact(inner: Any) -> Any:
        finite = isinstance(inner, Decimal) and inner.is_finite()
        return orjson.Fragment(written(inner)) if finite else written(inner)

    try:
        return orjson.dumps(value, default=exact, option=orjson.OPT_NON_STR_KEYS).decode()
    except (TypeError, ValueError):
        return storable_json(value)


def parts(values: Iterable[Any]) -> list[str]:
    """Several values as texts, without those that say nothing; lists within them are opened."""
    texts: list[str] = []
    for value in values:
        inner = value.parsed() if isinstance(value, JsonText) else value
        if isinstance(inner, list | tuple | set | frozenset):
            texts += parts(inner)
        elif text := seen(written(value)):
            texts.append(text)
    return texts


def salesforce_time(moment: datetime) -> str | None:
    """A time with a zone as Salesforce returns it: UTC, and to the second.

    Returns:
        None where it is too near to the ends of the calendar to be told in UTC.
    """
    try:
        return f"{moment.astimezone(UTC).isoformat()[:19]}.000+0000"
    except OverflowError:
        return None


def utf16_length(text: str) -> int:
    """Returns Salesforce's length of a text: in units of UTF-16, of which an emoji has two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def trimmed(text: str, limit: int) -> str:
    """Returns as much of a text as `limit` holds (in UTF-16), without blanks behind.

    Nothing that is seen as one character is cut in two, unless it alone is longer.
    """
    if utf16_length(text) <= limit:
        return text
    units = text.encode("utf-16-le", "surrogatepass")[: 2 * limit]
    cut = len(units.decode("utf-16-le", "ignore"))
    end = cut
    while end and _belongs_to_what_precedes(text, end):
        end -= 1
    return text[: end or cut].rstrip()


def _belongs_to_what_precedes(text: str, place: int) -> bool:
    """Returns whether the character at a place is seen as one with the character before it."""
    here, before = text[place], text[place - 1]
    code = ord(here)
    if unicodedata.category(here).startswith("M") or here in _JOINERS:
        return True
    if before == "\N{ZERO WIDTH JOINER}" or code in _SKIN_TONES or code in _TAGS:
        return True
    if here == "\n" and before == "\r":
        return True
    if code in _LETTERS_OF_FLAGS:
        start = place
        while start and ord(text[start - 1]) in _LETTERS_OF_FLAGS:
            start -= 1
        return (place - start) % 2 == 1
    return code in _JAMO_THAT_FOLLOW


def _folded(text: str) -> str:
    """JSON in which all below its first `_DEEPEST` levels is a text, as it was written."""
    return "".join(_pieces(text)) if _may_be_deep(text) else text


def _may_be_deep(text: str) -> bool:
    """Returns whether, by its brackets alone, JSON may have more than `_DEEPEST` levels.

    Cheaper by far than telling strings apart, whose brackets count here.
    """
    if text.count("[") + text.count("{") <= _DEEPEST:
        return False
    brackets = _NO_BRACKETS.sub("", text)
    for _ in range(_DEEPEST):
        brackets = brackets.replace("[]", "").replace("{}", "")
    return bool(brackets)


def _pieces(text: str) -> Iterator[str]:
    depth = done = start = 0
    for token in _STRINGS_AND_BRACKETS.finditer(text):
        match token[0]:
            case "[" | "{":
                depth += 1
                start = token.start() if depth == _DEEPEST + 1 else start
            case "]" | "}":
                depth -= 1
                if depth == _DEEPEST:
                    yield text[done:start]
                    yield json.dumps(text[start : token.end()])
                    done = token.end()
    yield text[done:]


def parse_json(content: str | bytes, *, exact: bool = False) -> Any:
    """A JSON value; halves of surrogate pairs, which are no characters, are replaced in it.

    Args:
        content: UTF-8 where it is bytes.
        exact: whether numbers keep all of their digits, those that are not whole as `Decimal`.

    Raises:
        ValueError: it is no JSON.
    """
    if not exact:
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError:
            pass  # the slower reader takes more
    try:
        text = content if isinstance(content, str) else content.decode()
        parsed = _EXACTLY.decode(text) if exact else json.loads(text)
        return _storable(parsed) if "\\u" in text else parsed
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def storable_json(value: Any, *, ordered: bool = False) -> str:
    """JSON that PostgreSQL's `jsonb` takes, whatever is in it.

    It knows neither the character NUL nor halves of surrogate pairs; numbers have at most 64
    bits or are finite, and all else that JSON does not have is written as text.

    Args:
        value: also with dataclasses in it.
        ordered: whether objects have their keys in order, so that what is the same reads the same.
    """
    options = _IN_ORDER if ordered else orjson.OPT_NON_STR_KEYS
    try:
        content = orjson.dumps(value, default=written, option=options)
    except (TypeError, ValueError):
        content = b"\\u0000"
    if b"\\u0000" in content:
        content = orjson.dumps(_storable(value), default=written, option=options)
    return content.decode()


def digest(value: Any) -> bytes:
    """Returns sixteen bytes that differ where a value, as JSON, differs."""
    return blake2b(storable_json(value, ordered=True).encode(), digest_size=16).digest()


def _storable(value: Any) -> Any:
    """The value without what no JSON of PostgreSQL can hold."""
    match value:
        case str():
            return (
                value.replace("\0", "")
                .encode("utf-16", "surrogatepass")
                .decode("utf-16", "replace")
            )
        case Mapping():
            return {_storable(key): _storable(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_storable(inner) for inner in value]
        case int() if not -(2**63) <= value < 2**64:
            return str(value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            return _storable({each.name: getattr(value, each.name) for each in fields(value)})
        case _:
            return value
