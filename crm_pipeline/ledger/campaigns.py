"""The ledger of campaigns: links, memberships, and those that are to be sent.

Each function works within the caller's transaction, on the connection that holds the
account's lock; `campaign_links`, `overview` and `queue_backfill` are also for commands.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, Row

from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement
from crm_pipeline.ledger import campaign_keys
from crm_pipeline.ledger.outcomes import FOUND_AFTER_LOST_ANSWER

_CAMPAIGN_ID = re.compile(r"701[A-Za-z0-9]{12}(?:[A-Z0-5]{3})?")


@dataclass(frozen=True, slots=True)
class DueCampaign:
    """A campaign that is to be found or created; `campaign_key` says what it is about.

    `intent` is what the flow wants (see `crm_pipeline.delivery`); `sent` are the fields of each
    creation, of whatever version, of which the org may have made something; `campaign_id` is the
    one known so far, and `former` the campaign's fields as they were wanted before. `parent_id` is
    the campaign above it, and `former_parent_id` the one that it was given.
    """

    operation_id: int
    campaign_key: str
    intent: Mapping[str, Any]
    sent: Sequence[Mapping[str, Any]]
    campaign_id: str | None
    former: Sequence[Mapping[str, Any]] = ()
    parent_id: str | None = None
    former_parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class LinkedCampaign:
    """A campaign, the statuses it still lacks, whether it was created just now, and its parent."""

    campaign_key: str
    campaign_id: str
    missing_statuses: Sequence[Mapping[str, Any]]
    is_new: bool = False
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class DueMember:
    """A membership to be sent, its campaign, and the record that stands for its person.

    `former_person_id` is the record that it was sent for before, where there was one;
    `former_statuses` are the one that was wanted last and reached the org, and those that may have
    reached it since; `is_unanswered` says that it was to be created already, and what came of that
    is not known.
    """

    operation_id: int
    person_key: int
    intent: Mapping[str, Any]
    campaign_id: str
    is_new: bool
    missing_statuses: Sequence[Mapping[str, Any]]
    person_sobject: str
    person_id: str
    former_person_id: str | None
    former_statuses: Sequence[str] = ()
    is_unanswered: bool = False

    @property
    def campaign_key(self) -> str:
        """The key of the campaign that it is a membership of (`ledger.campaign_keys`)."""
        return campaign_keys.key_of(self.intent)


@dataclass(frozen=True, slots=True)
class GoneMember:
    """A membership that is to be gone, and why; only one that is ours is deleted.

    `campaign_id` and `person_id` are None where nothing can be there.
    """

    operation_id: int
    reason: str
    campaign_id: str | None
    person_id: str | None
    former_person_id: str | None
    is_ours: bool


@dataclass(frozen=True, slots=True)
class Said:
    """The last fields of an intent, as of when (UTC), and what the flow remembers beside them.

    `was_sent` says whether any version of it was.
    """

    as_of: datetime
    intent: Mapping[str, Any]
    memory: Mapping[str, Any] | None = None
    was_sent: bool = True


def campaign_links(connection: Connection, account_id: str) -> dict[str, str]:
    """The campaigns that people named for events, sessions or series, by key."""
    rows = connection.execute(statement("campaigns/links"), {"account_id": account_id})
    return {row.campaign_key: row.campaign_id for row in rows}


def add_campaign_link(
    connection: Connection, account_id: str, campaign_key: str, campaign_id: str
) -> None:
    """Names a campaign; another one that was named before is forgotten.

    Raises:
        ValueError: it is no Id of a campaign (Salesforce refuses a query for such a one).
    """
    if not _CAMPAIGN_ID.fullmatch(campaign_id):
        raise ValueError(f"{campaign_id!r} is not the Id of a campaign, such as 701Hs000000abcd")
    connection.execute(
        statement("campaigns/add_link"),
        {"account_id": account_id, "campaign_key": campaign_key, "campaign_id": campaign_id},
    )


def latest_intents(
    connection: Connection, account_id: str, natural_keys: Collection[str]
) -> dict[str, Said]:
    """Returns the last intent of each of these natural keys that is known."""
    rows = connection.execute(
        statement("campaigns/latest_intents"),
        {"account_id": account_id, "natural_keys": list(natural_keys)},
    )
    return {row.natural_key: Said(row.as_of, row.intent, row.memory, row.was_sent) for row in rows}


@dataclass(frozen=True, slots=True)
class MemberOfPerson:
    """Somebody's membership: its latest operation, and the member in the org, if one is known."""

    person_key: int
    natural_key: str
    operation_id: int
    state: str
    reason: str | None
    member_id: str | None


def members_of_person(
    connection: Connection, account_id: str, event_id: int, address: str
) -> list[MemberOfPerson]:
    """Returns the memberships of whoever has an address: the event's and those of its sessions."""
    parameters = {"account_id": account_id, "event_id": event_id, "address": address}
    return objects(
        connection.execute(statement("campaigns/members_of_person"), parameters), MemberOfPerson
    )


