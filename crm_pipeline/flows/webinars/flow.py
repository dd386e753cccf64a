"""The webinar cycle, declared: from registrations and attendances to people and activities."""

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.accounts.store import field_mappings, filter_strings, pushed_sessions
from crm_pipeline.database.statements import statement
from crm_pipeline.declaration import (
    Batch,
    Flow,
    Numbers,
    Outside,
    Promise,
    Reading,
    Shown,
    Table,
    Topic,
)
from crm_pipeline.flows.webinars import rules, unread
from crm_pipeline.ledger.counts import last_counts, note_count
from crm_pipeline.ledger.intents import Recorded
from crm_pipeline.ledger.people import identify
from crm_pipeline.ledger.positions import positions
from crm_pipeline.report import CycleReport
from crm_pipeline.settings import settings
from crm_pipeline.sources import participations
from crm_pipeline.sources.errors import ExtractError
from crm_pipeline.sources.mapping import check_columns
from crm_pipeline.sources.participations import EXTRACT_NAMES, EXTRACTS, Rows
from crm_pipeline.sources.people import present, sightings

NAME = "webinars"


def read(reading: Reading[AccountSettings]) -> Generator[Batch]:
    """Reads what is new for an account and maps it; the caller records each batch.

    Who its people are is written within the caller's transaction.

    Sessions that are pushed from now on are read whole, and are noted as read at the end. Once a
    day all rows are counted against those that were read, and what was missed is read.

    Raises:
        ExtractError: the warehouse cannot be read, or a mapping names what it does not have;
            what was yielded before is good.
    """
    ledger, account = reading.ledger, reading.account
    pushed = pushed_sessions(ledger, account.account_id)
    added = [each.event_session_id for each in pushed if each.backfilled_at is None]
    rows = participations.Reading(
        warehouse=reading.warehouse,
        client_id=account.client_id,
        sessions=[each.event_session_id for each in pushed] or None,
        backfilled=added,
        overlap=timedelta(minutes=settings().overlap_minutes),
        chunk_rows=settings().chunk_rows,
        timezone=settings().warehouse_timezone,
    )
    overrides = field_mappings(ledger, account.account_id)
    check_columns(reading.warehouse, overrides)
    maps = rules.field_maps(reading.choices, overrides)
    filters = filter_strings(ledger, account.account_id)

    def batches(rows: participations.Reading) -> Iterator[Batch]:
        known = positions(ledger, account.account_id, NAME)
        for source in EXTRACTS:
            if source.name not in reading.sources:
                continue
            for chunk in source.read(rows, known.get(source.name)):
                seen = sightings(chunk.rows, filters)
                people = identify(ledger, account.account_id, seen, present(rows, filters))
                yield Batch(
                    source.name,
                    len(chunk.rows),
                    rules.intents(chunk.rows, maps, filters, people, reading.choices.vanished),
                    chunk.position,
                    rows_by_session=Counter(each.event_session_id for each in chunk.rows),
                )

    yield from batches(rows)
    if reading.recording and set(reading.sources) == set(EXTRACT_NAMES):
        ledger.execute(
            statement("ledger/sessions_were_read"),
            {"account_id": account.account_id, "sessions": added},
        )
        yield from counted(reading, lambda again: batches(replace(rows, again=again)))


def counted(
    reading: Reading[AccountSettings], read_again: Callable[[Rows], Iterator[Batch]]
) -> Iterator[Batch]:
    """Counts the warehouse's rows against the ledger, where that was last done a day ago.

    Args:
        reading: of which account.
        read_again: gives batches with these rows among them; the caller has recorded each one
            before it takes the next.

    Raises:
        ExtractError: the warehouse cannot be asked, or counts rows that no extract gives.
    """
    ledger, account = reading.ledger, reading.account
    due, last = last_counts(ledger, account.account_id)
    if not due:
        return
    far = positions(ledger, account.account_id, NAME)
    before = unread.compare(ledger, reading.warehouse, account, last, far)
    after = before
    if again := {each.source: rows for each in before if (rows := each.unread | each.unsure)}:
        yield from read_again(again)
        far = positions(ledger, account.account_id, NAME)
        after = unread.compare(ledger, reading.warehouse, account, last, far)
    told = []
    for found, now in zip(before, after, strict=True):
        if found.to_be_gone:
            activities = [
                rules.vanished_activity(found.source, number, as_of)
                for number, as_of in found.to_be_gone.items()
            ]
            yield Batch(found.source, len(activities), activities, None)
        told += unread.tell(found, last.get(found.source, unread.NEVER_COUNTED))
        note_count(ledger, account.account_id, unread.as_count(found, now))
    yield Batch(NAME, 0, (), None, told=tuple(told))
    for each in after:
        if each.unread:
            raise ExtractError(
                f"sql/extract/row_counts.sql counts {len(each.unread)} rows that "
                f"{each.source}.sql does not give: make the two agree"
            )


