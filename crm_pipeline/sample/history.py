"""The first filling of a sample warehouse: a platform's last months, in chunks of any size."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_pipeline.sample import traffic
from crm_pipeline.sample.draws import Draws, Ids
from crm_pipeline.sample.people import people
from crm_pipeline.sample.platform import (
    HISTORY,
    Moments,
    SamplePlatform,
    events_and_sessions,
    first_ids,
    session_starts,
    shipped,
)
from crm_pipeline.sample.prospects import (
    definitions_of_platform,
    numbers_of_prospects,
    prospects_of_platform,
)
from crm_pipeline.sample.tracked_leads import leads_of_platform, numbers_of_leads
from crm_pipeline.sample.traffic import Presence, Tables

_MINUTE = np.timedelta64(1, "m")

_LONG_BEFORE = 120
"""Minutes: whoever comes so long before a session is gone when it begins."""


def history(platform: SamplePlatform, chunk_rows: int) -> Iterator[Tables]:
    """All rows of the warehouse but its clients, in parts: rows by table.

    Args:
        platform: clients and sizes.
        chunk_rows: people, or registrations, to a part. The rows do not depend on it.
    """
    events, sessions = events_and_sessions(platform)
    yield {
        "event": events,
        "event_session": sessions,
        "poll_question": traffic.poll_questions(platform.draws, sessions),
    }
    for ids in _chunks(int(platform.people.sum()), chunk_rows):
        yield {"person": _people(platform, ids)}
    for ids in _chunks(int(platform.registrations.sum()), chunk_rows):
        yield _participations(platform, ids)
    for ids in _chunks(int(numbers_of_leads(platform).sum()), chunk_rows):
        yield {"tracked_lead": leads_of_platform(platform, ids)}
    yield definitions_of_platform(platform)
    for ids in _chunks(int(numbers_of_prospects(platform).sum()), chunk_rows):
        yield from prospects_of_platform(platform, ids)


def _chunks(total: int, rows: int) -> Iterator[Ids]:
    for first in range(1, total + 1, rows):
        yield np.arange(first, min(first + rows, total + 1))


def _people(platform: SamplePlatform, ids: Ids) -> pd.DataFrame:
    client = np.searchsorted(np.cumsum(platform.people), ids)
    rows = people(
        platform.draws, ids, first_ids(platform.people)[client], platform.client_ids(client)
    )
    ago = platform.draws.share(ids, "person known since") * HISTORY
    rows["shipped_at"] = shipped(
        platform.draws, ids, "person", platform.until - ago.astype("timedelta64[s]"), platform.until
    )
    return rows


def _participations(platform: SamplePlatform, ids: Ids) -> Tables:
    """Registrations, and the attendances with twice their ids; who came without has the odd one."""
    draws, until = platform.draws, platform.until
    client = np.searchsorted(np.cumsum(platform.registrations), ids)
    clients = platform.client_ids(client)
    # A few are of people who cancelled and register for the same session again.
    again = _comes_again(platform, ids, client)
    place = np.where(again, ids - 1, ids)
    session = first_ids(platform.sessions)[client] + draws.below(
        place, "session", platform.sessions[client]
    )
    starts = session_starts(platform, session)
    person = _who_registers(platform, place, client)
    registered = _registered(draws, ids, starts, until)
    registered[again] = np.minimum(starts, until)[again] - _MINUTE
    rows = traffic.registrations(
        draws,
        ids,
        clients=clients,
        sessions=session,
        people=person,
        registered_at=registered,
        shipped_at=shipped(draws, ids, "registration", registered, until),
    )

    came = draws.happens(ids, "came", 0.55) & (starts < until)
    unasked = draws.happens(ids, "came without registering", 0.05) & (starts < until)
    strangers = platform.people[client] - platform.registering_people[client]
    stranger = (
        first_ids(platform.people)[client]
        + platform.registering_people[client]
        - (strangers == 0)
        + draws.below(ids, "who came unasked", np.maximum(strangers, 1))
    )
    attendance = np.concatenate([ids[came] * 2, ids[unasked] * 2 + 1])
    begins = np.concatenate([starts[came], starts[unasked]])
    after = draws.below(attendance, "comes after", 25)
    # A few look in long before, and are gone when it begins.
    looks_in = draws.happens(attendance, "looks in before", 0.01)
    at = np.minimum(begins + np.where(looks_in, after - _LONG_BEFORE, after) * _MINUTE, until)
    presence = Presence(
        ids=attendance,
        clients=np.concatenate([clients[came], clients[unasked]]),
        sessions=np.concatenate([session[came], session[unasked]]),
        people=np.concatenate([person[came], stranger[unasked]]),
        at=at,
        shipped_at=shipped(draws, attendance, "attendance", at, until),
        until=until,
    )
    return {"registration": rows, **traffic.attendances(draws, presence)}


def _comes_again(platform: SamplePlatform, ids: Ids, client: Ids) -> npt.NDArray[np.bool_]:
    within = ids - first_ids(platform.registrations)[client]
    back = platform.draws.happens(ids, "comes again", 0.5)
    result: npt.NDArray[np.bool_] = (
        back
        & traffic.is_cancelled(platform.draws, ids - 1)
        & (within > platform.registering_people[client])
    )
    return result


def _who_registers(platform: SamplePlatform, ids: Ids, client: Ids) -> Ids:
    """First everybody who registers at all, then some of them again."""
    within = ids - first_ids(platform.registrations)[client]
    everybody = platform.registering_people[client]
    again = platform.draws.below(ids, "who registers again", everybody)
    return first_ids(platform.people)[client] + np.where(within < everybody, within, again)


def _registered(draws: Draws, ids: Ids, starts: Moments, until: np.datetime64) -> Moments:
    """Up to three weeks before the session; for one that is far ahead, in the last days."""
    before = (draws.share(ids, "registered before") * 21 * 86_400).astype("timedelta64[s]")
    lately = (draws.share(ids, "registered lately") * 3 * 86_400).astype("timedelta64[s]")
    registered = starts - before
    return np.where(registered < until, registered, until - lately)