def rows_as_activities(
    connection: Connection, account_id: str, rows: Collection[str]
) -> dict[str, str]:
    """Returns how the activities of rows (`registration:4711`) stand, and why one is not sent."""
    parameters = {"account_id": account_id, "natural_keys": list(rows)}
    found = connection.execute(statement("campaigns/rows_as_activities"), parameters)
    return {
        row.natural_key: f"{row.state}: {row.reason}" if row.state == "rejected" else row.state
        for row in found
    }


def known_memberships(connection: Connection, account_id: str) -> list[str]:
    """Returns the natural keys of all memberships that are known."""
    rows = connection.scalars(statement("campaigns/known_memberships"), {"account_id": account_id})
    return list(rows)


def statuses_due(connection: Connection, account_id: str, today: date) -> list[str]:
    """Returns the natural keys of campaigns that want another status, since days have passed."""
    parameters = {"account_id": account_id, "today": today.isoformat()}
    return list(connection.scalars(statement("campaigns/statuses_due"), parameters))


def wanted_people(
    connection: Connection, account_id: str, person_keys: Collection[int]
) -> set[int]:
    """Returns those of these people whose record in the org is, or was, asked for."""
    parameters = {"account_id": account_id, "person_keys": list(person_keys)}
    return set(connection.scalars(statement("campaigns/wanted_people"), parameters))


def wanted_statuses(
    connection: Connection, account_id: str, keys: Collection[str]
) -> dict[str, Sequence[Mapping[str, Any]]]:
    """The statuses that each of these campaigns is to have for its members, in order."""
    named = {f"campaign:{key}": key for key in keys}
    said = latest_intents(connection, account_id, named)
    return {named[key]: each.intent["statuses"] for key, each in said.items()}


def absorbed_members(connection: Connection, account_id: str) -> list[tuple[int, Said]]:
    """Unsent memberships of people for whom others stand now: by whom, and what was said."""
    rows = connection.execute(statement("campaigns/absorbed_members"), {"account_id": account_id})
    return [(row.successor, Said(row.as_of, row.intent, row.memory)) for row in rows]


def due_campaigns(
    connection: Connection, account_id: str, *, after: int = 0, limit: int
) -> list[DueCampaign]:
    """Pending campaigns with an operation id above `after`, oldest first."""
    window = {"account_id": account_id, "after": after, "limit": limit}
    rows = connection.execute(statement("campaigns/due_campaigns"), window)
    return objects(rows, DueCampaign)


def note_campaigns(
    connection: Connection, account_id: str, linked: Sequence[LinkedCampaign]
) -> None:
    """Notes which campaign each event, session or series is."""
    rows = {"account_id": account_id, "rows": orjson.dumps(linked).decode()}
    connection.execute(statement("campaigns/note_campaigns"), rows)


def note_following(connection: Connection, fields: Mapping[int, Mapping[str, Any]]) -> None:
    """Notes which fields of their campaigns are about to follow, by operation."""
    rows = [{"operation_id": operation, "sent": sent} for operation, sent in fields.items()]
    connection.execute(statement("campaigns/note_following"), {"rows": orjson.dumps(rows).decode()})


def campaigns_are_ready(
    connection: Connection, account_id: str, campaign_ids: Collection[str]
) -> None:
    """Notes that these campaigns have their statuses and may have members from now on."""
    parameters = {"account_id": account_id, "campaign_ids": list(campaign_ids)}
    connection.execute(statement("campaigns/campaigns_are_ready"), parameters)


def reopen_links(connection: Connection, account_id: str, campaign_ids: Collection[str]) -> None:
    """Has these campaigns looked up again: perhaps they are there no more."""
    parameters = {"account_id": account_id, "campaign_ids": list(campaign_ids)}
    connection.execute(statement("campaigns/reopen_links"), parameters)


def operations_of_campaigns(
    connection: Connection, account_id: str, campaign_ids: Collection[str]
) -> dict[int, str]:
    """The operations that linked these campaigns, with the campaign of each."""
    parameters = {"account_id": account_id, "campaign_ids": list(campaign_ids)}
    rows = connection.execute(statement("campaigns/operations_of_campaigns"), parameters)
    return {row.operation_id: row.campaign_id for row in rows}


def due_members(
    connection: Connection, account_id: str, *, after: int = 0, limit: int
) -> list[DueMember]:
    """Pending memberships that can be sent, with an operation id above `after`, oldest first."""
    window = {"account_id": account_id, "after": after, "limit": limit}
    rows = connection.execute(statement("campaigns/due_members"), window)
    return objects(rows, DueMember)


def due_gone_members(
    connection: Connection, account_id: str, *, after: int = 0, limit: int
) -> list[GoneMember]:
    """Memberships that are to be gone, with an operation id above `after`, oldest first."""
    window = {"account_id": account_id, "after": after, "limit": limit}
    rows = connection.execute(statement("campaigns/due_gone_members"), window)
    return objects(rows, GoneMember)


def due_member_volume(connection: Connection, account_id: str) -> int:
    """Counts the pending memberships."""
    number: int = connection.execute(
        statement("campaigns/due_volume"), {"account_id": account_id}
    ).scalar_one()
    return number