def count(batch: Batch, recorded: Mapping[str, Recorded]) -> Numbers:
    """What a batch came to; what its rows say anew may be added up over cycles.

    Of the rows that a cycle reads, some it has read before: those shipped shortly before the last
    one. Those that say something new are accepted or rejected, and together with the ones that
    are known already they are the rows read. What is intended is delivered or queued. So says the
    conservation check.
    """
    activities, people = recorded.get("activity", Recorded()), recorded.get("person", Recorded())
    accepted, rejected = activities.new + activities.changed, activities.rejected.total()
    return {
        (batch.source, "rows"): accepted + rejected,
        ("filtered_leads", "rows_read"): batch.rows,
        ("filtered_leads", "known_already"): activities.unchanged,
        ("filtered_leads", "rows_in"): accepted + rejected,
        ("filtered_leads", "rejected"): rejected,
        ("filtered_leads", "accepted"): accepted,
        **{("filtered_leads", f"{_REJECTED}{r}"): n for r, n in activities.rejected.items()},
        ("lead_payloads", "people"): people.new + people.changed,
        ("lead_payloads", "activities_new"): activities.new,
        ("lead_payloads", "activities_changed"): activities.changed,
    }


_REJECTED = "rejected: "
"""Before the reason, where rejected rows are counted by reason."""


def _registrations(report: CycleReport) -> Shown:
    return {
        "dagster/partition_row_count": report.tally["registrations", "rows"],
        "event_sessions": len(report.sessions),
        "rows_by_event_session": Table("event_session_id", report.sessions),
    }


def _attendances(report: CycleReport) -> Shown:
    return {"dagster/partition_row_count": report.tally["attendances", "rows"]}


def _filtered_leads(report: CycleReport) -> Shown:
    counted = report.tally.by_topic.get("filtered_leads", {})
    reasons = {
        outcome.removeprefix(_REJECTED): number
        for outcome, number in counted.items()
        if outcome.startswith(_REJECTED)
    }
    return {"rejected_by_reason": Table("reason", reasons)}


def _load_results(report: CycleReport) -> Shown:
    counts = report.counts
    return {
        "incidents": counts.incidents,
        "api_calls": counts.api_calls,
        "api_calls_forecast": counts.api_calls_forecast,
        "api_calls_by_kind": Table("kind", report.api_calls_by_kind),
        "route": report.route,
        "route_reason": report.route_reason,
        "api_used_today": report.api_used,
        "api_limit_a_day": report.api_limit,
    }


def _columns() -> dict[str, tuple[str, ...]]:
    """Which warehouse columns each field of a payload comes from, in the default mapping."""
    street = tuple(f"warehouse/person.address_{line}" for line in (1, 2, 3))
    return {
        f"{sobject}.{field}": street if column == "street" else (f"warehouse/person.{column}",)
        for sobject, columns in rules.DEFAULT_MAPPING.items()
        for field, column in columns.items()
    }


