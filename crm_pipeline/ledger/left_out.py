"""Operations left out because they name something that is not in the org nor made there.

That is a state, `left_out`, with a code of ours (`reason_code`, `codes.OwnCode`). It ends when
what it waits for is there, or may be. Each function works within the caller's transaction, on the
connection that holds the account's lock.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from crm_pipeline.database.rows import the_object
from crm_pipeline.database.statements import statement

NO_ACTIVITY = "the account has no activities of such rows"
"""Why a row has no activity, though its person is sent."""


class SetAside(NamedTuple):
    """Whether an account has any of what is not simply sent.

    Attributes:
        left_out: operations that are.
        dropped: people or campaigns that an operator dropped.
        still_waiting: people who wait since an earlier cycle, or of whom nothing is wanted.
        absorbed: people for whom others stand.
        emptied: fields of its people that others emptied.
    """

    left_out: bool
    dropped: bool
    still_waiting: bool
    absorbed: bool
    emptied: bool


def set_aside(connection: Connection, account_id: str, cycle_id: int) -> SetAside:
    """What an account has of this, by one look, which costs less than to look for each."""
    asked = {"account_id": account_id, "cycle_id": cycle_id}
    return the_object(connection.execute(statement("ledger/set_aside"), asked), SetAside)


def people_left_out(connection: Connection, account_id: str) -> int:
    """Counts the people who are left out, since the org knows them not and they are not made."""
    whose = {"account_id": account_id}
    number: int = connection.execute(statement("ledger/people_left_out"), whose).scalar_one()
    return number


def leave_people_out(connection: Connection, operation_ids: Sequence[int]) -> None:
    """Leaves people out, with what is about them: the org knows them not, and they are not made."""
    parameters = {"operation_ids": list(operation_ids)}
    connection.execute(statement("ledger/leave_people_out"), parameters)


def leave_out_for_dropped(connection: Connection, account_id: str) -> None:
    """Leaves out what is about people, and members of campaigns, that an operator dropped."""
    connection.execute(statement("ledger/leave_out_for_dropped"), {"account_id": account_id})


def leave_out_for_nothing(connection: Connection, account_id: str, cycle_id: int) -> None:
    """Leaves out people who are not in the org, and of whom nothing is to be sent any more."""
    parameters = {"account_id": account_id, "cycle_id": cycle_id, "no_activity": NO_ACTIVITY}
    connection.execute(statement("ledger/leave_out_for_nothing"), parameters)


def reject_filtered(
    connection: Connection, account_id: str, filters: Sequence[str]
) -> Counter[str]:
    """Rejects what waits of people who are not in the org and whom a filter rejects by now.

    Args:
        connection: the ledger.
        account_id: whose people.
        filters: parts of addresses, as `accounts.filters.wanted` makes them.

    Returns:
        How many operations of each kind.
    """
    if not filters:
        return Counter()
    parameters = {"account_id": account_id, "filters": list(filters)}
    return Counter(connection.scalars(statement("ledger/reject_filtered"), parameters))


def reconsider_left_out(
    connection: Connection, account_id: str, *, all_of_them: bool, kinds: Sequence[str]
) -> None:
    """Has people looked up again of whom there is something new, or all; what waited goes on.

    Args:
        connection: the ledger.
        account_id: whose people.
        all_of_them: whether the account makes people of all of them now.
        kinds: of what is about them, those that the account sends.
    """
    parameters = {"account_id": account_id, "all_of_them": all_of_them, "kinds": list(kinds)}
    connection.execute(statement("ledger/reconsider_left_out"), parameters)


def let_go_on(connection: Connection, account_id: str) -> None:
    """Has records go on that refer to nothing that is left out any more."""
    _settle_records(connection, account_id, also_pending=False)


def leave_records_out(connection: Connection, account_id: str) -> None:
    """Leaves records out that refer to what is left out, of those that still wait."""
    _settle_records(connection, account_id, also_pending=True)


def _settle_records(connection: Connection, account_id: str, *, also_pending: bool) -> None:
    parameters = {"account_id": account_id, "also_pending": also_pending}
    connection.execute(statement("records/settle_left_out"), parameters)
