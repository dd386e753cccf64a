"""Prospects as they were read last, and the Leads and Contacts with their addresses.

Each function works within the caller's transaction, on the connection that holds the account's
lock.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection

from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement
from crm_pipeline.text import storable_json

ALL = ""
"""In a request: every prospect."""


@dataclass(slots=True)
class Definition:
    """A tag or a score that the source defines.

    Attributes:
        kind: which of the two.
        definition_id: the source's.
        as_of: when it was shipped, UTC.
        columns: what it says, by the extract's columns.
    """

    kind: Literal["tag", "score"]
    definition_id: str
    as_of: datetime
    columns: Mapping[str, Any]


@dataclass(slots=True)
class Prospect:
    """A prospect.

    Attributes:
        prospect_id: the source's.
        as_of: when it was shipped last, UTC.
        email: as `email_key` writes it, or None.
        is_active: whether its life cycle is Active.
        columns: what else it says, by the extract's columns.
        tags: by the tag's id, what is said of it.
        scores: likewise.
    """

    prospect_id: str
    as_of: datetime
    email: str | None
    is_active: bool
    columns: Mapping[str, Any]
    tags: Mapping[str, Mapping[str, Any]]
    scores: Mapping[str, Mapping[str, Any]]


@dataclass(slots=True)
class ProspectToSay(Prospect):
    """A prospect of which something is to be said.

    Attributes:
        is_gone: it is not at the source any more, or people deleted it in the org.
        is_due: all of it is to be said; else only how it stands with its people.
        lead_attempts: tries of its Leads, the most.
        contact_attempts: tries of its Contacts, the most.
        is_waiting: whether Leads or Contacts have not got all of it yet.
        has_given_up: whether one of them never will, before the source changes it.
    """

    is_gone: bool
    is_due: bool
    lead_attempts: int
    contact_attempts: int
    is_waiting: bool
    has_given_up: bool


@dataclass(slots=True)
class EngagedPerson:
    """A Lead or Contact that has the address of a prospect, or had it.

    Attributes:
        salesforce_id: its Id.
        sobject: Lead or Contact.
        email: as `email_key` writes it, or None.
        is_there: whether it is not deleted.
        is_converted: of Leads.
        is_engaged: whether it has, or is to have, data of a prospect.
        columns: what else was read of it.
        former: what its fields were wanted to show last, as an intent; where matches are events.
        former_version: of that; 0 for none.
        filled: its fields that show something of a prospect, or may; where matches are events.
    """

    salesforce_id: str
    sobject: str
    email: str | None
    is_there: bool
    is_converted: bool
    is_engaged: bool
    columns: Mapping[str, Any]
    former: Mapping[str, Any] | None = None
    former_version: int = 0
    filled: Sequence[str] = ()


def record_definitions(
    connection: Connection, account_id: str, definitions: Sequence[Definition]
) -> tuple[list[Definition], list[Definition]]:
    """Records all definitions of the source; prospects that have one that changed are due.

    Returns:
        Those that are new or say something else, and those that are not there any more.
    """
    parameters = {"account_id": account_id, "rows": storable_json(definitions)}
    changed = objects(
        connection.execute(statement("engagement/record_definitions"), parameters), Definition
    )
    there = {
        "account_id": account_id,
        "kinds": [each.kind for each in definitions],
        "definition_ids": [each.definition_id for each in definitions],
    }
    gone = objects(
        connection.execute(statement("engagement/forget_definitions"), there), Definition
    )
    concerned = [*changed, *gone]
    if concerned:
        ids = {
            f"{kind}s": [each.definition_id for each in concerned if each.kind == kind]
            for kind in ("tag", "score")
        }
        connection.execute(statement("engagement/touch_defined"), {"account_id": account_id, **ids})
    return changed, gone


def definitions_of(connection: Connection, account_id: str) -> list[Definition]:
    """Returns all that defines tags and scores."""
    rows = connection.execute(statement("engagement/definitions"), {"account_id": account_id})
    return objects(rows, Definition)


def record_prospects(connection: Connection, account_id: str, prospects: Sequence[Prospect]) -> int:
    """Records those of some prospects that are new or changed; they and their people are due.

    Returns:
        How many that are.
    """
    if not prospects:
        return 0
    parameters = {"account_id": account_id, "rows": storable_json(prospects)}
    rows = connection.execute(statement("engagement/which_changed"), parameters).all()
    before = {row.prospect_id: row.email for row in rows}
    changed = [each for each in prospects if each.prospect_id in before]
    if changed:
        connection.execute(
            statement("engagement/record_prospects"),
            {
                "account_id": account_id,
                "rows": storable_json(changed),
                "former_emails": [email for email in before.values() if email is not None],
            },
        )
    return len(changed)


def touch_prospects(
    connection: Connection, account_id: str, prospect_ids: Collection[str] | None
) -> None:
    """Has prospects said anew, and the people with their addresses; None: all of them."""
    parameters = {
        "account_id": account_id,
        "all": prospect_ids is None,
        "prospect_ids": list(prospect_ids or ()),
    }
    connection.execute(statement("engagement/touch_prospects"), parameters)


def seek_anew(connection: Connection, account_id: str) -> None:
    """Has people with the addresses of prospects sought again, and Opportunities."""
    connection.execute(statement("engagement/seek_anew"), {"account_id": account_id})


def mark_gone(
    connection: Connection,
    account_id: str,
    there: Collection[str],
    asked: Collection[str] | None = None,
) -> int:
    """Marks prospects that a full reading did not find.

    Args:
        connection: the caller's.
        account_id: whose.
        there: those that it found.
        asked: those that it was about; None: all.

    Returns:
        How many.
    """
    parameters = {
        "account_id": account_id,
        "prospect_ids": list(there),
        "asked": None if asked is None else list(asked),
    }
    found = connection.scalar(statement("engagement/mark_gone"), parameters)
    return int(found or 0)


def mark_deleted_in_org(
    connection: Connection, account_id: str, salesforce_ids: Collection[str]
) -> None:
    """Marks prospects whose records people deleted, by the Ids of these."""
    parameters = {"account_id": account_id, "salesforce_ids": list(salesforce_ids)}
    connection.execute(statement("engagement/mark_deleted_in_org"), parameters)


def revive_prospects(
    connection: Connection, account_id: str, salesforce_ids: Collection[str]
) -> None:
    """Has prospects wanted again whose records people brought back, by the Ids of these.

    Of those that the source no longer has, the records are deleted again.
    """
    parameters = {"account_id": account_id, "salesforce_ids": list(salesforce_ids)}
    connection.execute(statement("engagement/revive_prospects"), parameters)


def addresses_to_seek(connection: Connection, account_id: str, limit: int) -> list[str]:
    """Addresses of prospects that were not sought in the org yet."""
    parameters = {"account_id": account_id, "limit": limit}
    return list(connection.scalars(statement("engagement/to_seek"), parameters))


def note_sought(connection: Connection, account_id: str, emails: Collection[str]) -> None:
    """Notes that addresses were sought in the org."""
    parameters = {"account_id": account_id, "emails": list(emails)}
    connection.execute(statement("engagement/note_sought"), parameters)


def take_people(
    connection: Connection, account_id: str, people: Sequence[Mapping[str, Any]]
) -> dict[str, int]:
    """Keeps those of some Leads and Contacts that have the address of a prospect, or had it.

    A Lead may have become a Contact among them, or one that another call reads.

    Args:
        connection: the caller's.
        account_id: whose.
        people: `salesforce_id`, `sobject`, `email`, `is_there`, `is_converted`, `columns`,
            `org_account`, `merged_into` (an Id or None), `successor` (likewise; also what a Lead
            was converted to), `stamp`.

    Returns:
        How many are new or changed, by their object.
    """
    if not people:
        return {}
    parameters = {"account_id": account_id, "rows": storable_json(people)}
    taken = {
        row.sobject: row.number
        for row in connection.execute(statement("engagement/take_people"), parameters)
    }
    note_successors_read(connection, account_id, [each["salesforce_id"] for each in people])
    return taken


def unread_successors(connection: Connection, account_id: str, limit: int) -> list[str]:
    """The Ids of records that stand for matched people now, and were not read yet."""
    parameters = {"account_id": account_id, "limit": limit}
    return list(connection.scalars(statement("engagement/unread_successors"), parameters))


def note_successors_read(
    connection: Connection, account_id: str, salesforce_ids: Collection[str]
) -> None:
    """Notes that these were read, or asked for and not found."""
    parameters = {"account_id": account_id, "salesforce_ids": list(salesforce_ids)}
    connection.execute(statement("engagement/note_successors_read"), parameters)


def take_owners(connection: Connection, account_id: str, owners: Mapping[str, str | None]) -> None:
    """Notes the addresses of users who may own matched people, by their Ids."""
    parameters = {
        "account_id": account_id,
        "owner_ids": list(owners),
        "emails": list(owners.values()),
    }
    connection.execute(statement("engagement/take_owners"), parameters)


def take_to_tell(connection: Connection, account_id: str) -> list[EngagedPerson]:
    """Returns the people whose owner's address changed since this was asked last.

    And those that were merged into others.
    """
    rows = connection.execute(statement("engagement/take_to_tell"), {"account_id": account_id})
    return objects(rows, EngagedPerson)


def prospects_to_say(
    connection: Connection, account_id: str, *, after: str, limit: int
) -> list[ProspectToSay]:
    """Prospects of which something is to be said, with an id behind `after`."""
    parameters = {"account_id": account_id, "after": after, "limit": limit}
    rows = connection.execute(statement("engagement/prospects_to_say"), parameters)
    return objects(rows, ProspectToSay)


def note_said_prospects(
    connection: Connection, account_id: str, prospects: Sequence[ProspectToSay]
) -> None:
    """Notes that what is wanted of these was said."""
    parameters = {
        "account_id": account_id,
        "prospect_ids": [each.prospect_id for each in prospects],
        "open": [each.prospect_id for each in prospects if each.is_waiting],
    }
    connection.execute(statement("engagement/note_said_prospects"), parameters)


def open_of_late_events(connection: Connection, account_id: str, topic: str) -> None:
    """Has it said how prospects stand whose matches are to be published again."""
    parameters = {"account_id": account_id, "topic": topic}
    connection.execute(statement("engagement/open_of_late_events"), parameters)


def people_to_say(
    connection: Connection, account_id: str, *, by_event: bool, limit: int
) -> list[EngagedPerson]:
    """Leads and Contacts of which something is to be said; `by_event`: with what was said last."""
    parameters = {"account_id": account_id, "by_event": by_event, "limit": limit}
    rows = connection.execute(statement("engagement/people_to_say"), parameters)
    return objects(rows, EngagedPerson)


def note_said_people(
    connection: Connection,
    account_id: str,
    people: Sequence[EngagedPerson],
    engaged: Collection[str],
) -> None:
    """Notes that what is wanted of these was said, and which of them have a prospect's data.

    The Accounts of these Contacts are to be said then.
    """
    parameters = {
        "account_id": account_id,
        "salesforce_ids": [each.salesforce_id for each in people],
        "engaged": list(engaged),
    }
    connection.execute(statement("engagement/note_said_people"), parameters)


def prospects_of(
    connection: Connection, account_id: str, emails: Collection[str]
) -> dict[str, list[Prospect]]:
    """Active prospects by address, the one that changed last at the end."""
    parameters = {"account_id": account_id, "emails": list(emails)}
    rows = connection.execute(statement("engagement/prospects_of_addresses"), parameters)
    found: dict[str, list[Prospect]] = {}
    for each in objects(rows, Prospect):
        found.setdefault(str(each.email), []).append(each)
    return found


def is_deleted_prospect(connection: Connection, account_id: str, prospect_id: str) -> bool | None:
    """Returns whether people deleted a prospect's record; None of one that was never read."""
    parameters = {"account_id": account_id, "prospect_id": prospect_id}
    deleted: bool | None = connection.scalar(
        statement("engagement/is_deleted_prospect"), parameters
    )
    return deleted


