"""The membership that each row of the source tells of.

A row is named by its source's letter and its id: `r4711` is a registration, `a99` an attendance; a
membership by its natural key. Each function works within the caller's transaction, on the
connection that holds the account's lock.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, CursorResult

from crm_pipeline.database.statements import statement


class MemberRow(NamedTuple):
    """The memberships that a row tells of, by their natural keys, and what of.

    Attributes:
        natural_key: of the membership in the event's campaign; None: sessions alone have some.
        session: the row's; None where that was not noted.
        attended: whether the row says that somebody was there, live.
        of_session: as natural_key, in the session's campaign.
    """

    natural_key: str | None
    session: int | None
    attended: bool
    of_session: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The natural keys of the memberships that it tells of."""
        return tuple(key for key in (self.natural_key, self.of_session) if key is not None)


def memberships_of(
    connection: Connection, account_id: str, rows: Collection[str]
) -> dict[str, MemberRow]:
    """Returns the membership that each of these rows told of last, where it told of one."""
    parameters = {"account_id": account_id, "source_rows": list(rows)}
    return _by_row(connection.execute(statement("campaigns/memberships_of_rows"), parameters))


def vanished_rows(connection: Connection, account_id: str) -> dict[str, MemberRow]:
    """Rows that are not in the source any more, with the membership that they still tell of."""
    parameters = {"account_id": account_id}
    return _by_row(connection.execute(statement("campaigns/vanished_rows"), parameters))


def _by_row(found: CursorResult[Any]) -> dict[str, MemberRow]:
    return {
        row.source_row: MemberRow(
            row.natural_key, row.event_session_id, row.attended, row.of_session
        )
        for row in found
    }


def note_memberships(
    connection: Connection, account_id: str, memberships: Mapping[str, MemberRow | None]
) -> None:
    """Notes of which membership these rows tell from now on; None: of none."""
    if told := {row: each for row, each in memberships.items() if each is not None}:
        connection.execute(
            statement("campaigns/note_rows"),
            {
                "account_id": account_id,
                "source_rows": list(told),
                "natural_keys": [each.natural_key for each in told.values()],
                "sessions": [each.session for each in told.values()],
                "attended": [each.attended for each in told.values()],
                "of_session": [each.of_session for each in told.values()],
            },
        )
    if silent := [row for row, each in memberships.items() if each is None]:
        connection.execute(
            statement("campaigns/forget_rows"), {"account_id": account_id, "source_rows": silent}
        )
