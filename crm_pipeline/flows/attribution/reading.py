"""Reading for attribution: tracked leads become people with their attribution."""

from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from datetime import timedelta

from crm_pipeline.accounts.attribution import AttributionSettings
from crm_pipeline.accounts.store import filter_strings
from crm_pipeline.declaration import Batch, Reading
from crm_pipeline.flows.attribution import NAME, rules, shown
from crm_pipeline.ledger.intents import Intent
from crm_pipeline.ledger.positions import positions
from crm_pipeline.ledger.tracked_leads import (
    Before,
    TrackedLead,
    is_said,
    lead_people,
    leads_of,
    note_said,
    record_leads,
    take_moved,
    which_changed,
)
from crm_pipeline.settings import settings
from crm_pipeline.sources.errors import ExtractError
from crm_pipeline.sources.tracked_leads import (
    TRACKED_LEADS,
    LeadsReading,
    TrackedLeadRow,
    columns,
    without_removed,
)

_AT_A_TIME = 5_000
"""People of whom all is said anew at a time."""


def read(reading: Reading[AttributionSettings]) -> Generator[Batch]:
    """Reads what is new of an account's tracked leads; the caller records each batch.

    Leads and new people are written within the caller's transaction.

    Raises:
        ExtractError: the warehouse cannot be read, or a setting names a column that it does not
            have; what was yielded before is good.
    """
    ledger, account, chosen = reading.ledger, reading.account, reading.choices
    _check_columns(reading)
    yield from _said_again(reading)
    filters = filter_strings(ledger, account.account_id)
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
        rows = without_removed(ledger, account, chunk.rows)
        found = [rules.tracked_lead(row, chosen, filters) for row in rows]
        people, numbers = _recorded(reading, rows, found)
        intents = _intents(reading, people)
        yield Batch(TRACKED_LEADS.name, len(chunk.rows), intents, chunk.position, numbers=numbers)
    if moved := take_moved(ledger, account.account_id):
        yield Batch(NAME, 0, _intents(reading, moved), None)


def _said_again(reading: Reading[AttributionSettings]) -> Iterator[Batch]:
    """Says anew what is wanted of all people, where the settings have changed since."""
    ledger, account_id = reading.ledger, reading.account.account_id
    now = rules.fingerprint(reading.choices)
    after = 0
    while not is_said(ledger, account_id, now):
        people = lead_people(ledger, account_id, after=after, at_most=_AT_A_TIME)
        if not people:
            break
        after = people[-1]
        yield Batch(NAME, 0, _intents(reading, people), None)
    note_said(ledger, account_id, now)


def _recorded(
    reading: Reading[AttributionSettings],
    rows: Sequence[TrackedLeadRow],
    found: Sequence[TrackedLead | None],
) -> tuple[set[int], dict[tuple[str, str], int]]:
    """Records what is new of some leads; returns the people concerned, and the counts."""
    ledger, account_id = reading.ledger, reading.account.account_id
    # Of an id that stands in several rows the newest one holds.
    leads = {each.lead_id: each for each in found if each is not None}
    before = which_changed(ledger, account_id, list(leads.values())) if leads else {}
    changed = [leads[lead_id] for lead_id in before]
    people = record_leads(ledger, account_id, changed, before) if changed else set()
    return people, shown.numbers(len(rows), found.count(None), changed, _new(before))


def _new(before: dict[str, Before]) -> int:
    return sum(was.address is None for was in before.values())


def _intents(reading: Reading[AttributionSettings], people: Iterable[int]) -> list[Intent]:
    leads = leads_of(reading.ledger, reading.account.account_id, list(people))
    return rules.person_intents(leads, reading.choices)


def _check_columns(reading: Reading[AttributionSettings]) -> None:
    """Refuses a setting that names a column of no extract: it would send nothing, silently."""
    wanted = Counter(reading.choices.further_fields.values())
    if not wanted:
        return
    if unknown := sorted(set(wanted) - columns(reading.warehouse)):
        raise ExtractError(
            f"attribution.further_fields names {unknown[0]!r}, a column that "
            "sql/extract/tracked_leads.sql does not give; add it there, or mend the setting"
        )
