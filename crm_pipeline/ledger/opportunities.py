"""Opportunities of an account's org as they were read last, and who is around them.

Each function works within the caller's transaction, on the connection that holds the account's
lock.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection

from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement
from crm_pipeline.text import storable_json


@dataclass(slots=True)
class OpportunityRow:
    """An opportunity as it was read. Times are written as Salesforce writes them.

    Attributes:
        opportunity_id: its Id.
        record: its fields by API name.
        history: its rows of OpportunityHistory likewise, oldest first; of one of which nothing is
            shown, none.
        deleted: whether the org has it no more.
        stamp: its SystemModstamp.
        created_at: when it was made; None of one that the sweep found to be gone.
    """

    opportunity_id: str
    record: Mapping[str, Any]
    history: Sequence[Mapping[str, Any]]
    deleted: bool
    stamp: str
    created_at: str | None


@dataclass(slots=True)
class RoleRow:
    """A contact's role in an opportunity; of one that is gone no more may be known.

    The person whose account it is has a role of ours, under the opportunity's own Id.
    """

    role_id: str
    opportunity_id: str | None
    contact_id: str | None
    is_primary: bool
    role: str | None
    deleted: bool


@dataclass(slots=True)
class PersonRow:
    """A contact, or a lead that was converted.

    `is_new`: whether it is kept although it was not known; phones are keys of `phone_keys`.
    """

    record_id: str
    tracker_id: str | None
    email: str | None
    phones: Sequence[str]
    deleted: bool
    merged_into: str | None = None
    became_contact: str | None = None
    became_opportunity: str | None = None
    is_new: bool = True


@dataclass(slots=True)
class OrgStage:
    """A stage of the org, and its meaning."""

    stage_id: str
    label: str
    is_closed: bool
    is_won: bool


class Versions(NamedTuple):
    """The numbers of opportunities that got a first version, and a further one."""

    new: int
    changed: int


def begin(connection: Connection, account_id: str, begins_at: datetime) -> None:
    """Notes how far back (UTC) the first reading goes, once."""
    parameters = {"account_id": account_id, "begins_at": begins_at}
    connection.execute(statement("opportunities/begin"), parameters)


def note_opportunities(
    connection: Connection,
    account_id: str,
    opportunities: Sequence[OpportunityRow],
    retyped: Collection[str] = (),
) -> Versions:
    """Keeps opportunities; those that changed get another version, and fire.

    Args:
        connection: the caller's.
        account_id: whose.
        opportunities: each once, as read last.
        retyped: those of them whose stage means something else by now.
    """
    if not opportunities:
        return Versions(0, 0)
    parameters = {
        "account_id": account_id,
        "rows": storable_json(opportunities),
        "retyped": [*retyped],
    }
    noted = connection.execute(statement("opportunities/note"), parameters).one()
    _doubt_around(connection, account_id, noted.gone)
    return Versions(noted.new, noted.changed)


def new_versions(connection: Connection, account_id: str, opportunity_ids: Collection[str]) -> None:
    """Gives known opportunities another version, which fires as an update."""
    if opportunity_ids:
        parameters = {"account_id": account_id, "opportunity_ids": sorted(opportunity_ids)}
        connection.execute(statement("opportunities/new_version"), parameters)


def note_stages(connection: Connection, account_id: str, stages: Sequence[OrgStage]) -> set[str]:
    """Keeps the org's stages; returns the opportunities in one that means something else now."""
    return {*_ids(connection, account_id, "note_stages", stages)}


def note_roles(connection: Connection, account_id: str, roles: Sequence[RoleRow]) -> None:
    """Keeps roles; the opportunities of those that changed are matched anew, unknown ones read."""
    if roles:
        parameters = {"account_id": account_id, "rows": storable_json(roles)}
        connection.execute(statement("opportunities/note_roles"), parameters)
        _want_unknown(
            connection,
            account_id,
            {r.opportunity_id for r in roles if r.opportunity_id and not r.deleted},
        )


def note_people(connection: Connection, account_id: str, people: Sequence[PersonRow]) -> None:
    """Keeps people; the opportunities around which those are who changed are matched anew.

    Roles of merged contacts are those of the winners.
    """
    changed = _ids(connection, account_id, "note_people", people)
    if not changed:
        return
    parameters = {"account_id": account_id, "record_ids": changed}
    connection.execute(statement("opportunities/due_by_people"), parameters)
    connection.execute(statement("opportunities/follow_merged"), parameters)
    named = {each.became_opportunity for each in people if each.became_opportunity is not None}
    _want_unknown(connection, account_id, named)


