"""Reading for the webinar cycle: what is new, and once a day what was missed."""

from collections import Counter
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from shlex import quote

import orjson

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.accounts.store import FieldMapping, pushed_sessions
from crm_pipeline.database.statements import statement
from crm_pipeline.declaration import Batch, Reading
from crm_pipeline.flows.webinars import NAME, rules
from crm_pipeline.flows.webinars.figures import mapped_figures, with_figures
from crm_pipeline.flows.webinars.lasting import let_older_rows_count, with_known
from crm_pipeline.flows.webinars.together import Together, together
from crm_pipeline.flows.webinars.unread import counted
from crm_pipeline.flows.webinars.visits import Joined
from crm_pipeline.ledger.aliases import taken_aliases
from crm_pipeline.ledger.answer_keys import answer_keys, note_answer_keys
from crm_pipeline.ledger.held import held_for, held_statuses
from crm_pipeline.ledger.intents import Intent
from crm_pipeline.ledger.positions import Position, positions
from crm_pipeline.ledger.replay import RowsToReplay, rows_to_replay, rows_were_replayed, said_again
from crm_pipeline.sources.account_rows import AccountRows, account_rows
from crm_pipeline.sources.aliases import other_address
from crm_pipeline.sources.computed import ANSWERS, answers_in
from crm_pipeline.sources.mapping import missed, missed_told
from crm_pipeline.sources.participations import ATTENDANCES, EXTRACT_NAMES, EXTRACTS, Participation
from crm_pipeline.sources.stages import BEFORE_START


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
    rows = account_rows(ledger, reading.warehouse, account, backfilled=added, pushed=pushed)
    chosen = rules.choices(
        reading.choices, rows.overrides, rows.filter_strings, rows.selection.timezone
    )
    replayed = rows_to_replay(ledger, account.account_id, NAME)
    again = {name: replayed.whole.get(name, ()) for name in EXTRACT_NAMES}
    if explained := chosen.go_on(held_statuses(ledger, account.account_id)):
        held = held_for(ledger, account.account_id, explained)
        again["registrations"] = [*again["registrations"], *held]
    rows = rows.with_again(again)
    noticed = _Noticed()
    yield from _batches(reading, rows, chosen, noticed)
    if noticed.left:
        replayed = rows_to_replay(ledger, account.account_id, NAME)
    yield from _replayed(reading, rows, chosen, noticed, replayed)
    if reading.recording and set(reading.sources) == set(EXTRACT_NAMES):
        if added:
            ledger.execute(
                statement("ledger/sessions_were_read"),
                {"account_id": account.account_id, "sessions": added},
            )
        noticed.left = False
        left = yield from counted(
            reading,
            lambda again: _batches(reading, rows.with_again(again), chosen, noticed),
        )
        if left or noticed.left:
            replayed = rows_to_replay(ledger, account.account_id, NAME)
            yield from _replayed(reading, rows, chosen, noticed, replayed)
    yield from _answers_told(reading, rows)
    yield from _addresses_told(reading, noticed.other_addresses)
    if rows.redaction.taken:
        yield Batch(NAME, 0, (), None, told=(rows.redaction.in_words(),))
    told = []
    if noticed.early:
        told.append(_early_told(account.account_id, noticed.early))
    if noticed.unknown:
        told.append(explain_words(account.account_id, noticed.unknown, reading.choices.stage_of))
    if noticed.missed:
        told.append(missed_told(account.account_id, noticed.missed))
    if told:
        yield Batch(NAME, 0, (), None, told=tuple(told))


@dataclass(slots=True)
class _Noticed:
    """Things in rows that people are to be told of.

    Attributes:
        unknown: words that nobody has explained, with how often they were read.
        other_addresses: how many people joined with another address than theirs.
        early: visits that were over before their session began, by session.
        missed: rows of which a template makes nothing, by field.
        left: whether rows are to be read again, as newer ones of their people count no more.
    """

    unknown: Counter[str] = field(default_factory=Counter)
    other_addresses: int = 0
    early: Counter[int] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    left: bool = False


def _batches(
    reading: Reading[AccountSettings],
    rows: AccountRows,
    chosen: rules.Choices,
    noticed: _Noticed,
    alone: Mapping[str, Collection[int]] | None = None,
) -> Iterator[Batch]:
    """The rows as batches; adds to what was noticed in them.

    Those that are new and asked for, or of each source these alone, which moves no position.
    """
    known = positions(reading.ledger, rows.account_id, NAME)
    for extract in EXTRACTS:
        if extract.name not in reading.sources:
            continue
        before = rows.redaction.taken.total()
        chunks: Iterator[tuple[Sequence[Participation], Position | None]] = (
            ((c.rows, c.position) for c in rows.chunks(extract, known.get(extract.name), chosen))
            if alone is None
            else ((part, None) for part in rows.parts(extract, alone.get(extract.name, ())))
        )
        for chunk, position in chunks:
            taken = rows.redaction.taken.total() - before
            before += taken
            if mapped_answers(rows.overrides) and extract is not ATTENDANCES:
                asked = {key for row in chunk for key in answers_in(row.columns)}
                note_answer_keys(reading.ledger, rows.account_id, asked)
            if extract is ATTENDANCES:
                noticed.other_addresses += sum(map(bool, map(other_address, chunk)))
                read = together(rows, chosen, chunk)
                noticed.early.update(
                    read.rows[place].event_session_id
                    for place, reason in read.refused.items()
                    if reason == BEFORE_START
                )
            else:
                refused = rules.refusals(chunk, chosen)
                sent = [row for place, row in enumerate(chunk) if place not in refused]
                read = Together(chunk, rows.people(sent), refused, Joined(), ())
            intents = rules.intents(read.rows, chosen, read.people, read.refused, read.visits)
            if reading.recording:
                noticed.left |= let_older_rows_count(reading.ledger, rows.account_id, intents)
            if chosen.needs_known:
                intents = with_known(reading.ledger, rows.account_id, intents, chosen)
            if figures := mapped_figures(rows.overrides):
                intents = with_figures(
                    reading.ledger,
                    rows.account_id,
                    figures,
                    chosen,
                    rows=read.rows,
                    people=read.people,
                    refused=read.refused,
                    intents=intents,
                )
            noticed.unknown.update(rules.unknown_words(intents))
            for place, row in enumerate(read.rows):
                if place not in read.refused:
                    noticed.missed.update(missed(chosen.maps, row.columns))
            yield Batch(
                extract.name,
                len(read.rows) + len(read.replaced),
                [*intents, *read.replaced],
                position,
                rows_by_session=Counter(each.event_session_id for each in read.rows),
                numbers={("filtered_leads", "redacted"): taken} if taken else {},
            )


