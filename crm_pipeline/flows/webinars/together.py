"""Reading the visits that belong together: with one row of an attendance, all others of it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from crm_pipeline.flows.webinars import rules
from crm_pipeline.flows.webinars.visits import Joined, joined
from crm_pipeline.ledger.counts import known_rows
from crm_pipeline.ledger.intents import Intent
from crm_pipeline.ledger.people import Who
from crm_pipeline.ledger.visits import (
    Place,
    Visit,
    forget_visits,
    note_visits,
    visits_at,
    visits_of,
)
from crm_pipeline.sources.account_rows import AccountRows
from crm_pipeline.sources.participations import ATTENDANCES, Participation
from crm_pipeline.sources.people import who
from crm_pipeline.sources.stages import is_on_demand


class Together(NamedTuple):
    """The rows of some attendances, all of each.

    Attributes:
        rows: as the source has them.
        people: of those that are to be sent.
        refused: why the others are not, by their place among the rows.
        visits: which of them are one attendance.
        replaced: activities of rows that the source has no more, where others have theirs now.
    """

    rows: Sequence[Participation]
    people: Mapping[Who, int]
    refused: Mapping[int, str]
    visits: Joined
    replaced: Sequence[Intent]


_MOST_ID = 2**63


def together(
    of_account: AccountRows, chosen: rules.Choices, rows: Sequence[Participation]
) -> Together:
    """Reads the other visits of attendances of which a row was read, and says how they join.

    Notes that in the ledger, and new people, within the caller's transaction.

    Raises:
        ExtractError: the warehouse cannot be read.
    """
    ledger, account_id = of_account.ledger, of_account.account_id
    seen = list(rows)
    known: dict[int, Visit] = {}
    gone: set[int] = set()
    people: dict[Who, int] = {}
    refused: dict[int, str] = {}
    places: dict[int, Place | None] = {}
    asked_of: set[int] = set()
    asked_at: set[Place] = set()
    more: Sequence[Participation] = seen
    while more:
        beginning = len(seen) - len(more)
        new = rules.refusals(more, chosen)
        refused |= {beginning + place: reason for place, reason in new.items()}
        people |= of_account.people([row for place, row in enumerate(more) if place not in new])
        for place, row in enumerate(more):
            number = row.participation_id
            if type(number) is int and -_MOST_ID <= number < _MOST_ID:
                places[number] = None if place in new else _place(row, people)
        ids = places.keys() - asked_of
        known |= {each.attendance_id: each for each in visits_of(ledger, account_id, ids)}
        asked_of |= ids
        now = {place for place in places.values() if place is not None}
        before = {each.place for each in known.values() if each.event_session_id is not None}
        ask = (now | before) - asked_at
        there = {each.attendance_id: each for each in visits_at(ledger, account_id, ask)}
        asked_at |= ask
        known = there | known
        missing = there.keys() - places.keys() - gone
        more = of_account.named(ATTENDANCES, missing) if missing else ()
        gone |= missing - {row.participation_id for row in more}
        seen += more
    at = {
        row.participation_id: row.happened_at for row in seen if type(row.participation_id) is int
    }
    visits = joined(places, at, known, gone)
    _note(of_account, visits, known)
    replaced = []
    if lost := visits.undone & gone:
        as_of = known_rows(ledger, account_id, rules.NATURAL_KEY["attendances"], lost)
        replaced = [rules.vanished_activity("attendances", row, at) for row, at in as_of.items()]
    return Together(seen, people, refused, visits, replaced)


def _place(row: Participation, people: Mapping[Who, int]) -> Place:
    return Place(people[who(row)], row.event_session_id, is_on_demand(row.columns))


def _note(of_account: AccountRows, visits: Joined, known: Mapping[int, Visit]) -> None:
    changed = [each for each in visits.visits if known.get(each.attendance_id) != each]
    if changed:
        note_visits(of_account.ledger, of_account.account_id, changed)
    if visits.forgotten:
        forget_visits(of_account.ledger, of_account.account_id, visits.forgotten)
