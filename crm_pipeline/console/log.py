"""Who looked at whom and who did what: kept in `crm.console_log`, and told in the process's log."""

import logging
from collections.abc import Collection

from sqlalchemy import Connection

from crm_pipeline.console.databases import ConsoleDatabases
from crm_pipeline.console.roles import Somebody
from crm_pipeline.database.statements import statement

log = logging.getLogger("crm_pipeline.console")


def note(
    connection: Connection,
    somebody: Somebody,
    action: str,
    *,
    account_id: str | None = None,
    people: Collection[int] = (),
    detail: str = "",
) -> None:
    """Notes what somebody does, within the transaction that does it.

    Args:
        connection: the caller's.
        somebody: who.
        action: such as `look`, `log in`, `requeue`.
        account_id: about which account; None: none, or several.
        people: about whom, by their numbers.
        detail: without personal data.
    """
    connection.execute(
        statement("console/note"),
        {
            "who": somebody.name,
            "role": somebody.role.name,
            "action": action,
            "account_id": account_id,
            "people": sorted(people),
            "detail": detail,
        },
    )
    log.info(
        "%r: %s %s %s people: %s", somebody.name, action, account_id or "-", detail, len(people)
    )


def note_look(
    databases: ConsoleDatabases,
    somebody: Somebody,
    page: str,
    account_id: str | None,
    people: Collection[int],
) -> None:
    """Notes that somebody was shown people; where nothing can be written, in the log alone."""
    if databases.primary_answers():
        with databases.pipeline.begin() as connection:
            note(connection, somebody, "look", account_id=account_id, people=people, detail=page)
        return
    log.warning(
        "%r: look %s %s, not in crm.console_log as the primary is away; people: %s",
        somebody.name,
        account_id or "-",
        page,
        ", ".join(map(str, sorted(people))),
    )