def _replayed(
    reading: Reading[AccountSettings],
    rows: AccountRows,
    chosen: rules.Choices,
    noticed: _Noticed,
    replayed: RowsToReplay,
) -> Iterator[Batch]:
    """The rows of which only some kinds are said again; then all that are replayed were read."""
    account_id = rows.account_id
    for kinds, alone in replayed.parts.items():
        for batch in _batches(reading, rows, chosen, noticed, alone):
            said = said_again(reading.ledger, account_id, batch.intents, kinds)
            # Rows of which nothing is said again are known, so that the rows read add up.
            known = len(_activities(batch.intents)) - len(_activities(said))
            numbers = {**batch.numbers, ("filtered_leads", "known_already"): known}
            yield replace(batch, intents=said, numbers=numbers)
    if reading.recording:
        rows_were_replayed(reading.ledger, account_id, NAME, replayed, reading.sources)


def _activities(intents: Iterable[Intent]) -> list[Intent]:
    return [each for each in intents if each.kind == "activity"]


def mapped_answers(overrides: Iterable[FieldMapping]) -> dict[str, str]:
    """Returns the fields that are filled from answers, each with the question's key."""
    return {
        f"{each.sobject}.{each.field}": column.removeprefix(ANSWERS)
        for each in overrides
        for column in each.columns
        if column.startswith(ANSWERS)
    }


def _answers_told(reading: Reading[AccountSettings], rows: AccountRows) -> Iterator[Batch]:
    """Tells of fields that are filled from the answer to a question that nobody was ever asked."""
    mapped = mapped_answers(rows.overrides)
    if not mapped:
        return
    asked = answer_keys(reading.ledger, rows.account_id)
    missing = {field: key for field, key in sorted(mapped.items()) if key not in asked}
    if asked and missing:
        fields = ", ".join(f"{field} from {key!r}" for field, key in missing.items())
        told = (
            f"Filled from answers that no registration has: {fields}; there are: "
            f"{', '.join(map(repr, asked[:_MOST_KEYS]))}; "
            f"`crm-pipeline account mapping set {rows.account_id} FIELD --source {ANSWERS}KEY`"
        )
        yield Batch(NAME, 0, (), None, told=(told,))


def _addresses_told(reading: Reading[AccountSettings], others: int) -> Iterator[Batch]:
    """Tells of people who joined with another address than theirs, where nothing follows of it."""
    account_id = reading.account.account_id
    if reading.choices.alias == "report":
        if others:
            told = (
                f"Attendances with another address than the registrant's: {others}; they are the "
                f"registrant's. `crm-pipeline account set {account_id} alias=follow` keeps such "
                "addresses, and whatever comes with one is that person's from then on"
            )
            yield Batch(NAME, 0, (), None, told=(told,))
        return
    number, person = taken_aliases(reading.ledger, account_id)
    if number:
        told = (
            f"People who joined with an address that is somebody else's: {number}, such as "
            f"person:{person}; each stays who they are, until somebody merges them in the platform"
        )
        yield Batch(NAME, 0, (), None, told=(told,))


_MOST_KEYS = 20
"""Of the keys of answers, so many are told."""


def _early_told(account_id: str, early: Mapping[int, int]) -> str:
    """Says of which sessions visits were over too early to be attendances, and what counts them."""
    sessions = sorted(early)
    named = ", ".join(map(str, sessions[:_MOST_SESSIONS]))
    more = ", …" if len(sessions) > _MOST_SESSIONS else ""
    return (
        f"Visits that were over before their session began, and are no attendances: "
        f"{sum(early.values())} (session {named}{more}); where a start is not the true one, "
        f"`crm-pipeline account set {account_id} early_visits_count=true` has them count"
    )


_MOST_SESSIONS = 5
"""Of sessions with early visits, so many are named."""


def explain_words(account_id: str, unknown: Mapping[str, int], known: Mapping[str, str]) -> str:
    """Says which status words nobody has explained, and the command that does."""
    words = ", ".join(f"{word!r} ({rows})" for word, rows in sorted(unknown.items()))
    explained = orjson.dumps({**known, **dict.fromkeys(sorted(unknown), "STAGE")}).decode()
    return (
        f"Registrations are held for a status that nobody has explained: {words}; "
        f"`crm-pipeline account set {account_id} {quote(f'stage_of={explained}')}` "
        "says which STAGE each is, such as registered or waitlisted"
    )
