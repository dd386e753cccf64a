"""Reading for attribution: tracked leads become people with their attribution."""

from collections import Counter
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from crm_pipeline.accounts.attribution import AttributionSettings
from crm_pipeline.accounts.store import filter_strings
from crm_pipeline.accounts.templates import columns_of
from crm_pipeline.declaration import Batch, Reading
from crm_pipeline.flows.attribution import NAME, rules, shown, unread
from crm_pipeline.ledger.intents import Intent
from crm_pipeline.ledger.positions import positions
from crm_pipeline.ledger.tracked_leads import (
    Before,
    TrackedLead,
    is_judged,
    is_said,
    kept_leads,
    last_said,
    lead_people,
    leads_of,
    let_vanish,
    never_sent,
    note_judged,
    note_said,
    only_leads,
    record_leads,
    take_moved,
    which_changed,
)
from crm_pipeline.settings import settings
from crm_pipeline.sources.mapping import missed_told
from crm_pipeline.sources.redaction import NO_FREE_TEXT, Redaction
from crm_pipeline.sources.tracked_leads import (
    TRACKED_LEADS,
    LeadsReading,
    TrackedLeadRow,
    check_columns,
    without_removed,
)

_NO_FREE_TEXT = NO_FREE_TEXT.union(
    ("lead_id", "happened_at", "is_spam", "is_duplicate", "contact_name", "last_name", "phone"),
    ("recording_url", "medium", "campaign", "gclid", "gbraid", "wbraid", "fbclid"),
)
"""Columns of leads that are what they are; keywords, messages and addresses of pages are not."""

_AT_A_TIME = 5_000
"""People of whom all is said anew at a time."""


def read(reading: Reading[AttributionSettings]) -> Generator[Batch]:
    """Reads what is new of an account's tracked leads; the caller records each batch.

    Leads and new people are written within the caller's transaction.

    Raises:
        ExtractError: the warehouse cannot be read, or a setting names a column that it does not
            have; what was yielded before is good.
    """
    ledger, account = reading.ledger, reading.account
    check_columns(reading.warehouse, columns_of(reading.choices.further_fields))
    by = rules.LeadChoices(
        reading.choices,
        filter_strings(ledger, account.account_id),
        account.settings.start_at,
    )
    noticed = _Noticed(Redaction.of(reading.account.settings.redaction))
    yield from _said_again(reading, noticed)
    yield from _judged_again(reading, by)
    process = settings()
    part = LeadsReading(
        reading.warehouse,
        account.client_id,
        overlap=timedelta(minutes=process.overlap_minutes),
        chunk_rows=process.chunk_rows,
        timezone=process.warehouse_timezone,
    )
    position = positions(ledger, account.account_id, NAME).get(TRACKED_LEADS.name)
    for chunk in TRACKED_LEADS.read(part, position):
        batch = _batch(reading, chunk.rows, by, noticed)
        yield replace(batch, position=chunk.position)
    last = unread.last_count(ledger, account.account_id)
    if reading.recording and last.is_old:
        yield from _counted(reading, part, by, last, noticed)
    if noticed.missed:
        told = missed_told(account.account_id, noticed.missed, "account set … attribution=")
        yield Batch(NAME, 0, (), None, told=(told,))
    if taken := noticed.redaction.taken.total():
        numbers = {(TRACKED_LEADS.name, "redacted"): taken}
        yield Batch(NAME, 0, (), None, numbers=numbers, told=(noticed.redaction.in_words(),))
    if moved := take_moved(ledger, account.account_id):
        yield Batch(NAME, 0, _intents(reading, moved), None)


@dataclass(frozen=True, slots=True)
class _Noticed:
    """Things in leads that people are to be told of.

    Attributes:
        redaction: what is taken out of free texts, and how much of it was.
        missed: new leads of which a template makes nothing, by field.
    """

    redaction: Redaction
    missed: Counter[str] = field(default_factory=Counter)


def _batch(
    reading: Reading[AttributionSettings],
    rows: Sequence[TrackedLeadRow],
    by: rules.LeadChoices,
    noticed: _Noticed,
) -> Batch:
    """Records what some rows say; the batch says what is wanted of their people.

    Adds to what was noticed in them.
    """
    rows = without_removed(
        reading.ledger, reading.account, rows, lambda row: rules.number_of(row, reading.choices)
    )
    if noticed.redaction.steps:
        columns = noticed.redaction.columns
        rows = [replace(r, columns=columns(r.columns, _NO_FREE_TEXT)) for r in rows]
    found = [rules.tracked_lead(row, by) for row in rows]
    changed, people, numbers = _recorded(reading, rows, found)
    for lead in changed:
        noticed.missed.update(_missed(reading, lead))
    intents = _intents(reading, people, changed)
    return Batch(TRACKED_LEADS.name, len(rows), intents, None, numbers=numbers)


