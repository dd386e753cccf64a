"""Who may do what: a role has all rights of those below it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum


class ConsoleRole(IntEnum):
    """What somebody may do: see numbers; see people and requeue; settle holds and settings."""

    viewer = 1
    support = 2
    operator = 3


@dataclass(frozen=True, slots=True)
class Somebody:
    """Whoever is logged in: the name that is kept with what they do, and their role."""

    name: str
    role: ConsoleRole


def role_of(
    names: Iterable[str], members: Mapping[ConsoleRole, Iterable[str]]
) -> ConsoleRole | None:
    """Returns the highest role of somebody; None: they may see nothing.

    Args:
        names: the user's own, and their groups'.
        members: by role who has it, users or groups; case does not matter.
    """
    theirs = {name.strip().casefold() for name in names} - {""}
    return max(
        (role for role, of in members.items() if theirs & {name.casefold() for name in of}),
        default=None,
    )
