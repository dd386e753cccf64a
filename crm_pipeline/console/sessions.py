"""Sessions of logged in people: kept in this process, so that one that is ended is ended.

After a restart everybody logs in anew.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from crm_pipeline.console.roles import Somebody

IDLE_SECONDS = 30 * 60.0
"""A session ends after so long without a page."""

LONGEST_SECONDS = 12 * 3600.0
"""A session ends after so long, whatever is looked at."""

MOST_SESSIONS = 10_000
"""Of more the one that was used longest ago ends."""

_MOST_SOUGHT = 50


@dataclass(slots=True)
class ConsoleSession:
    """One browser of one person.

    Attributes:
        csrf: what each form of this session carries, and no other site knows.
        begun: when they logged in, by the clock of `Sessions`.
        used: when they last asked for something.
        said: what the next page is to tell of something that was done.
        sought: whom they looked for, by a number that stands for it in addresses.
    """

    somebody: Somebody
    csrf: str
    begun: float
    used: float
    said: str = ""
    sought: dict[str, str] = field(default_factory=dict)

    def seek(self, text: str) -> str:
        """Keeps what somebody looks for, out of addresses and their logs; returns its number."""
        number = secrets.token_urlsafe(9)
        self.sought[number] = text
        while len(self.sought) > _MOST_SOUGHT:
            self.sought.pop(next(iter(self.sought)))
        return number


class Sessions:
    """All sessions of this process, by the digest of what their cookie says."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._sessions: dict[bytes, ConsoleSession] = {}

    def begin(self, somebody: Somebody) -> str:
        """Begins a session; returns what its cookie says."""
        token, now = secrets.token_urlsafe(32), self._now()
        with self._lock:
            self._end_overdue(now)
            if len(self._sessions) >= MOST_SESSIONS:
                del self._sessions[min(self._sessions, key=lambda each: self._sessions[each].used)]
            session = ConsoleSession(somebody, secrets.token_urlsafe(32), now, now)
            self._sessions[_digest(token)] = session
        return token

    def of(self, token: str) -> ConsoleSession | None:
        """Returns the session of a cookie, which is used now; None: there is none any more."""
        with self._lock:
            now = self._now()
            self._end_overdue(now)
            session = self._sessions.get(_digest(token))
            if session is not None:
                session.used = now
            return session

    def end(self, token: str) -> None:
        """Ends a session, where it is there."""
        with self._lock:
            self._sessions.pop(_digest(token), None)

    def _end_overdue(self, now: float) -> None:
        for key, each in list(self._sessions.items()):
            if now - each.used > IDLE_SECONDS or now - each.begun > LONGEST_SECONDS:
                del self._sessions[key]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
