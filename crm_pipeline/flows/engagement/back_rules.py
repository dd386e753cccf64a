"""The rules of the way back: what the source is told of matched Leads and Contacts. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crm_pipeline.accounts.engagement import EngagementSettings
from crm_pipeline.flows.engagement import topics
from crm_pipeline.ledger.engagement import EngagedPerson
from crm_pipeline.ledger.messages import MessageWant

PEOPLE = ("Lead", "Contact")


def watched_fields(chosen: EngagementSettings) -> tuple[str, ...]:
    """The fields of Lead and Contact of which a change is told."""
    own = (field_of(chosen, source) for source in ("favorite", "prospect_id"))
    standard = ("Email", "FirstName", "LastName", "OwnerId", "IsDeleted")
    return (*standard, *(field for field in own if field is not None))


def field_of(chosen: EngagementSettings, source: str) -> str | None:
    """The field of Lead and Contact that shows something of a prospect; None: there is none."""
    return next((f for f, shown in chosen.shown_of_people.items() if shown == source), None)


def told_values(record: Mapping[str, Any], chosen: EngagementSettings) -> dict[str, Any]:
    """Returns what the source is told of a record that was read; `owner_id` is ours.

    A queue as owner may have no address.
    """
    owner = record.get("Owner") or {}
    favorite, prospect = (field_of(chosen, each) for each in ("favorite", "prospect_id"))
    return {
        "id": record["Id"],
        "email": record.get("Email"),
        "favorite": record.get(favorite) if favorite else None,
        "name": record.get("Name"),
        "first_name": record.get("FirstName"),
        "last_name": record.get("LastName"),
        "owner_email": owner.get("Email"),
        "prospect_id": record.get(prospect) if prospect else None,
        "owner_id": record.get("OwnerId"),
    }


def edits(
    noticed: Sequence[tuple[str | None, str, Mapping[str, Any]]], chosen: EngagementSettings
) -> list[MessageWant]:
    """Returns what is told of records that people changed, once for each record.

    Args:
        noticed: for each the natural key that it is held for, its object, and what was read.
        chosen: the account's.
    """
    told = {
        record["Id"]: _message(
            sobject,
            told_values(record, chosen),
            datetime.fromisoformat(record["SystemModstamp"]),
            is_gone=bool(record.get("IsDeleted")),
        )
        for key, sobject, record in noticed
        if sobject in PEOPLE and key is not None and key.startswith("engaged:")
    }
    return list(told.values())


def told_anew(people: Sequence[EngagedPerson], now: datetime) -> list[MessageWant]:
    """Returns what is told of records whose owner has another address, or that were merged away."""
    return [_message(e.sobject, e.columns, now, is_gone=not e.is_there) for e in people]


def _message(
    sobject: str, values: Mapping[str, Any], as_of: datetime, *, is_gone: bool
) -> MessageWant:
    body = {name: value for name, value in values.items() if name != "owner_id"}
    body |= {"object": sobject, "is_gone": is_gone}
    return MessageWant(topics.PEOPLE_BACK, str(values["id"]), as_of, body)