_TOPICS = (
    Topic(
        "registrations",
        "Who registered for an event session: the rows shipped to the warehouse since the last "
        "cycle, with the person's details.",
        group=NAME,
        technology="postgres",
        after=("warehouse/registration", "warehouse/person"),
        counts=("rows",),
        shows=_registrations,
        reads=("registrations",),
    ),
    Topic(
        "attendances",
        "Who attended an event session, with the last 10 poll answers and the last 5 chat "
        "messages of each.",
        group=NAME,
        technology="postgres",
        after=(
            "warehouse/attendance",
            "warehouse/person",
            "warehouse/poll_answer",
            "warehouse/chat_message",
        ),
        counts=("rows",),
        shows=_attendances,
        reads=("attendances",),
    ),
    Topic(
        "filtered_leads",
        "The registrations and attendances that may reach Salesforce: without those whose email "
        "address is missing, impossible, or contains one of the account's filter strings.",
        group=NAME,
        technology="python",
        after=("registrations", "attendances"),
        counts=("rows_read", "known_already", "rows_in", "rejected", "accepted"),
        shows=_filtered_leads,
        reads=EXTRACT_NAMES,
    ),
    Topic(
        "lead_payloads",
        "What is to stand in Salesforce: each person's lead or contact fields and one activity "
        "for each registration and attendance. Stored in the ledger together with the account's "
        "watermark, so that nothing read is ever lost.",
        group=NAME,
        technology="python",
        after=("filtered_leads",),
        counts=("people", "activities_new", "activities_changed"),
        reads=EXTRACT_NAMES,
        records=True,
        columns=_columns(),
    ),
    Topic(
        "retried_operations",
        "What failed in earlier cycles and was tried again: at most 50 of the account, the oldest "
        "of each flow in turn, each five times in all; what still fails waits for support.",
        group=NAME,
        technology="salesforce",
        after=("lead_payloads",),
        counts=("retried", "retried_done"),
        shows=lambda report: {"exhausted": report.counts.exhausted},
        retries=True,
    ),
    Topic(
        "load_results",
        "What came of the writes: an existing lead or contact gets the fields that changed, a "
        "new person becomes a lead, and each gets the activity.",
        group=NAME,
        technology="salesforce",
        after=("lead_payloads",),
        counts=(
            "leads_created",
            "leads_updated",
            "contacts_created",
            "contacts_updated",
            "people_unchanged",
            "people_left_out",
            "activities_created",
            "activities_updated",
            "activities_deleted",
            "activities_unchanged",
            "failed",
            "looked_up",
            "fields_changed_to_fit",
        ),
        shows=_load_results,
        sends=("person", "activity"),
    ),
)

_TABLES = tuple(
    Outside(
        f"warehouse/{table}",
        f"The platform's {what}, shipped to the warehouse every 15 minutes.",
        "postgres",
    )
    for table, what in {
        "registration": "registrations for event sessions",
        "attendance": "attendances of event sessions",
        "person": "people who registered or attended",
        "poll_answer": "answers to poll questions",
        "chat_message": "chat messages and the replies to them",
    }.items()
)

_OBJECTS = tuple(
    Outside(f"salesforce/{sobject}", what, "salesforce", after=("load_results",))
    for sobject, what in {
        "Lead": "Potential customers in the client's org: new people become leads.",
        "Contact": "Known people in the client's org, kept current, never created here.",
        "Event": "Activities in the client's org: one for each registration and attendance.",
    }.items()
)

_PROMISES = (
    Promise(
        "every_row_is_accounted_for",
        "load_results",
        "Every row that the last cycle read was rejected, was known already, or is delivered or "
        "queued: nothing is lost on the way.",
    ),
    Promise(
        "nothing_unread",
        "registrations",
        "Once a day the warehouse's rows are counted against those that were read: none was "
        "missed (what was is read at once), and none waits for its person, session or event.",
    ),
    Promise(
        "no_filtered_address",
        "lead_payloads",
        "No payload is meant for an address that one of the account's filter strings matches.",
    ),
    Promise(
        "payloads_fit_the_org",
        "lead_payloads",
        "What was sent keeps to the lengths of the org's fields, and new records have every "
        "required value (the newest 10,000 payloads of the last cycle).",
    ),
    Promise(
        "few_writes_fail",
        "load_results",
        "At most one in ten writes of the last cycle failed.",
        only_warns=True,
    ),
    Promise(
        "no_exhausted_retries",
        "retried_operations",
        "No operation has used up its five tries; those that have wait for support "
        "(`crm-pipeline operations list`).",
    ),
)

WEBINARS = Flow(
    NAME,
    # Whoever has an account has this flow.
    settings=lambda account: account,
    topics=_TOPICS,
    sources=EXTRACTS,
    outside=(*_TABLES, *_OBJECTS),
    promises=_PROMISES,
    read=read,
    share=250_000,
    count=count,
)