def _counted(
    reading: Reading[AttributionSettings],
    part: LeadsReading,
    by: rules.LeadChoices,
    last: unread.LastLeadCount,
    noticed: _Noticed,
) -> Iterator[Batch]:
    """Counts the leads that the warehouse has, reads those that were not read, ends those gone.

    Raises:
        ExtractError: the warehouse counts leads that no extract gives.
    """
    ledger, account_id = reading.ledger, reading.account.account_id
    position = positions(ledger, account_id, NAME)[TRACKED_LEADS.name]
    found = unread.count(ledger, account_id, part, position, last.believed)
    seen: set[str] = set()
    changed = 0
    for chunk in unread.read_again(part, found):
        batch = _batch(reading, chunk.rows, by, noticed)
        seen |= {str(each.columns["lead_id"]) for each in chunk.rows}
        changed += shown.changed(batch.numbers)
        yield batch
    ends = _ending(reading, found)
    if ends:
        people = let_vanish(ledger, account_id, ends)
        yield Batch(NAME, 0, _intents(reading, people), None, numbers=shown.vanished(len(ends)))
    unread.note(ledger, account_id, found, seen, changed)
    told = unread.tell(found, last, changed=changed, ends=len(ends))
    yield Batch(NAME, 0, (), None, told=told)
    unread.demand_all(found, seen)


def _ending(reading: Reading[AttributionSettings], found: unread.UnreadLeads) -> Collection[str]:
    """The vanished leads that count no more: those never sent, or all by the account's choice."""
    if found.too_many or not found.vanished:
        return ()
    if reading.account.settings.vanished == "delete":
        return found.vanished
    return never_sent(reading.ledger, reading.account.account_id, found.vanished)


def _judged_again(reading: Reading[AttributionSettings], by: rules.LeadChoices) -> Iterator[Batch]:
    """Judges the leads that are kept anew, where the choices have changed since.

    All at once: leads with one number go together, and so do those of one person.
    """
    ledger, account_id = reading.ledger, reading.account.account_id
    if is_judged(ledger, account_id, by.digest):
        return
    leads = kept_leads(ledger, account_id)
    # With the batch: a process that dies after it has not left them judged by nobody knows what.
    note_judged(ledger, account_id, by.digest)
    if changed := list(rules.judged_otherwise(leads, by)):
        before = which_changed(ledger, account_id, changed)
        people = record_leads(ledger, account_id, changed, before)
        counted = shown.numbers(len(changed), 0, changed, 0)
        yield Batch(NAME, 0, _intents(reading, people), None, numbers=counted)


def _said_again(reading: Reading[AttributionSettings], noticed: _Noticed) -> Iterator[Batch]:
    """Says anew what is wanted of all people, where the settings have changed since."""
    ledger, account_id = reading.ledger, reading.account.account_id
    now = rules.fingerprint(reading.choices)
    after = 0
    while not is_said(ledger, account_id, now):
        people = lead_people(ledger, account_id, after=after, at_most=_AT_A_TIME)
        if not people:
            break
        after = people[-1]
        # Until all are, some are said by these settings and others not: whichever come next differ.
        note_said(ledger, account_id, "")
        has_templates = rules.has_templates(reading.choices)
        for leads in leads_of(ledger, account_id, people).values() if has_templates else ():
            for lead in leads:
                noticed.missed.update(_missed(reading, lead))
        yield Batch(NAME, 0, _intents(reading, people), None)
    note_said(ledger, account_id, now)


def _missed(reading: Reading[AttributionSettings], lead: TrackedLead) -> Iterator[str]:
    """The fields, as of a Lead, whose template makes nothing of what a tracked lead says."""
    zone = settings().warehouse_timezone
    return (f"Lead.{field}" for field, _ in rules.missed(lead, reading.choices, zone))


def _recorded(
    reading: Reading[AttributionSettings],
    rows: Sequence[TrackedLeadRow],
    found: Sequence[TrackedLead | None],
) -> tuple[Sequence[TrackedLead], set[int], dict[tuple[str, str], int]]:
    """Records what is new of some leads; returns it with the people concerned, and the counts."""
    ledger, account_id = reading.ledger, reading.account.account_id
    # Of an id that stands in several rows the newest one holds.
    leads = {each.lead_id: each for each in found if each is not None}
    before = which_changed(ledger, account_id, list(leads.values())) if leads else {}
    changed = [leads[lead_id] for lead_id in before]
    people = record_leads(ledger, account_id, changed, before) if changed else set()
    return changed, people, shown.numbers(len(rows), found.count(None), changed, _new(before))


def _new(before: dict[str, Before]) -> int:
    return sum(was.address is None for was in before.values())


def _intents(
    reading: Reading[AttributionSettings],
    people: Iterable[int],
    recorded: Iterable[TrackedLead] = (),
) -> list[Intent]:
    """What is wanted of some people; some of their leads were recorded just now."""
    ledger, account_id = reading.ledger, reading.account.account_id
    concerned = set(people)
    alone = only_leads(ledger, account_id, recorded)
    leads = alone | leads_of(ledger, account_id, concerned - alone.keys())
    fields = [field for field, _ in reading.choices.written_fields()]
    said = last_said(ledger, account_id, concerned, fields)
    return rules.person_intents(leads, said, reading.choices, settings().warehouse_timezone)
