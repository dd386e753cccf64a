"""Messages to the source platform, its answers, and what may be wrong with it as a whole."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

import orjson

from crm_pipeline.exceptions import PicklableError


@dataclass(slots=True)
class Message:
    """The whole new state of one thing, so that a repeated or an older message does no harm.

    Attributes:
        message_id: the id of the message, the same however often it is sent.
        client_id: the platform's own name of that account's client.
        topic: the kind of thing (`lead_values`).
        about: which one, by the platform's own key (`lead:4711`).
        version: only grows for one `about`; of two messages the higher one holds.
        as_of: when it became so, UTC.
        body: the state; what JSON has, or JSON itself.
    """

    message_id: str
    client_id: str
    topic: str
    about: str
    version: int
    as_of: datetime
    body: Mapping[str, Any] | orjson.Fragment


class Reply(NamedTuple):
    """The platform's word on one message; `code` and `reason` say why it was refused."""

    message_id: str
    status: Literal["taken", "refused"]
    code: str = ""
    reason: str = ""


class Platform(Protocol):
    """A way to tell the source platform something."""

    def send(self, messages: Sequence[Message]) -> Iterator[list[Reply]]:
        """Sends messages, in their order.

        Yields:
            Answers as they come. A message without an answer may have been taken; it is to be
            sent again, which does no harm.

        Raises:
            PlatformStopped: somebody has to mend a setting; nothing further was sent.
            PlatformUnavailable: nothing further was sent; it is to be tried again.
        """


class PlatformProblem(PicklableError):  # noqa: N818 - not an error of the program
    """The platform takes nothing now: one line for people, without personal data."""


class PlatformStopped(PlatformProblem):
    """The platform refuses us altogether, until a person mends a setting."""


class PlatformUnavailable(PlatformProblem):
    """The platform is down, slow or asks for a pause.

    Attributes:
        retry_after: seconds to wait, where the platform says so.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
