"""A later moment of the sample warehouse: the next minutes of traffic, with all their disorder."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine

from crm_pipeline.database.migrations import migrate
from crm_pipeline.database.statements import statement
from crm_pipeline.sample import traffic
from crm_pipeline.sample.draws import Draws, Ids, Texts
from crm_pipeline.sample.people import people
from crm_pipeline.sample.platform import Moments, moment
from crm_pipeline.sample.tracked_leads import Found, tracked_leads
from crm_pipeline.sample.traffic import Presence, Tables
from crm_pipeline.sample.vocabulary import REPLIES
from crm_pipeline.sample.warehouse import SampleError, write

LATE_MINUTES = 20
"""How old the date of a row may be that commits now (see OVERLAP_MINUTES of the settings)."""

_PER_MINUTE = 1 / 1_500


@dataclass(frozen=True)
class Traffic:
    """The traffic of some minutes.

    Attributes:
        registrations: new ones.
        attendances: new ones.
        new_people: people who were not there before.
        changed_people: known people with other details, some with another address.
        late: registrations that arrived now with an older date of shipping.
        cancelled: known registrations.
        replies: late replies to chat messages that are there already.
        tracked_leads: new leads of the tracker.
        richer_leads: calls that were there already and came again, with a recording.
        prospects: those who came again.
    """

    registrations: int
    attendances: int
    new_people: int
    changed_people: int
    late: int
    cancelled: int
    replies: int
    tracked_leads: int
    richer_leads: int
    prospects: int


def add_traffic(
    engine: Engine,
    minutes: int,
    *,
    registrations: int | None = None,
    seed: int = 1,
    at: datetime | None = None,
) -> Traffic:
    """Adds the traffic of the `minutes` before a moment to a warehouse that has been filled.

    Args:
        engine: the warehouse.
        minutes: how long the traffic lasted.
        registrations: how many; by default, by the warehouse's size and the minutes.
        seed: the same seed gives the same rows on the same warehouse.
        at: the moment at which it is shipped; now, by default.

    Raises:
        SampleError: there is nothing to add to.
    """
    now = at or datetime.now(UTC)
    draws = Draws(seed)
    with engine.connect() as connection:
        if not connection.execute(statement("sample/extent")).one().registrations:
            raise SampleError("The warehouse is empty: fill it with `crm-pipeline sample create`.")
    migrate(engine, "warehouse")  # One that an older version filled lacks columns of this one.
    with engine.begin() as connection:
        connection.execute(statement("sample/lock"))
        extent = connection.execute(statement("sample/extent")).one()
        number = registrations or max(10, round(extent.registrations * minutes * _PER_MINUTE))
        ids = extent.last_registration + np.arange(1, number + 1)
        known, clients = _known_people(connection, draws, ids, extent.last_person)
        newcomers = draws.happens(ids, "is new", 0.5)
        person = np.where(newcomers, extent.last_person + np.cumsum(newcomers), known)
        new = people(draws, person[newcomers], person[newcomers], clients[newcomers])
        new["shipped_at"] = moment(now)
        tables, late = _participations(
            connection, draws, ids=ids, clients=clients, person=person, now=now, minutes=minutes
        )
        replies = _late_replies(connection, draws, extent.last_registration, now)
        write(connection, {"person": new, **tables})
        write(connection, {"chat_reply": replies})
        leads = _tracked_leads(draws, extent.last_lead, clients[::8], extent.last_person, now)
        write(connection, {"tracked_lead": leads})
        return Traffic(
            registrations=number,
            attendances=len(tables["attendance"]),
            new_people=len(new),
            changed_people=_change_people(connection, draws, np.unique(known[::5]), now),
            late=late,
            cancelled=_cancel(connection, draws, ids[::20], now),
            replies=len(replies),
            tracked_leads=len(leads),
            richer_leads=_enrich(connection, draws, extent.last_lead, len(leads), now),
            prospects=_change_prospects(connection, seed, now),
        )


def _tracked_leads(
    draws: Draws, last_lead: int, clients: Texts, last_person: int, now: datetime
) -> pd.DataFrame:
    """A new lead for each of these clients, of the last minutes."""
    ids = last_lead + np.arange(1, len(clients) + 1)
    found = Found(clients, np.ones_like(ids), np.full_like(ids, max(1, last_person)))
    at = np.full(len(ids), moment(now))
    return tracked_leads(draws, ids, found, at - np.timedelta64(5, "m"), at)


def _enrich(
    connection: Connection, draws: Draws, last_lead: int, number: int, now: datetime
) -> int:
    """Has some calls come again, richer; returns how many."""
    if not last_lead:
        return 0
    leads = 1 + draws.below(last_lead + np.arange(number), "which call is richer", last_lead)
    return connection.execute(
        statement("sample/enrich_leads"), {"leads": leads.tolist(), "shipped_at": now}
    ).rowcount


def _change_prospects(connection: Connection, seed: int, now: datetime) -> int:
    """Has prospects come again, a tag renamed and a score withdrawn; returns how many came."""
    connection.execute(statement("sample/rename_tag"), {"shipped_at": now})
    connection.execute(statement("sample/withdraw_score"))
    salt = f"{seed} {now:%Y-%m-%d %H:%M:%S}"
    return connection.execute(
        statement("sample/change_prospects"), {"salt": salt, "shipped_at": now}
    ).rowcount


def _known_people(
    connection: Connection, draws: Draws, ids: Ids, last_person: int
) -> tuple[Ids, Texts]:
    """A known person for each id, and the client that this person is of."""
    people = 1 + draws.below(ids, "who", last_person)
    known = connection.execute(
        statement("sample/clients_of_people"), {"people": np.unique(people).tolist()}
    ).all()
    client_of = {row.person_id: row.client_id for row in known}
    return people, np.array([client_of[person] for person in people.tolist()], dtype=object)


def _participations(
    connection: Connection,
    draws: Draws,
    *,
    ids: Ids,
    clients: Texts,
    person: Ids,
    now: datetime,
    minutes: int,
) -> tuple[Tables, int]:
    sessions, starts = _sessions(connection, draws, ids, clients)
    ago = draws.share(ids, "seconds ago") * minutes * 60
    registered = moment(now) - ago.astype("timedelta64[s]")
    late = draws.happens(ids, "commits late", 0.1)
    behind = (1 + draws.below(ids, "minutes late", LATE_MINUTES)) * np.timedelta64(1, "m")
    shipped = np.where(late, moment(now) - behind, moment(now))
    registrations = traffic.registrations(
        draws,
        ids,
        clients=clients,
        sessions=sessions,
        people=person,
        registered_at=np.minimum(registered, shipped),
        shipped_at=shipped,
    )
    came = draws.happens(ids, "came", 0.5) & (starts <= registered)
    presence = Presence(
        ids=ids[came] * 2,
        clients=clients[came],
        sessions=sessions[came],
        people=person[came],
        at=registered[came],
        shipped_at=np.full(int(came.sum()), moment(now)),
        until=moment(now),
    )
    return {"registration": registrations, **traffic.attendances(draws, presence)}, int(late.sum())


def _sessions(
    connection: Connection, draws: Draws, ids: Ids, clients: Texts
) -> tuple[Ids, Moments]:
    """One of the client's sessions for each id, and when it begins."""
    sessions = pd.DataFrame(connection.execute(statement("sample/sessions")).mappings().all())
    rows_of = sessions.groupby("client_id").indices
    share = draws.share(ids, "session")
    chosen = [
        rows_of[client][int(at * len(rows_of[client]))]
        for client, at in zip(clients, share, strict=True)
    ]
    taken = sessions.iloc[chosen]
    starts = pd.to_datetime(taken["starts_at"], utc=True).dt.tz_localize(None)
    return taken["event_session_id"].to_numpy(), starts.to_numpy().astype("datetime64[s]")


