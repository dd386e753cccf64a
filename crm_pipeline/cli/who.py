"""Who types a command, as it is kept with what people decide."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ACTING: ContextVar[str | None] = ContextVar("_ACTING", default=None)


def who() -> str:
    """Returns the name of whoever types, or the user's number where the machine has no name."""
    if (acting := _ACTING.get()) is not None:
        return acting
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


@contextmanager
def acting_as(name: str) -> Iterator[None]:
    """Has what is done be kept as somebody's who asked for it from elsewhere."""
    token = _ACTING.set(name)
    try:
        yield
    finally:
        _ACTING.reset(token)
