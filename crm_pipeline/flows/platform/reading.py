"""Reading of the platform's users and tickets."""

from collections import Counter
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection, Engine

from crm_pipeline.accounts.account import Account, AccountSettings
from crm_pipeline.accounts.inbound import InboundSettings
from crm_pipeline.accounts.store import field_mappings, filter_strings
from crm_pipeline.accounts.templates import columns_of, sources_of
from crm_pipeline.database.statements import statement
from crm_pipeline.declaration import Batch, Reading
from crm_pipeline.flows.platform import FEEDBACK, USERS, rules
from crm_pipeline.inbound.tombstones import Hasher, hasher_of, keep, tombstones_of
from crm_pipeline.ledger.positions import positions
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.settings import settings
from crm_pipeline.sources import platform_rows
from crm_pipeline.sources.account_rows import people_of_rows
from crm_pipeline.sources.errors import ExtractError
from crm_pipeline.sources.mapping import field_map, field_maps, missed, missed_told, rejection
from crm_pipeline.sources.people import who
from crm_pipeline.sources.platform_rows import PlatformReading, PlatformRow, PlatformRows
from crm_pipeline.sources.redaction import NO_FREE_TEXT, Redaction
from crm_pipeline.sources.source import Chunk
from crm_pipeline.text import digest, is_no_id, storable_json, written

_NO_FREE_TEXT = NO_FREE_TEXT | {"ticket_id", "project", "feedback_type", "team", "submitted_at"}

NO_ADDRESS = frozenset(("no email", "invalid email"))


def read_users(reading: Reading[AccountSettings]) -> Generator[Batch]:
    """Reads the users that are new or changed, so that requests find them; and people of the org.

    Of people who were removed nothing is kept. Users, and new people, are written within the
    caller's transaction.

    Raises:
        ExtractError: the warehouse cannot be read, or a filter names a column that it lacks.
    """
    ledger, account = reading.ledger, reading.account
    chosen = reading.choices.inbound or InboundSettings()
    maps = field_maps(reading.choices, field_mappings(ledger, account.account_id))
    filters = filter_strings(ledger, account.account_id)
    said = rules.fingerprint_of_users(chosen, maps)
    part = _part(reading, said, chosen.filter_columns)
    hasher = hasher_of(ledger, account)
    redaction = Redaction.of(reading.choices.redaction)
    missing: Counter[str] = Counter()
    for chunk in _chunks(reading, USERS, platform_rows.USERS, part, redaction):
        _keep_users(ledger, hasher, chunk.rows, chosen.filter_columns)
        intents, numbers = [], Counter({(USERS, "users_read"): len(chunk.rows)})
        if chosen.users_in_org:
            since = _since_start(account, chunk.rows)
            sent = [row for row in since if rejection(row, filters) is None]
            people = people_of_rows(ledger, account, part, filters, sent)
            intents = rules.person_intents(sent, people, maps)
            missing.update(field for row in sent for field in missed(maps, row.columns))
            numbers[USERS, "rejected"] = len(since) - len(sent)
            numbers[USERS, "before_start"] = len(chunk.rows) - len(since)
        yield Batch(
            chunk.position.source, len(chunk.rows), intents, chunk.position, numbers=numbers
        )
    yield from _told(USERS, redaction)
    if missing:
        yield Batch(USERS, 0, (), None, told=(missed_told(account.account_id, missing),))


def read_tickets(reading: Reading[AccountSettings]) -> Generator[Batch]:
    """Reads the tickets that are new or changed, or whose user is, and has them kept in the org.

    A ticket of nobody who is known stands alone there; one of somebody who is filtered out, or was
    removed, is not sent.

    Raises:
        ExtractError: the warehouse cannot be read, or the mapping names a column that it lacks.
    """
    ledger, account = reading.ledger, reading.account
    inbound = reading.choices.inbound
    chosen = None if inbound is None else inbound.feedback_in_org
    if chosen is None:
        raise ExtractError("feedback_in_org is off")
    maps = field_maps(reading.choices, field_mappings(ledger, account.account_id))
    filters = filter_strings(ledger, account.account_id)
    said = rules.fingerprint_of_tickets(chosen, maps)
    part = _part(reading, said, columns_of(chosen.mapping))
    mapped = field_map(sources_of(chosen.mapping), {}, timezone=part.timezone)
    redaction = Redaction.of(reading.choices.redaction)
    of_tickets: Counter[str] = Counter()
    of_people: Counter[str] = Counter()
    for chunk in _chunks(reading, FEEDBACK, platform_rows.FEEDBACK_TICKETS, part, redaction):
        since = _since_start(account, chunk.rows)
        refused = [rejection(row, filters) for row in since]
        sent = [row for row, why in zip(since, refused, strict=True) if why is None]
        people = people_of_rows(ledger, account, part, filters, sent)
        of_people.update(field for row in sent for field in missed(maps, row.columns))
        wants, numbers = [], Counter({(FEEDBACK, "tickets_read"): len(chunk.rows)})
        numbers[FEEDBACK, "before_start"] = len(chunk.rows) - len(since)
        for row, why in zip(since, refused, strict=True):
            if is_no_id(row.columns["ticket_id"]) or why not in (None, *NO_ADDRESS):
                numbers[FEEDBACK, "rejected"] += 1
                continue
            numbers[FEEDBACK, "without_person"] += why is not None
            person = people[who(row)] if why is None else None
            wants.append(rules.ticket_want(row, chosen, mapped, person))
            of_tickets.update(missed({chosen.object: mapped}, row.columns))
        intents = rules.person_intents(sent, people, maps)
        yield Batch(
            chunk.position.source,
            len(chunk.rows),
            intents,
            chunk.position,
            wants=wants,
            numbers=numbers,
        )
    yield from _told(FEEDBACK, redaction)
    told = []
    if of_people:
        told.append(missed_told(account.account_id, of_people))
    if of_tickets:
        told.append(missed_told(account.account_id, of_tickets, "account set … inbound="))
    if told:
        yield Batch(FEEDBACK, 0, (), None, told=tuple(told))


