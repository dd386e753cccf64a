"""Reading for the webinar cycle: what is new, and once a day what was missed."""

from collections import Counter
from collections.abc import Generator, Iterator

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.accounts.store import pushed_sessions
from crm_pipeline.database.statements import statement
from crm_pipeline.declaration import Batch, Reading
from crm_pipeline.flows.webinars import NAME, rules
from crm_pipeline.flows.webinars.unread import counted
from crm_pipeline.ledger.positions import positions
from crm_pipeline.sources.account_rows import AccountRows, account_rows
from crm_pipeline.sources.participations import EXTRACT_NAMES, EXTRACTS


def read(reading: Reading[AccountSettings]) -> Generator[Batch]:
    """Reads what is new for an account and maps it; the caller records each batch.

    New people are written within the caller's transaction.

    Sessions that are pushed from now on are read whole, and are noted as read at the end. Once a
    day all rows are counted against those that were read, and what was missed is read.

    Raises:
        ExtractError: the warehouse cannot be read, or a mapping names what it does not have;
            what was yielded before is good.
    """
    ledger, account = reading.ledger, reading.account
    pushed = pushed_sessions(ledger, account.account_id)
    added = [each.event_session_id for each in pushed if each.backfilled_at is None]
    rows = account_rows(ledger, reading.warehouse, account, backfilled=added)
    yield from _batches(reading, rows)
    if reading.recording and set(reading.sources) == set(EXTRACT_NAMES):
        ledger.execute(
            statement("ledger/sessions_were_read"),
            {"account_id": account.account_id, "sessions": added},
        )
        yield from counted(reading, lambda again: _batches(reading, rows.with_again(again)))


def _batches(reading: Reading[AccountSettings], rows: AccountRows) -> Iterator[Batch]:
    maps = rules.field_maps(reading.choices, rows.overrides)
    vanished = reading.choices.vanished
    known = positions(reading.ledger, rows.account_id, NAME)
    for extract in EXTRACTS:
        if extract.name not in reading.sources:
            continue
        for chunk in rows.chunks(extract, known.get(extract.name)):
            people = rows.people(chunk.rows)
            yield Batch(
                extract.name,
                len(chunk.rows),
                rules.intents(chunk.rows, maps, rows.filter_strings, people, vanished),
                chunk.position,
                rows_by_session=Counter(each.event_session_id for each in chunk.rows),
            )
