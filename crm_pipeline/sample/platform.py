"""The sample platform's clients, how much traffic each has, and their events and sessions.

All ids follow from the sizes, so that any chunk of rows can be made by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_pipeline.sample.draws import Draws, Ids, Texts
from crm_pipeline.sample.vocabulary import SESSIONS, TOPICS

Moments = npt.NDArray[np.datetime64]

SHIPPING = np.timedelta64(15, "m")
"""Live data is shipped to the warehouse every 15 minutes (spec 1)."""

HISTORY = 90 * 86_400
"""Seconds that the sample data reach back."""

_REGISTRATIONS_PER_SESSION = 60
_AHEAD_DAYS = 10


@dataclass(frozen=True)
class SamplePlatform:
    """Sizes of a sample warehouse.

    Attributes:
        clients: `client_id` of each client.
        registrations: number of registrations of each client.
        until: the time up to which all has been shipped.
        draws: what chooses.
    """

    clients: Sequence[str]
    registrations: Ids
    until: np.datetime64
    draws: Draws

    @property
    def people(self) -> Ids:
        """Number of people of each client: some register more than once."""
        return np.maximum(1, self.registrations * 62 // 100)

    @property
    def registering_people(self) -> Ids:
        """The people who register, the first ones; the others come without."""
        return np.maximum(1, self.people * 95 // 100)

    @property
    def sessions(self) -> Ids:
        """Number of event sessions of each client."""
        return np.maximum(3, self.registrations // _REGISTRATIONS_PER_SESSION)

    def client_ids(self, client: Ids) -> Texts:
        """The `client_id` of clients given by number."""
        ids: Texts = np.array(self.clients, dtype=object)[client]
        return ids


def first_ids(numbers: Ids) -> Ids:
    """First id of each client, when each has so many and ids count from 1."""
    first: Ids = np.cumsum(numbers) - numbers + 1
    return first


def shared_out(total: int, clients: int) -> Ids:
    """Registrations of each client: some have many, most have few, none has none."""
    weights = 1 / np.arange(1, clients + 1) ** 0.6
    shares: Ids = np.maximum(1, (total * weights / weights.sum()).astype(np.int64))
    shares[0] += total - shares.sum()
    if shares[0] < 1:
        raise ValueError(f"{total} registrations are too few for {clients} clients")
    return shares


def moment(when: datetime) -> np.datetime64:
    """An aware time as the UTC time that the frames count with, in whole seconds."""
    return np.datetime64(int(when.timestamp()), "s")


def session_starts(platform: SamplePlatform, sessions: Ids) -> Moments:
    """Returns the starts of sessions, UTC: in the last 90 days, or the next 10."""
    days = platform.draws.below(sessions, "day of session", 90 + _AHEAD_DAYS)
    hours = 7 + platform.draws.below(sessions, "hour of session", 12)
    today = platform.until.astype("datetime64[D]").astype("datetime64[s]")
    starts: Moments = today + (days - 90) * np.timedelta64(1, "D") + hours * np.timedelta64(1, "h")
    return starts


def events_and_sessions(platform: SamplePlatform) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All events and their sessions; every two sessions of a client are an event."""
    client = np.repeat(np.arange(len(platform.clients)), platform.sessions)
    session = np.arange(1, len(client) + 1)
    within = session - first_ids(platform.sessions)[client]
    starts = session_starts(platform, session)
    shipped = np.minimum(starts - np.timedelta64(30, "D"), platform.until)
    sessions = pd.DataFrame(
        {
            "event_session_id": session,
            "event_id": session - within % 2,
            "client_id": platform.client_ids(client),
            "title": platform.draws.pick(session, "kind of session", SESSIONS),
            "starts_at": starts,
            "ends_at": starts + np.timedelta64(1, "h"),
            "shipped_at": shipped,
        }
    )
    events = sessions.groupby("event_id", as_index=False).agg(
        client_id=("client_id", "first"),
        starts_at=("starts_at", "min"),
        ends_at=("ends_at", "max"),
        shipped_at=("shipped_at", "min"),
    )
    ids = events["event_id"].to_numpy()
    names = platform.draws.pick(ids, "topic", TOPICS)
    # Whatever a client offers more than once is a series.
    recurs = events.assign(name=names).duplicated(["client_id", "name"], keep=False).to_numpy()
    series = names.copy()
    series[~recurs] = None
    budgets = (platform.draws.below(ids, "budget", 40) * 250).astype(object)
    budgets[~platform.draws.happens(ids, "has a budget", 0.4)] = None
    return events.assign(name=names, series=series, budget=budgets), sessions


def shipped(draws: Draws, ids: Ids, what: str, happened: Moments, until: np.datetime64) -> Moments:
    """Returns when rows reached the warehouse: with the next shipping; a few many days later."""
    late = draws.happens(ids, f"{what} is late", 0.03)
    delay = draws.below(ids, f"delay of {what}", 20 * 24 * 60) * np.timedelta64(1, "m")
    known = happened + np.where(late, delay, np.timedelta64(0, "m"))
    since = (known - np.datetime64(0, "s")) // SHIPPING
    next_shipping = np.datetime64(0, "s") + (since + 1) * SHIPPING
    return np.minimum(next_shipping, until)
