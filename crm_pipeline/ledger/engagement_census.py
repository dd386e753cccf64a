"""The census of the engagement workflow, as it was taken last.

Each function works within the caller's transaction.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement
from crm_pipeline.text import storable_json


@dataclass(slots=True)
class Counted:
    """The records of an object.

    Attributes:
        sobject: its API name.
        at_source: rows of the source that one record each stands for; None: no table of it does.
        in_ledger: those that are held.
        in_org: those that the org shows; None: it does not show the object.
        not_seen: natural keys of held ones that the org did not show: hidden, or deleted.
        not_ours: Ids of those that nothing is held for, such as people made.
    """

    sobject: str
    at_source: int | None
    in_ledger: int
    in_org: int | None
    not_seen: Sequence[str] = ()
    not_ours: Sequence[str] = ()


def request_census(connection: Connection, account_id: str) -> None:
    """Asks for a census with the next cycle."""
    connection.execute(statement("engagement/request_census"), {"account_id": account_id})


def is_census_requested(connection: Connection, account_id: str) -> bool:
    """Returns whether a census is asked for."""
    whose = {"account_id": account_id}
    return bool(connection.scalar(statement("engagement/census_requested"), whose))


def record_census(connection: Connection, account_id: str, counted: Sequence[Counted]) -> None:
    """Records a census in place of the one before; the request for it is done."""
    parameters = {"account_id": account_id, "rows": storable_json(counted)}
    connection.execute(statement("engagement/record_census"), parameters)


def last_census(connection: Connection, account_id: str) -> list[Counted]:
    """Returns the last census; nothing where there was none."""
    rows = connection.execute(statement("engagement/census"), {"account_id": account_id})
    return objects(rows, Counted)


def held_of_objects(
    connection: Connection, account_id: str, topics: Collection[str], sobjects: Collection[str]
) -> dict[str, int]:
    """Counts the records that stand in the org for some topics, by object; others are absent."""
    parameters = {"account_id": account_id, "topics": list(topics), "sobjects": list(sobjects)}
    rows = connection.execute(statement("engagement/held_of_objects"), parameters)
    return {row.sobject: row.number for row in rows}


def held_of_object(
    connection: Connection, account_id: str, topics: Collection[str], sobject: str
) -> dict[str, str]:
    """Natural keys of the records of an object that stand in the org, by Id, in its order."""
    parameters = {"account_id": account_id, "topics": list(topics), "sobject": sobject}
    rows = connection.execute(statement("engagement/held_of_object"), parameters)
    return {row.salesforce_id: row.natural_key for row in rows}
