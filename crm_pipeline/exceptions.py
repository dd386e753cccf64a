"""The base of exceptions that say more than a message, and what people are told of a file."""

import copyreg
from typing import Any


class PicklableError(Exception):
    """Survives the way to another process, whatever its `__init__` takes.

    Python would call `__init__` again with the message alone, which breaks the pool of processes
    in which the exception was raised.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


def refused_file(error: BaseException) -> str | None:
    """Returns which file the machine refuses, and why, in one line; None for any other error."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return None
