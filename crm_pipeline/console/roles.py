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


GROUP = "group:"
"""Before a group's name in the lists of who has a role: a user could be called like the group."""


def role_of(
    user: str, groups: Iterable[str], members: Mapping[ConsoleRole, Iterable[str]]
) -> ConsoleRole | None:
    """Returns the highest role of somebody; None: they may see nothing.

    Args:
        user: the user's own name; one that begins as a group does is nobody's.
        groups: the names of their groups.
        members: by role who has it: users, and groups as `group:NAME`; case does not matter.
    """
    theirs = {f"{GROUP}{name.strip()}".casefold() for name in groups if name.strip()}
    if not user.casefold().startswith(GROUP):
        theirs |= {user.strip().casefold()} - {""}
    return max(
        (role for role, of in members.items() if theirs & {name.casefold() for name in of}),
        default=None,
    )