def to_look_up(connection: Connection, account_id: str, *, limit: int) -> dict[str, list[str]]:
    """Returns what is to be read of the org beside changes: Ids by question.

    `opportunity`: these opportunities; `converted`: leads that were converted into these; `roles`:
    the roles of these; `became`: leads that became these contacts; `person`, `role`: these people
    and roles.
    """
    parameters = {"account_id": account_id, "limit": limit}
    wanted: dict[str, list[str]] = {}
    for row in connection.execute(statement("opportunities/to_look_up"), parameters):
        wanted.setdefault(row.question, []).append(row.id)
    return wanted


def looked_up(
    connection: Connection, account_id: str, answered: Mapping[str, Sequence[str]]
) -> None:
    """Notes that questions of `to_look_up` were answered; what was not found then is gone."""
    connection.execute(
        statement("opportunities/looked_up"),
        {
            "account_id": account_id,
            "opportunities": list(answered.get("opportunity", ())),
            "converted": list(answered.get("converted", ())),
            "became": list(answered.get("became", ())),
            "people": list(answered.get("person", ())),
            "roles": list(answered.get("role", ())),
        },
    )


@dataclass(slots=True)
class DueOpportunity:
    """An opportunity to be matched.

    Attributes:
        opportunity_id: its Id.
        record: what was read of it last, by API name.
        history: its rows of OpportunityHistory likewise, oldest first.
        amount: as the org has it.
        deleted: whether it is gone.
        version: grows with each state that was read.
        created_at: in the org, UTC.
        in_filter: whether it fulfilled the filter when matched last.
        told: whether the platform is told of it already.
        as_of: the time of this look, UTC; it only grows.
        fired: the last version at which each trigger fired.
    """

    opportunity_id: str
    record: Mapping[str, Any]
    history: Sequence[Mapping[str, Any]]
    amount: Decimal | None
    deleted: bool
    version: int
    created_at: datetime
    in_filter: bool
    told: bool
    as_of: datetime
    fired: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Around:
    """Somebody around an opportunity.

    `contact_id` is that of a role, the person's own or the one that the lead became; None of a
    lead that was converted into the opportunity. `is_account`: the opportunity's account is the
    person.
    """

    opportunity_id: str
    contact_id: str | None
    is_primary: bool
    is_account: bool
    record_id: str
    tracker_id: str | None
    email: str | None
    phones: Sequence[str]


@dataclass(slots=True)
class KnownLead:
    """A tracked lead, by a value that it is known by: `id`, `record`, `email` or `phone`."""

    known_by: str
    value: str
    lead_id: str
    happened_at: datetime
    person_key: int


@dataclass(slots=True)
class MatchRow:
    """A tracked lead's part in an opportunity: the `number`th of so many equal `parts`."""

    opportunity_id: str
    lead_id: str
    rule: str
    because: str
    number: int
    parts: int
    matched_at: datetime


@dataclass(slots=True)
class LookedAt:
    """The outcome of a look at an opportunity; `waits_because` is None where it has a match."""

    opportunity_id: str
    as_of: datetime
    waits_because: str | None
    in_filter: bool
    told: bool
    filter_fires: bool


def find_due(
    connection: Connection,
    account_id: str,
    *,
    chosen: Mapping[str, Any],
    fields: Iterable[str],
    id_field: str | None,
) -> None:
    """Has all opportunities matched anew that other settings or tracked leads may concern.

    Those that lack a field which the org shows by now are read again.

    Args:
        connection: the caller's.
        account_id: whose.
        chosen: the settings on which matches and filter depend.
        fields: of opportunities that are to be known of each, where the org shows them.
        id_field: the field of an opportunity that holds a tracked lead's id.
    """
    settings = {"account_id": account_id, "chosen": storable_json(chosen), "fields": list(fields)}
    connection.execute(statement("opportunities/settings_changed"), settings)
    rows = connection.scalars(statement("opportunities/leads_changed"), {"account_id": account_id})
    if lead_ids := rows.all():
        parameters = {"account_id": account_id, "lead_ids": lead_ids, "id_field": id_field}
        connection.execute(statement("opportunities/due_by_leads"), parameters)


@dataclass(slots=True)
class LiveOpportunity:
    """An opportunity that is not deleted, with what the filter knows of it."""

    opportunity_id: str
    record: Mapping[str, Any]
    amount: Decimal | None
    in_filter: bool
    has_fired: bool


