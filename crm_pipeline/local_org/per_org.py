"""State that one room keeps for each org (cursors, jobs, failed logins), as long as it lives."""

from collections.abc import Callable
from typing import Generic, TypeVar

from crm_pipeline.local_org.store import Org

State = TypeVar("State")


class PerOrg(Generic[State]):
    """`STATE[org]` is the org's own, made by `make` when first asked for."""

    def __init__(self, make: Callable[[], State]) -> None:
        self._make = make

    def __getitem__(self, org: Org) -> State:
        if self not in org.rooms:
            org.rooms[self] = self._make()
        held: State = org.rooms[self]
        return held
