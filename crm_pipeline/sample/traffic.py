"""The traffic of webinars: registrations, attendances, answers and messages."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_pipeline.sample.draws import Draws, Ids, Texts
from crm_pipeline.sample.forms import filled_in, interactions
from crm_pipeline.sample.platform import Moments, shipped
from crm_pipeline.sample.vocabulary import (
    ANSWERS,
    MESSAGES,
    QUESTIONS,
    REPLIES,
    SOURCES,
    WAITING,
)

MOST_QUESTIONS = 15
MOST_MESSAGES = 12

SECOND_VISIT = 10**12
"""Between the id of an attendance and that of the same person's second visit to the session."""

_MINUTE = np.timedelta64(1, "m")

Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Presence:
    """Attendances, before what people did in them; one element of each array per attendance.

    Attributes:
        ids: their `attendance_id`.
        clients: their `client_id`.
        sessions: their `event_session_id`.
        people: their `person_id`.
        at: when they came, UTC.
        shipped_at: when that reached the warehouse, UTC.
        until: the time up to which all has been shipped.
    """

    ids: Ids
    clients: Texts
    sessions: Ids
    people: Ids
    at: Moments
    shipped_at: Moments
    until: np.datetime64


def poll_questions(draws: Draws, sessions: pd.DataFrame) -> pd.DataFrame:
    """The questions that each session asks: none to fifteen."""
    ids = sessions["event_session_id"].to_numpy()
    row, position = _counted(draws.below(ids, "questions", MOST_QUESTIONS + 1))
    question = _question_ids(ids[row], position)
    return pd.DataFrame(
        {
            "poll_question_id": question,
            "client_id": sessions["client_id"].to_numpy()[row],
            "event_session_id": ids[row],
            "position": position,
            "question": draws.pick(question, "question", QUESTIONS),
            "shipped_at": sessions["shipped_at"].to_numpy()[row],
        }
    )


def registrations(
    draws: Draws,
    ids: Ids,
    *,
    clients: Texts,
    sessions: Ids,
    people: Ids,
    registered_at: Moments,
    shipped_at: Moments,
) -> pd.DataFrame:
    """Rows of registrations; a few were cancelled since, wait, or were never accepted.

    Of a few somebody else comes instead.
    """
    cancelled = is_cancelled(draws, ids)
    replaced_by = (ids + 1).astype(object)
    replaced_by[~draws.happens(ids, "is replaced", 0.01)] = None
    waits = draws.happens(ids, "waits", 0.02)
    speaks = draws.happens(sessions * 1_000_000 + people, "speaks", 0.01)
    cancelled_at = _written(shipped_at)
    cancelled_at[~cancelled] = None
    return pd.DataFrame(
        {
            "registration_id": ids,
            "client_id": clients,
            "event_session_id": sessions,
            "person_id": people,
            "status": np.where(
                cancelled,
                "cancelled",
                np.where(waits, draws.pick(ids, "waiting", WAITING), "registered"),
            ),
            "role": _roles(speaks),
            "cancelled_at": cancelled_at,
            "source": draws.pick(ids, "source", SOURCES),
            "replaced_by": replaced_by,
            **filled_in(draws, ids, registered_at),
            "registered_at": registered_at,
            "shipped_at": shipped_at,
        }
    )


def is_cancelled(draws: Draws, ids: Ids) -> npt.NDArray[np.bool_]:
    """Returns which of some registrations were cancelled."""
    return draws.happens(ids, "cancelled", 0.03)


def _written(times: Moments) -> Texts:
    """Times as text, for columns in which some rows have none."""
    texts: Texts = np.char.add(np.datetime_as_string(times, unit="s"), "Z").astype(object)
    return texts


def _roles(speaks: npt.NDArray[np.bool_]) -> Texts:
    roles: Texts = np.full(len(speaks), None, dtype=object)
    roles[speaks] = "speaker"
    return roles


def attendances(draws: Draws, presence: Presence) -> Tables:
    """Attendances with their poll answers, chat messages and replies, by table.

    A few left at once, a few saw the recording, and a few came back: another row each.
    """
    ids = presence.ids
    of_both = presence.sessions * 1_000_000 + presence.people
    speaks = draws.happens(of_both, "speaks", 0.01)
    left_at_once = draws.happens(ids, "leaves at once", 0.01)
    rows = pd.DataFrame(
        {
            "attendance_id": ids,
            "client_id": presence.clients,
            "event_session_id": presence.sessions,
            "person_id": presence.people,
            "attended_at": presence.at,
            "role": _roles(speaks),
            "kind": np.where(draws.happens(ids, "sees the recording", 0.04), "on_demand", "live"),
            "minutes_attended": np.where(left_at_once, 0, 1 + draws.below(ids, "minutes", 75)),
            "joined_as": _other_addresses(draws, presence),
            "shipped_at": presence.shipped_at,
        }
    )
    messages = _messages(draws, presence)
    return {
        "attendance": pd.concat([rows, _returns(draws, rows, presence.until)]),
        "poll_answer": _answers(draws, presence),
        "chat_message": messages,
        "chat_reply": replies(draws, messages, presence.until),
        "interaction": interactions(
            draws, ids, clients=presence.clients, at=presence.at, until=presence.until
        ),
    }