def note_members(connection: Connection, operation_ids: Sequence[int]) -> None:
    """Notes that the memberships of these operations are in the org, or no concern any more."""
    parameters = {"operation_ids": list(operation_ids)}
    connection.execute(statement("campaigns/forget_members"), parameters)
    connection.execute(
        statement("campaigns/note_members"),
        {**parameters, "found_after_lost_answer": FOUND_AFTER_LOST_ANSWER},
    )
    connection.execute(statement("campaigns/note_twice"), parameters)


def reopen_moved_members(connection: Connection, account_id: str) -> None:
    """Has memberships looked at again whose person or campaign is another record by now."""
    connection.execute(statement("campaigns/reopen_moved"), {"account_id": account_id})


def conversions_since(connection: Connection, account_id: str, pause: timedelta) -> datetime | None:
    """Since when leads that are members may have been converted (UTC).

    None: none is a member, or the org was asked within the pause.
    """
    parameters = {"account_id": account_id, "pause_seconds": pause.total_seconds()}
    since: datetime | None = connection.scalar(statement("campaigns/conversions_since"), parameters)
    return since


def note_conversions(connection: Connection, account_id: str, contact_of: Mapping[str, str]) -> int:
    """Contacts stand for the people of these leads now; the org was asked for all until now.

    Returns:
        How many people are to be decided anew, as the conversions may have left fields behind.
    """
    rows = [{"lead_id": lead, "contact_id": contact} for lead, contact in contact_of.items()]
    parameters = {"account_id": account_id, "rows": orjson.dumps(rows).decode()}
    undecided = connection.execute(statement("ledger/convert_identities"), parameters).rowcount
    connection.execute(statement("campaigns/conversions_were_seen"), {"account_id": account_id})
    return undecided


def queue_backfill(connection: Connection, account_id: str, rows: Mapping[int, int]) -> None:
    """Has events read again from their start; `rows` are their participations by event id."""
    events = [{"event_id": event_id, "rows": number} for event_id, number in rows.items()]
    connection.execute(
        statement("campaigns/queue_backfill"),
        {"account_id": account_id, "events": orjson.dumps(events).decode()},
    )


def waiting_backfills(connection: Connection, account_id: str) -> dict[int, int]:
    """Events that are to be read again, oldest request first, with their participations."""
    rows = connection.execute(statement("campaigns/waiting_backfills"), {"account_id": account_id})
    return {row.event_id: row.rows for row in rows}


def backfills_done(connection: Connection, account_id: str, event_ids: Collection[int]) -> None:
    """Notes that these events were read again."""
    parameters = {"account_id": account_id, "event_ids": list(event_ids)}
    connection.execute(statement("campaigns/backfills_done"), parameters)


def sessions_were_read(connection: Connection, account_id: str, sessions: Collection[int]) -> None:
    """Notes that the members of these sessions were read from their start."""
    parameters = {"account_id": account_id, "sessions": list(sessions)}
    connection.execute(statement("campaigns/sessions_were_read"), parameters)


def known_events(connection: Connection, account_id: str) -> list[int]:
    """The events that have a campaign, theirs or a session's, or might have one for all we read."""
    rows = connection.scalars(statement("campaigns/known_events"), {"account_id": account_id})
    return list(rows)


def reopen_children(connection: Connection, account_id: str) -> int:
    """Has campaigns looked at again whose parent is another one now; returns how many wait."""
    parameters = {"account_id": account_id}
    waiting: int = connection.execute(
        statement("campaigns/reopen_children"), parameters
    ).scalar_one()
    return waiting


def parent_is_gone(connection: Connection, account_id: str, campaign_id: str) -> None:
    """Notes that a campaign which was deleted is above none any more."""
    parameters = {"account_id": account_id, "campaign_id": campaign_id}
    connection.execute(statement("campaigns/parent_is_gone"), parameters)


def linked_keys(connection: Connection, account_id: str) -> set[str]:
    """The keys of events, sessions and series that have a campaign."""
    rows = connection.scalars(statement("campaigns/linked_keys"), {"account_id": account_id})
    return set(rows)


def linked_campaigns(connection: Connection, account_id: str) -> set[str]:
    """The campaigns of the account's events."""
    rows = connection.scalars(statement("campaigns/linked_campaigns"), {"account_id": account_id})
    return set(rows)


def mapping_fingerprint(connection: Connection, account_id: str) -> str | None:
    """Returns the fingerprint of members' mapping at their last reading; None if never read."""
    fingerprint: str | None = connection.scalar(
        statement("campaigns/fingerprint"), {"account_id": account_id}
    )
    return fingerprint


def set_mapping_fingerprint(connection: Connection, account_id: str, fingerprint: str) -> None:
    """Notes what the mapping of members is now."""
    parameters = {"account_id": account_id, "fingerprint": fingerprint}
    connection.execute(statement("campaigns/set_fingerprint"), parameters)


def overview(connection: Connection, account_id: str) -> Sequence[Row[Any]]:
    """Each event, session and series with its campaign, members and back-fill, for people."""
    return connection.execute(statement("campaigns/overview"), {"account_id": account_id}).all()