def request_reading(
    connection: Connection, account_id: str, prospect_id: str = ALL, *, anew: bool = False
) -> None:
    """Asks for a full reading with the next cycle: of one prospect, or of all.

    `anew`: all that is held of them is sent again (`send_anew`).
    """
    parameters = {"account_id": account_id, "prospect_id": prospect_id, "anew": anew}
    connection.execute(statement("engagement/request"), parameters)


def count_records(
    connection: Connection, account_id: str, topics: Collection[str], sobjects: Collection[str]
) -> int:
    """Counts the records of some objects that stand in the org for some topics."""
    parameters = {"account_id": account_id, "topics": list(topics), "sobjects": list(sobjects)}
    return int(connection.scalar(statement("engagement/count_records"), parameters) or 0)


class Requested(NamedTuple):
    """A full reading that is asked for: since when (UTC), and whether all is sent anew."""

    requested_at: datetime
    anew: bool


def requested_readings(connection: Connection, account_id: str) -> dict[str, Requested]:
    """The prospects of which full readings are asked for; `ALL` may be among them."""
    rows = connection.execute(statement("engagement/requests"), {"account_id": account_id})
    return {row.prospect_id: Requested(row.requested_at, row.anew) for row in rows}


def end_requests(
    connection: Connection, account_id: str, requested: Mapping[str, Requested]
) -> None:
    """Notes that full readings are done; what was asked for again meanwhile stays asked for."""
    parameters = {
        "account_id": account_id,
        "prospect_ids": list(requested),
        "times": [each.requested_at for each in requested.values()],
    }
    connection.execute(statement("engagement/end_requests"), parameters)


def send_anew(
    connection: Connection,
    account_id: str,
    topics: Collection[str],
    prospect_ids: Collection[str] | None,
    *,
    really: bool = True,
) -> int:
    """Has all that is held of some prospects sent again, with all fields, and what was refused.

    So what people deleted or changed in the org is brought back there.

    Args:
        connection: the caller's.
        account_id: whose.
        topics: those of the workflow.
        prospect_ids: whose records, those at their people and what these count for; None: all.
        really: False: it is only counted.

    Returns:
        How many records that are.
    """
    parameters = {
        "account_id": account_id,
        "topics": list(topics),
        "prospect_ids": None if prospect_ids is None else list(prospect_ids),
        "really": really,
    }
    return int(connection.scalar(statement("engagement/send_anew"), parameters) or 0)
