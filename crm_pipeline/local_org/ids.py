"""Record ids: 15 characters that mind their case, 18 with a checksum that makes up for it."""

from functools import lru_cache

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_VALID = frozenset(_DIGITS)


def _checksum(five: str) -> str:
    bits = 0
    for place, char in enumerate(five):
        if "A" <= char <= "Z":
            bits |= 1 << place
    return _CHECKSUM[bits]


@lru_cache(maxsize=1_024)
def _checksum_of_head(ten: str) -> str:
    # The same for most ids of an object.
    return _checksum(ten[:5]) + _checksum(ten[5:])


def long_id(text: object) -> str | None:
    """Returns the 18 characters of an id given with 15 or 18, or None if it is not an id."""
    if not isinstance(text, str) or len(text) not in (15, 18) or not _VALID.issuperset(text):
        return None
    short = text[:15]
    whole = short + _checksum_of_head(short[:10]) + _checksum(short[10:])
    return whole if len(text) == 15 or whole == text else None


def base62(number: int, width: int) -> str:
    """Writes a number in Salesforce's digits, padded with zeros on the left."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _DIGITS[rest] + digits
    return digits.rjust(width, "0")


class IdCounter:
    """Hands out the ids of one object: its key prefix, the org's instance, a rising number."""

    def __init__(self, prefix: str, instance: str, last: int = 0) -> None:
        self.last = last
        self._head = f"{prefix}{instance}".ljust(10, "0")
        self._head_checksum = _checksum_of_head(self._head)

    def next(self) -> str:
        """Returns an id of 18 characters that was not handed out before."""
        self.last += 1
        tail = base62(self.last, 5)
        return self._head + tail + self._head_checksum + _checksum(tail)

    def like(self, record_id: str, other: "IdCounter") -> str | None:
        """Returns the id of the same number as another org's, or None if that did not hand it out.

        Records of the setup have the same numbers in every org of a configuration.
        """
        if not record_id.startswith(other._head):
            return None
        tail = record_id[10:15]
        return self._head + tail + self._head_checksum + _checksum(tail)

    def skip(self, record_id: str) -> None:
        """Never hands out an id that was seen elsewhere (in a file, in a seed)."""
        if record_id.startswith(self._head):
            number = 0
            for char in record_id[10:15]:
                number = number * 62 + _DIGITS.index(char)
            self.last = max(self.last, number)