def live_opportunities(connection: Connection, account_id: str) -> Iterator[LiveOpportunity]:
    """All opportunities of an account that are not deleted, in the order of their Ids."""
    after, limit = "", 5_000
    while True:
        parameters = {"account_id": account_id, "after": after, "limit": limit}
        rows = connection.execute(statement("opportunities/live"), parameters)
        found = objects(rows, LiveOpportunity)
        yield from found
        if len(found) < limit:
            return
        after = found[-1].opportunity_id


def due_opportunities(
    connection: Connection, account_id: str, *, limit: int
) -> list[DueOpportunity]:
    """The next opportunities to be matched, of those around which all is read."""
    parameters = {"account_id": account_id, "limit": limit}
    return objects(connection.execute(statement("opportunities/due"), parameters), DueOpportunity)


def analyze(connection: Connection) -> None:
    """Has PostgreSQL's planner know of what was read: for many that are to be matched at once."""
    connection.execute(statement("opportunities/analyze"))


def around(
    connection: Connection, account_id: str, opportunity_ids: Collection[str]
) -> dict[str, list[Around]]:
    """The people around some opportunities, in the order of their Ids."""
    return _by_opportunity(connection, account_id, "around", opportunity_ids, Around)


def matched(
    connection: Connection, account_id: str, opportunity_ids: Collection[str]
) -> dict[str, list[MatchRow]]:
    """The tracked leads that had a part in some opportunities until now."""
    return _by_opportunity(connection, account_id, "matched", opportunity_ids, MatchRow)


def stages(connection: Connection, account_id: str) -> dict[str, tuple[bool, bool]]:
    """Returns of each stage of the org, by label, whether it is closed, and won."""
    rows = connection.execute(statement("opportunities/stages"), {"account_id": account_id})
    return {row.label: (row.is_closed, row.is_won) for row in rows}


def known_leads(
    connection: Connection,
    account_id: str,
    *,
    lead_ids: Collection[str],
    records: Collection[str],
    emails: Collection[str],
    phones: Collection[str],
) -> list[KnownLead]:
    """The tracked leads that are known by one of these values."""
    parameters = {
        "account_id": account_id,
        "lead_ids": list(lead_ids),
        "records": list(records),
        "emails": list(emails),
        "phones": list(phones),
    }
    return objects(connection.execute(statement("opportunities/leads"), parameters), KnownLead)


def shared_phones(
    connection: Connection, account_id: str, phones: Collection[str]
) -> frozenset[str]:
    """Those of some phone numbers that several people have, in the org or at the tracker."""
    parameters = {"account_id": account_id, "phones": list(phones)}
    return frozenset(connection.scalars(statement("opportunities/shared_phones"), parameters))


def note_matches(
    connection: Connection,
    account_id: str,
    looked: Sequence[LookedAt],
    matches: Sequence[MatchRow],
) -> None:
    """Keeps the outcome of looks at opportunities: they belong to these leads and no others."""
    ids = [each.opportunity_id for each in looked]
    parameters = {"account_id": account_id, "opportunity_ids": ids, "rows": storable_json(matches)}
    connection.execute(statement("opportunities/note_matches"), parameters)
    parameters = {"account_id": account_id, "rows": storable_json(looked)}
    connection.execute(statement("opportunities/note_looked_at"), parameters)


def _by_opportunity(
    connection: Connection,
    account_id: str,
    name: str,
    opportunity_ids: Collection[str],
    made: Any,
) -> dict[str, list[Any]]:
    parameters = {"account_id": account_id, "opportunity_ids": list(opportunity_ids)}
    found: dict[str, list[Any]] = {}
    for each in objects(connection.execute(statement(f"opportunities/{name}"), parameters), made):
        found.setdefault(each.opportunity_id, []).append(each)
    return found


def _ids(connection: Connection, account_id: str, name: str, rows: Sequence[Any]) -> list[str]:
    if not rows:
        return []
    parameters = {"account_id": account_id, "rows": storable_json(rows)}
    return list(connection.scalars(statement(f"opportunities/{name}"), parameters))


def _want_unknown(connection: Connection, account_id: str, ids: Collection[str]) -> None:
    if ids:
        parameters = {"account_id": account_id, "opportunity_ids": sorted(ids)}
        connection.execute(statement("opportunities/want_unknown"), parameters)


def _doubt_around(connection: Connection, account_id: str, ids: Collection[str]) -> None:
    if ids:
        parameters = {"account_id": account_id, "opportunity_ids": sorted(ids)}
        connection.execute(statement("opportunities/doubt_around"), parameters)