def missed_of_tickets(
    ledger: Connection, warehouse: Engine, account: Account
) -> Iterator[tuple[str, str]]:
    """Yields fields of tickets whose template makes nothing of what one says, each with that.

    Reads all tickets of the account's client that are not of removed people.

    Raises:
        ExtractError: the warehouse cannot be read, or the mapping names a column that it lacks.
    """
    inbound = account.settings.inbound
    chosen = None if inbound is None else inbound.feedback_in_org
    if chosen is None:
        return
    mapped = field_map(sources_of(chosen.mapping), {}, timezone=settings().warehouse_timezone)
    if not mapped.templates:
        return
    choices = account.settings
    reading = Reading(ledger, warehouse, account, choices, (FEEDBACK,), recording=False)
    part = _part(reading, b"", columns_of(chosen.mapping))
    filters = filter_strings(ledger, account.account_id)
    for chunk in platform_rows.FEEDBACK_TICKETS.read(part, None):
        rows = platform_rows.without_removed(chunk.rows, tombstones_of(ledger, account))
        for row in _since_start(account, rows):
            if rejection(row, filters) in (None, *NO_ADDRESS):
                for field, said in mapped.missed(row.columns):
                    yield f"{chosen.object}.{field}", said


def _since_start(account: Account, rows: Sequence[PlatformRow]) -> Sequence[PlatformRow]:
    """The rows that were not changed last before the account's start."""
    start = account.settings.start_at
    return rows if start is None else [row for row in rows if row.changed_at >= start]


def _told(flow: str, redaction: Redaction) -> Iterator[Batch]:
    """Says how much was taken out of free texts, where any was."""
    if redaction.taken:
        taken = {(flow, "redacted"): redaction.taken.total()}
        yield Batch(flow, 0, (), None, numbers=taken, told=(redaction.in_words(),))


def _part(
    reading: Reading[AccountSettings], read_by: bytes, named: Collection[str]
) -> PlatformReading:
    process, start = settings(), reading.account.settings.start_at
    return PlatformReading(
        reading.warehouse,
        reading.account.client_id,
        timedelta(minutes=process.overlap_minutes),
        process.chunk_rows,
        process.warehouse_timezone,
        read_by if start is None else digest((read_by, start)),
        named,
    )


def _chunks(
    reading: Reading[AccountSettings],
    flow: str,
    source: PlatformRows,
    part: PlatformReading,
    redaction: Redaction,
) -> Iterator[Chunk[PlatformRow]]:
    """Reads a source from where it was left; from the start where the settings are others now."""
    ledger, account = reading.ledger, reading.account
    position = positions(ledger, account.account_id, flow).get(source.name)
    for chunk in source.read(part, position):
        tombstones = tombstones_of(ledger, account) if chunk.rows else None
        rows = platform_rows.without_removed(chunk.rows, tombstones)
        if tombstones is not None:
            addresses = {
                row.columns["email"] for row in rows if tombstones.hold(row.columns["email"])
            }
            keep(ledger, tombstones.hasher, addresses)
        if redaction.steps:
            rows = [replace(r, columns=redaction.columns(r.columns, _NO_FREE_TEXT)) for r in rows]
        yield Chunk(rows, chunk.position)


def _keep_users(
    connection: Connection, hasher: Hasher, rows: Sequence[PlatformRow], columns: Sequence[str]
) -> None:
    """Keeps users; one who was removed, or has no address any more, is known no longer."""
    kept, gone = [], []
    for row in rows:
        address = email_key(row.columns["email"])
        user_id = row.columns["person_id"]
        if is_no_id(user_id):
            continue
        if row.flaw is not None or address is None:
            gone.append(str(user_id))
            continue
        kept.append(
            {
                "user_id": str(user_id),
                "digest": hasher.digest(hasher.without_plus_part(address)).hex(),
                "columns": {name: written(row.columns[name]) for name in columns},
                "shipped_at": row.changed_at,
            }
        )
    whose = {"account_id": hasher.account_id}
    if kept:
        connection.execute(statement("inbound/keep_users"), {**whose, "rows": storable_json(kept)})
    if gone:
        connection.execute(statement("inbound/forget_users"), {**whose, "user_ids": gone})
