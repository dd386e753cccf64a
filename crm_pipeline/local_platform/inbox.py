"""Messages that the platform was told, and the failures that it was asked for."""

from collections import Counter
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from threading import Lock
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class ToldMessage(BaseModel):
    """A message, as it stands in a request."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    client_id: str
    topic: str = Field(min_length=1)
    about: str = Field(min_length=1)
    version: int = Field(ge=1)
    as_of: AwareDatetime
    body: dict[str, Any]


class Fault(BaseModel):
    """A failure on demand.

    Attributes:
        action: `error` answers `status`; `hang` answers nothing for `seconds`; `reset` cuts the
            line; `forget` leaves messages out of the answer; `refuse` refuses single messages.
        times: how often, before it is over; None for as long as it stands.
        after: whether the messages are taken all the same (not with `refuse`).
        about: which messages `forget` and `refuse` mean, as a pattern (`lead:*`).
    """

    model_config = ConfigDict(extra="forbid")

    action: Literal["error", "hang", "reset", "forget", "refuse"]
    status: int = Field(default=503, ge=400, le=599)
    retry_after: int | None = Field(default=None, ge=0)
    seconds: float = Field(default=1.0, ge=0)
    times: int | None = Field(default=1, ge=1)
    after: bool = False
    about: str = "*"

    def means(self, told: ToldMessage) -> bool:
        """Returns whether it is about this message."""
        return fnmatchcase(told.about, self.about)


@dataclass(slots=True)
class Inbox:
    """Everything that was taken, in the order in which it came.

    Attributes:
        messages: by id; one that comes again is counted in `repeated` and otherwise ignored.
        current: the highest version of each (client, topic, about).
        answered: the answers by Idempotency-Key, with the request's body.
        faults: in the order in which they strike.
        requests: how many there were, by status of the answer.
    """

    messages: dict[str, ToldMessage] = field(default_factory=dict)
    current: dict[tuple[str, str, str], ToldMessage] = field(default_factory=dict)
    answered: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: Counter[int] = field(default_factory=Counter)
    repeated: int = 0
    lock: Lock = field(default_factory=Lock)

    def take(self, told: ToldMessage) -> None:
        """Takes a message; a repeated or older one changes nothing."""
        with self.lock:
            if told.id in self.messages:
                self.repeated += 1
                return
            self.messages[told.id] = told
            key = told.client_id, told.topic, told.about
            known = self.current.get(key)
            if known is None or known.version < told.version:
                self.current[key] = told

    def next_fault(self) -> Fault | None:
        """The fault that strikes this request, used up by it if it was the last time."""
        with self.lock:
            if not self.faults:
                return None
            fault = self.faults[0]
            if fault.times is not None:
                fault.times -= 1
                if fault.times == 0:
                    self.faults.pop(0)
            return fault

    def forget(self) -> None:
        """Begins anew, with neither messages nor faults."""
        with self.lock:
            for each in (self.messages, self.current, self.answered, self.requests):
                each.clear()
            self.faults.clear()
            self.repeated = 0
