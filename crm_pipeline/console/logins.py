"""Ways to log in: a link that works once, or the headers of a trusted proxy."""

import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Protocol

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crm_pipeline.console.errors import ConsoleError
from crm_pipeline.console.roles import ConsoleRole, Somebody, role_of

LINK_SECONDS = 600.0
"""So long a link works, unless it was used."""

_PAUSE_SECONDS = 5.0
"""Between two links that are asked for: whoever asks is not logged in."""


class ConsoleLogin(Protocol):
    """A way to log in."""

    def standing(self, request: Request) -> Somebody | None:
        """Who a request is by itself, without a session; None: this way does not tell.

        Raises:
            ConsoleError: it is nobody who may look at anything.
        """

    def begin(self, request: Request) -> Response | str:
        """Answers somebody who is not logged in: with where to go, or with a sentence.

        Raises:
            ConsoleError: they cannot log in.
        """

    def end(self, request: Request) -> Somebody | None:
        """Who comes back from logging in; None: nobody who was sent.

        Raises:
            ConsoleError: they may not log in.
        """


class LinkLogin:
    """One machine: whoever starts the console is its operator, by a link that works once."""

    def __init__(
        self, name: str, say: Callable[[str], None], now: Callable[[], float] = time.monotonic
    ) -> None:
        """Prepares.

        Args:
            name: of whoever starts the console.
            say: tells them the path and query of a link.
            now: a clock, in seconds.
        """
        self._somebody = Somebody(name, ConsoleRole.operator)
        self._say, self._now = say, now
        self._lock = threading.Lock()
        self._key = ""
        self._made = -LINK_SECONDS

    def new_link(self) -> None:
        """Makes a link and tells it; a former one works no more."""
        with self._lock:
            self._key, self._made = secrets.token_urlsafe(32), self._now()
            self._say(f"/login/end?key={self._key}")

    def standing(self, _: Request) -> Somebody | None:
        """Nobody: a request says nothing by itself."""
        return None

    def begin(self, _: Request) -> str:
        """Tells a new link where the console was started, unless it has just done so."""
        if self._now() - self._made > _PAUSE_SECONDS:
            self.new_link()
        return (
            "The console has printed a link where it was started: open it here. It works once, "
            f"within {LINK_SECONDS / 60:.0f} minutes."
        )

    def end(self, request: Request) -> Somebody | None:
        """The operator, where the link is the one that was told last, and was not used."""
        key = request.query_params.get("key", "")
        with self._lock:
            is_it = secrets.compare_digest(key.encode(), self._key.encode())
            if not (self._key and is_it and self._now() - self._made <= LINK_SECONDS):
                return None
            self._key = ""
        return self._somebody


@dataclass(frozen=True, slots=True)
class ProxyLogin:
    """A proxy before the console says of each request who it is, as all come through it.

    Attributes:
        proxies: the addresses from which it asks.
        user_header: has the user's name.
        groups_header: has their groups, between commas.
        members: by role the users and groups that have it.
    """

    proxies: Sequence[IPv4Network | IPv6Network]
    user_header: str
    groups_header: str
    members: Mapping[ConsoleRole, Sequence[str]]

    def standing(self, request: Request) -> Somebody:
        """The user whom the proxy names."""
        peer = ip_address(request.client.host) if request.client else None
        if peer is None or not any(peer in network for network in self.proxies):
            raise ConsoleError(HTTPStatus.FORBIDDEN, "The console answers its proxy only.")
        # A proxy that adds its header to one that the browser sent would let anybody be anybody.
        named = request.headers.getlist(self.user_header)
        if len(named) != 1 or not (user := named[0].strip()):
            raise ConsoleError(
                HTTPStatus.UNAUTHORIZED,
                f"The proxy has to name one user in the header {self.user_header}.",
            )
        groups = ",".join(request.headers.getlist(self.groups_header)).split(",")
        return entitled(user, groups, self.members)

    def begin(self, _: Request) -> Response:
        """Nothing is to be done: the proxy has said who it is."""
        return RedirectResponse("/", HTTPStatus.SEE_OTHER)

    def end(self, _: Request) -> None:
        """Nobody is sent anywhere."""


def entitled(
    user: str, groups: Sequence[str], members: Mapping[ConsoleRole, Sequence[str]]
) -> Somebody:
    """Returns a user with their role.

    Raises:
        ConsoleError: they have none.
    """
    role = role_of(user, groups, members)
    if role is None:
        raise ConsoleError(
            HTTPStatus.FORBIDDEN,
            "You have no role here: CONSOLE_VIEWERS, CONSOLE_SUPPORT or CONSOLE_OPERATORS has to "
            "name you, or `group:` and a group of yours.",
        )
    return Somebody(user, role)