def _other_addresses(draws: Draws, presence: Presence) -> Texts:
    """The addresses of the few who join with another one than they registered with."""
    homes = [f"at.home.{person}@example.net" for person in presence.people]
    joined = np.array(homes, dtype=object)
    joined[~draws.happens(presence.ids, "joins from home", 0.02)] = None
    return joined


def _returns(draws: Draws, rows: pd.DataFrame, until: np.datetime64) -> pd.DataFrame:
    """Attendances of people who came back to the same session, or came by a second device."""
    back = rows[draws.happens(rows["attendance_id"].to_numpy(), "comes back", 0.06)]
    ids = back["attendance_id"].to_numpy()
    again = back["attended_at"].to_numpy() + (5 + draws.below(ids, "back after", 40)) * _MINUTE
    at = np.minimum(again, until)
    return back.assign(
        attendance_id=ids + SECOND_VISIT,
        attended_at=at,
        shipped_at=np.maximum(back["shipped_at"].to_numpy(), at),
        minutes_attended=1 + draws.below(ids, "minutes of the second visit", 30),
    )


def replies(draws: Draws, messages: pd.DataFrame, until: np.datetime64) -> pd.DataFrame:
    """Returns the hosts' replies: to three messages in ten, once or twice."""
    ids = messages["chat_message_id"].to_numpy()
    answered = draws.happens(ids, "gets a reply", 0.3)
    row, number = _counted(np.where(answered, 1 + draws.below(ids, "replies", 2), 0))
    reply = ids[row] * 10 + number
    sent = messages["sent_at"].to_numpy()[row]
    replied = np.minimum(sent + draws.below(reply, "reply after", 30) * _MINUTE, until)
    return pd.DataFrame(
        {
            "chat_reply_id": reply,
            "client_id": messages["client_id"].to_numpy()[row],
            "chat_message_id": ids[row],
            "reply": draws.pick(reply, "reply", REPLIES),
            "replied_at": replied,
            "shipped_at": shipped(draws, reply, "reply", replied, until),
        }
    )


def _answers(draws: Draws, presence: Presence) -> pd.DataFrame:
    takes_part = draws.happens(presence.ids, "answers polls", 0.4)
    questions = draws.below(presence.sessions, "questions", MOST_QUESTIONS + 1)
    row, position = _counted(np.where(takes_part, questions, 0))
    answer = presence.ids[row] * 100 + position
    given = draws.happens(answer, "answered", 0.8)
    row, position, answer = row[given], position[given], answer[given]
    answered = np.minimum(presence.at[row] + position * 4 * _MINUTE, presence.until)
    return pd.DataFrame(
        {
            "poll_answer_id": answer,
            "client_id": presence.clients[row],
            "poll_question_id": _question_ids(presence.sessions[row], position),
            "attendance_id": presence.ids[row],
            "answer": draws.pick(answer, "answer", ANSWERS),
            "answered_at": answered,
            "shipped_at": shipped(draws, answer, "answer", answered, presence.until),
        }
    )


def _messages(draws: Draws, presence: Presence) -> pd.DataFrame:
    talks = draws.happens(presence.ids, "talks", 0.2)
    number = np.where(talks, 1 + draws.below(presence.ids, "messages", MOST_MESSAGES), 0)
    row, position = _counted(number)
    message = presence.ids[row] * 100 + position
    texts = draws.pick(message, "message", MESSAGES)
    # Some talk so much that five of their messages exceed an activity's description.
    long = draws.happens(presence.ids, "talks at length", 0.02)[row]
    texts[long] = [f"{text} …\n" * (9_000 // (len(text) + 3)) for text in texts[long]]
    sent = np.minimum(presence.at[row] + position * 3 * _MINUTE, presence.until)
    return pd.DataFrame(
        {
            "chat_message_id": message,
            "client_id": presence.clients[row],
            "attendance_id": presence.ids[row],
            "message": texts,
            "sent_at": sent,
            "shipped_at": shipped(draws, message, "message", sent, presence.until),
        }
    )


def _counted(numbers: Ids) -> tuple[Ids, Ids]:
    """Returns, for rows that have so many things each, each thing's row and its number from 1."""
    row = np.repeat(np.arange(len(numbers)), numbers)
    position = np.arange(len(row)) - np.repeat(np.cumsum(numbers) - numbers, numbers) + 1
    return row, position


def _question_ids(sessions: Ids, position: Ids) -> Ids:
    return sessions * 100 + position