def _late_replies(connection: Connection, draws: Draws, salt: int, now: datetime) -> pd.DataFrame:
    """Replies to messages that have been there for a while."""
    messages = pd.DataFrame(
        connection.execute(statement("sample/latest_messages")).mappings().all(),
        columns=["chat_message_id", "client_id", "next_reply_id"],
    )
    chosen = draws.happens(messages.index.to_numpy() + salt, "gets a late reply", 0.02)
    replies = messages[chosen].rename(columns={"next_reply_id": "chat_reply_id"})
    replies["reply"] = draws.pick(replies["chat_reply_id"].to_numpy(), "reply", REPLIES)
    return replies.assign(replied_at=moment(now), shipped_at=moment(now))


def _change_people(connection: Connection, draws: Draws, ids: Ids, now: datetime) -> int:
    """Gives known people other details; one in ten gets another address."""
    other = people(draws, ids + int(now.timestamp()), ids, ids.astype(object))
    columns = ["job_title", "company_name", "phone_1"]
    texts = other[columns].astype(object).where(other[columns].notna(), None)
    changed = connection.execute(
        statement("sample/change_people"),
        {
            "people": ids.tolist(),
            "job_titles": texts["job_title"].tolist(),
            "company_names": texts["company_name"].tolist(),
            "phones": texts["phone_1"].tolist(),
            "shipped_at": now,
        },
    ).rowcount
    connection.execute(
        statement("sample/change_addresses"), {"people": ids[::10].tolist(), "shipped_at": now}
    )
    return changed


def _cancel(connection: Connection, draws: Draws, ids: Ids, now: datetime) -> int:
    """Cancels known registrations, as many as there are ids."""
    known = 1 + draws.below(ids, "which is cancelled", int(ids[0]) - 1)
    return connection.execute(
        statement("sample/cancel"), {"registrations": known.tolist(), "shipped_at": now}
    ).rowcount
