"""Rows of the warehouse for tests, a short call each."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

from sqlalchemy import Connection, text

LONG_AGO = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLIENT = "client-1"


def insert(connection: Connection, table: str, **columns: Any) -> None:
    """One row of `warehouse.<table>`."""
    names = ", ".join(columns)
    values = ", ".join(f":{name}" for name in columns)
    connection.execute(text(f"INSERT INTO warehouse.{table} ({names}) VALUES ({values})"), columns)


def add_sessions(connection: Connection, *sessions: int, client: str = CLIENT) -> None:
    """A client with one event and these sessions."""
    insert(connection, "client", client_id=client, name=client)
    times = {"starts_at": LONG_AGO, "ends_at": LONG_AGO, "shipped_at": LONG_AGO}
    event = crc32(client.encode())
    insert(connection, "event", event_id=event, client_id=client, name="Expo", **times)
    for session in sessions:
        insert(
            connection,
            "event_session",
            event_session_id=session,
            event_id=event,
            client_id=client,
            title=f"Session {session}",
            **times,
        )


def add_person(
    connection: Connection,
    person: int,
    email: str | None = None,
    *,
    client: str = CLIENT,
    shipped_at: datetime = LONG_AGO,
    **columns: Any,
) -> None:
    """A person; by default with a name, a company and an address of their own."""
    known = {
        "email": f"p{person}@example.com" if email is None else email,
        "first_name": f"First {person}",
        "surname": f"Last {person}",
        "company_name": f"Company {person}",
        "country_code": "GB",
    }
    insert(
        connection,
        "person",
        person_id=person,
        client_id=client,
        shipped_at=shipped_at,
        **{**known, **columns},
    )


def register(
    connection: Connection,
    number: int,
    person: int,
    session: int = 1,
    *,
    client: str = CLIENT,
    minute: float = 0,
    shipped_at: datetime | None = None,
) -> None:
    """A registration, `minute` past noon and shipped then."""
    at = LONG_AGO + timedelta(minutes=minute)
    insert(
        connection,
        "registration",
        registration_id=number,
        client_id=client,
        event_session_id=session,
        person_id=person,
        status="registered",
        source="email",
        registered_at=at,
        shipped_at=shipped_at or at,
    )


def attend(
    connection: Connection,
    number: int,
    person: int,
    session: int = 1,
    *,
    client: str = CLIENT,
    minute: float = 0,
) -> None:
    """An attendance, `minute` past noon and shipped then."""
    at = LONG_AGO + timedelta(minutes=minute)
    insert(
        connection,
        "attendance",
        attendance_id=number,
        client_id=client,
        event_session_id=session,
        person_id=person,
        attended_at=at,
        minutes_attended=30,
        shipped_at=at,
    )


def answer_poll(
    connection: Connection, number: int, attendance: int, session: int = 1, *, minute: float = 0
) -> None:
    """A poll question of the session and the attendee's answer to it."""
    at = LONG_AGO + timedelta(minutes=minute)
    insert(
        connection,
        "poll_question",
        poll_question_id=number,
        client_id=CLIENT,
        event_session_id=session,
        position=number,
        question=f"Question {number}?",
        shipped_at=at,
    )
    insert(
        connection,
        "poll_answer",
        poll_answer_id=number,
        client_id=CLIENT,
        poll_question_id=number,
        attendance_id=attendance,
        answer=f"Answer {number}",
        answered_at=at,
        shipped_at=at,
    )


def chat(
    connection: Connection,
    number: int,
    attendance: int,
    message: str | None = None,
    *,
    replies: int = 0,
    minute: float = 0,
) -> None:
    """A chat message of the attendee, with replies."""
    at = LONG_AGO + timedelta(minutes=minute)
    insert(
        connection,
        "chat_message",
        chat_message_id=number,
        client_id=CLIENT,
        attendance_id=attendance,
        message=message or f"Message {number}",
        sent_at=at,
        shipped_at=at,
    )
    for reply in range(replies):
        insert(
            connection,
            "chat_reply",
            chat_reply_id=number * 100 + reply,
            client_id=CLIENT,
            chat_message_id=number,
            reply=f"Reply {number}.{reply}",
            replied_at=at,
            shipped_at=at,
        )


def track(
    connection: Connection,
    lead: int,
    *,
    client: str = CLIENT,
    minute: float = 0,
    shipped_at: datetime | None = None,
    **columns: Any,
) -> None:
    """A tracked lead, by default a form, `minute` past noon and shipped then; or what it says now.

    Of one that is there already the columns that are given change.
    """
    at = shipped_at or LONG_AGO + timedelta(minutes=minute)
    known = {"kind": "form", "happened_at": at, **columns, "shipped_at": at}
    changed = ", ".join(f"{name} = excluded.{name}" for name in (*columns, "shipped_at"))
    names = ", ".join(("lead_id", "client_id", *known))
    values = ", ".join(f":{name}" for name in ("lead_id", "client_id", *known))
    connection.execute(
        text(
            f"INSERT INTO warehouse.tracked_lead ({names}) VALUES ({values})"
            f" ON CONFLICT (lead_id) DO UPDATE SET {changed}"
        ),
        {"lead_id": lead, "client_id": client, **known},
    )
