"""State that one room keeps for each org (cursors, jobs, failed logins), as long as it lives."""

from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from crm_pipeline.local_org.store import Org

State = TypeVar("State")


class PerOrg(Generic[State]):
    """`STATE[org]` is the org's own, made by `make` when first asked for."""

    def __init__(self, make: Callable[[], State]) -> None:
        self._make = make
        self._held: WeakKeyDictionary[Org, State] = WeakKeyDictionary()

    def __getitem__(self, org: Org) -> State:
        held = self._held.get(org)
        if held is None:
            held = self._held[org] = self._make()
        return held
