"""Ctrl-C and its relatives end the demo: once, and never between a start and its being noted."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Within the block the first of the signals raises KeyboardInterrupt, and no other does."""

    def __init__(self) -> None:
        self._held = 0
        self._pending = False

    def __enter__(self) -> Self:
        self._before = {each: signal.signal(each, self._arrived) for each in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """A signal that arrives within the block is raised when it has ended."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
        if self._pending and not self._held:
            self._pending = False
            raise KeyboardInterrupt

    def ignore(self) -> None:
        """Ignores signals from now on, for cleaning up."""
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)

    def _arrived(self, *_: object) -> None:
        self.ignore()
        if self._held:
            self._pending = True
        else:
            raise KeyboardInterrupt
