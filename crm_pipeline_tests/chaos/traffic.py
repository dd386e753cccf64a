"""Rows of one client of the webinar platform, each asked for by small numbers.

Nothing here draws lots: whoever calls chooses by `pick`, any number, which of what is there is
meant; a seeded random walk and a property test use the same moves.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from crm_pipeline_tests.flows.webinars.warehouse import LONG_AGO, add_sessions, insert

SESSIONS = 2
MOST_PEOPLE = 7
"""Different addresses of a client: few, so that they meet again and again."""

_ADDRESSES = (
    "p{n}@{client}.example.com",
    "P{n}@{client}.Example.com",
    " p{n}@{client}.example.com ",
    "p{n}@rival.example.com",
    "",
)

_LIVE: dict[str, Any] = {"minutes_attended": 30, "kind": "live"}

FILTER = "Rival"
"""The filter string of the accounts: those with such an address are rejected."""


class Traffic:
    """One client's rows. Times are minutes since `LONG_AGO`.

    Things happen on the minute, so that there are alike ones; no two rows are shipped at once.
    """

    def __init__(self, client: str, number: int) -> None:
        """Begins with nothing.

        Args:
            client: the client's id in the warehouse.
            number: of the client; ids of its rows begin there.
        """
        self.client = client
        self.minute = 0.0
        self._sessions = [number * 10 + each for each in range(1, SESSIONS + 1)]
        self._last_id = number * 1_000_000
        self._shipped = 0
        self._people: list[int] = []
        self._registrations: list[int] = []
        self._attendances: list[tuple[int, int]] = []
        self._questions: dict[int, int] = {}
        self._to_come: list[Callable[[Connection], None]] = []

    def begin(self, rows: Connection) -> None:
        """The client, an event and its sessions."""
        add_sessions(rows, *self._sessions, client=self.client)

    def time_passes(self, minutes: float) -> None:
        """Rows that come from now on are shipped so much later."""
        self.minute += minutes

    def person(self, rows: Connection, pick: int) -> None:
        """Another row of a person: perhaps of an address that is there already."""
        self._ship_person(rows, self._next_id(), pick)

    def _ship_person(self, rows: Connection, person: int, pick: int) -> None:
        n, form = pick % MOST_PEOPLE, (pick // MOST_PEOPLE) % len(_ADDRESSES)
        insert(
            rows,
            "person",
            person_id=person,
            client_id=self.client,
            email=_ADDRESSES[form].format(n=n, client=self.client),
            first_name=f"First {n}",
            surname=f"Last {n}",
            job_title=f"Title {person}",
            company_name=f"Company {n}",
            shipped_at=self._ships(),
        )
        self._people.append(person)

    def registers(self, rows: Connection, pick: int, *, behind: float = 0) -> None:
        """A registration, which may be shipped `behind` minutes late: below the watermark."""
        person, session = self._somebody(rows, pick), self._session(pick)
        self._register(rows, self._next_id(), session, person, behind)

    def _register(
        self, rows: Connection, registration: int, session: int, person: int, behind: float = 0
    ) -> None:
        insert(
            rows,
            "registration",
            registration_id=registration,
            client_id=self.client,
            event_session_id=session,
            person_id=person,
            status="registered",
            source="email",
            registered_at=self._now(behind),
            shipped_at=self._ships(behind),
        )
        self._registrations.append(registration)

    def registers_again(self, rows: Connection, pick: int) -> None:
        """Somebody who had registered for a session does so once more, cancelled or not."""
        if not self._registrations:
            return
        before, registration = self._registrations[pick % len(self._registrations)], self._next_id()
        rows.execute(
            text(
                "INSERT INTO warehouse.registration SELECT :registration, client_id,"
                " event_session_id, person_id, 'registered', source, :now, :at"
                " FROM warehouse.registration WHERE registration_id = :before"
            ),
            {
                "registration": registration,
                "before": before,
                "now": self._now(),
                "at": self._ships(),
            },
        )
        self._registrations.append(registration)

    def cancels(self, rows: Connection, pick: int) -> None:
        """Somebody who registered will not come."""
        self._update(rows, "registration", self._registrations, pick, status="cancelled")

    def waits(self, rows: Connection, pick: int) -> None:
        """Somebody is put on the waiting list, or refused; `is_approved` may end that."""
        status = ("waitlisted", "denied")[pick % 2]
        self._update(rows, "registration", self._registrations, pick // 2, status=status)

    def is_approved(self, rows: Connection, pick: int) -> None:
        """People who had cancelled, waited or were refused are registered after all."""
        self._update(rows, "registration", self._registrations, pick, status="registered")

    def attends(self, rows: Connection, pick: int, *, behind: float = 0) -> None:
        """An attendance, as `registers`."""
        person, session, attendance = (
            self._somebody(rows, pick),
            self._session(pick),
            self._next_id(),
        )
        insert(
            rows,
            "attendance",
            attendance_id=attendance,
            client_id=self.client,
            event_session_id=session,
            person_id=person,
            attended_at=self._now(behind),
            minutes_attended=30,
            shipped_at=self._ships(behind),
        )
        self._attendances.append((attendance, session))

    def comes_back(self, rows: Connection, pick: int) -> None:
        """Somebody leaves a session and comes back, or comes twice at once: another row."""
        if not self._attendances:
            return
        before, session = self._attendances[pick % len(self._attendances)]
        attendance = self._next_id()
        rows.execute(
            text(
                "INSERT INTO warehouse.attendance (attendance_id, client_id, event_session_id,"
                " person_id, attended_at, minutes_attended, kind, shipped_at)"
                " SELECT :attendance, client_id, event_session_id, person_id, :now, 10, kind, :at"
                " FROM warehouse.attendance WHERE attendance_id = :before"
            ),
            {
                "attendance": attendance,
                "before": before,
                "now": self._now((-20, 0, 15)[pick % 3]),
                "at": self._ships(),
            },
        )
        self._attendances.append((attendance, session))

    def was_no_visit(self, rows: Connection, pick: int) -> None:
        """An attendance turns out to be of no minutes, or a view of the recording, or is one."""
        attendances = [attendance for attendance, _ in self._attendances]
        changed: dict[str, Any] = ({"minutes_attended": 0}, {"kind": "on_demand"}, _LIVE)[pick % 3]
        self._update(rows, "attendance", attendances, pick // 3, **changed)

    def says(self, rows: Connection, pick: int) -> None:
        """A chat message of somebody who attended: the activity is to be updated."""
        if not self._attendances:
            return
        attendance, _ = self._attendances[pick % len(self._attendances)]
        message = self._next_id()
        insert(
            rows,
            "chat_message",
            chat_message_id=message,
            client_id=self.client,
            attendance_id=attendance,
            message=f"@{{message {message}}}" if pick % 5 == 0 else f"message {message}",
            sent_at=self._now(),
            shipped_at=self._ships(),
        )

    def answers(self, rows: Connection, pick: int) -> None:
        """An answer to the poll of a session by somebody who attended it."""
        if not self._attendances:
            return
        attendance, session = self._attendances[pick % len(self._attendances)]
        if session not in self._questions:
            self._questions[session] = self._next_id()
            self._ask(rows, self._questions[session], session)
        self._answer(rows, attendance, self._questions[session])

    def _ask(self, rows: Connection, question: int, session: int) -> None:
        insert(
            rows,
            "poll_question",
            poll_question_id=question,
            client_id=self.client,
            event_session_id=session,
            position=1,
            question=f"Why {question}?",
            shipped_at=self._ships(),
        )

    def _answer(self, rows: Connection, attendance: int, question: int) -> None:
        answer = self._next_id()
        insert(
            rows,
            "poll_answer",
            poll_answer_id=answer,
            client_id=self.client,
            poll_question_id=question,
            attendance_id=attendance,
            answer=f"answer {answer}",
            answered_at=self._now(),
            shipped_at=self._ships(),
        )

    def changes(self, rows: Connection, pick: int) -> None:
        """Somebody has another job."""
        self._update(rows, "person", self._people, pick, job_title=f"Title {self._next_id()}")

    def changes_address(self, rows: Connection, pick: int) -> None:
        """Somebody's address is corrected: to a new one, or to one that may be there already."""
        n, form = pick % MOST_PEOPLE, (pick // MOST_PEOPLE) % (len(_ADDRESSES) * 2)
        email = f"corrected{self._next_id()}@{self.client}.example.com"
        if form < len(_ADDRESSES):
            email = _ADDRESSES[form].format(n=n, client=self.client)
        self._update(rows, "person", self._people, pick, email=email)

    def swaps_addresses(self, rows: Connection, pick: int) -> None:
        """The addresses of two people were interchanged, and are put right."""
        if len(self._people) < 2:
            return
        first = pick % len(self._people)
        rows.execute(
            text(
                "UPDATE warehouse.person AS p SET email = other.email, shipped_at = :at"
                " FROM warehouse.person AS other"
                " WHERE p.person_id IN (:one, :two) AND other.person_id IN (:one, :two)"
                " AND p.person_id <> other.person_id"
            ),
            {"at": self._ships(), "one": self._people[first], "two": self._people[first - 1]},
        )

    def moves(self, rows: Connection, pick: int) -> None:
        """A registration or an attendance turns out to be somebody else's."""
        person = self._somebody(rows, pick // 2)
        if pick % 2:
            self._update(rows, "registration", self._registrations, pick, person_id=person)
        else:
            attendances = [attendance for attendance, _ in self._attendances]
            self._update(rows, "attendance", attendances, pick, person_id=person)

    def deletes(self, rows: Connection, pick: int) -> None:
        """A registration or an attendance vanishes, and nobody says so."""
        attendances = [attendance for attendance, _ in self._attendances]
        table, ids = (
            ("registration", self._registrations) if pick % 2 else ("attendance", attendances)
        )
        if ids:
            gone = ids[pick % len(ids)]
            rows.execute(
                text(f"DELETE FROM warehouse.{table} WHERE {table}_id = :gone"), {"gone": gone}
            )
            self._registrations = [each for each in self._registrations if each != gone]
            self._attendances = [each for each in self._attendances if each[0] != gone]

    def parent_vanishes(self, rows: Connection, pick: int) -> None:
        """A person or a session vanishes, and what is of them is nobody's until it is back."""
        table, ids = (("person", self._people), ("event_session", self._sessions))[pick % 2]
        if not ids:
            return
        gone = ids[pick // 2 % len(ids)]
        former = (
            rows.execute(
                text(f"DELETE FROM warehouse.{table} WHERE {table}_id = :gone RETURNING *"),
                {"gone": gone},
            )
            .mappings()
            .one_or_none()
        )
        if former is not None:
            back = dict(former)
            self._to_come.append(
                lambda rows: insert(rows, table, **{**back, "shipped_at": self._ships()})
            )

    def event_changes(self, rows: Connection, pick: int) -> None:
        """An event is renamed, or put off."""
        events = list(
            rows.scalars(
                text("SELECT event_id FROM warehouse.event WHERE client_id = :client ORDER BY 1"),
                {"client": self.client},
            )
        )
        changed: dict[str, Any] = {"name": f"Expo {self._next_id()}"}
        if pick % 2:
            day = LONG_AGO + timedelta(days=pick)
            changed = {"starts_at": day, "ends_at": day + timedelta(days=pick % 3)}
        self._update(rows, "event", events, pick // 2, **changed)

    def comes_out_of_order(self, rows: Connection, pick: int) -> None:
        """A row is shipped before one that it belongs to: that comes by `catches_up`."""
        match pick % 3:
            case 0:
                self._before_its_event(rows, pick)
            case 1:
                self._before_its_person(rows, pick)
            case 2:
                self._before_its_question(rows, pick)

    def catches_up(self, rows: Connection, _pick: int) -> None:
        """All that something waits for is shipped."""
        for ship in self._to_come:
            ship(rows)
        self._to_come.clear()

    def _before_its_event(self, rows: Connection, pick: int) -> None:
        person, event, session, registration = (
            self._somebody(rows, pick),
            self._next_id(),
            self._next_id(),
            self._next_id(),
        )
        self._register(rows, registration, session, person)
        whose = {"event_id": event, "client_id": self.client}
        day = {"starts_at": LONG_AGO, "ends_at": LONG_AGO}

        def ship(rows: Connection) -> None:
            at = {"shipped_at": self._ships()}
            insert(rows, "event", name=f"Late {event}", **whose, **day, **at)
            insert(
                rows, "event_session", event_session_id=session, title="Late", **whose, **day, **at
            )

        self._to_come.append(ship)

    def _before_its_person(self, rows: Connection, pick: int) -> None:
        person, registration = self._next_id(), self._next_id()
        self._register(rows, registration, self._session(pick), person)
        self._to_come.append(lambda rows: self._ship_person(rows, person, pick))

    def _before_its_question(self, rows: Connection, pick: int) -> None:
        if not self._attendances:
            return
        attendance, session = self._attendances[pick % len(self._attendances)]
        question = self._next_id()
        self._answer(rows, attendance, question)
        self._to_come.append(lambda rows: self._ask(rows, question, session))

    def _update(
        self, rows: Connection, table: str, ids: Sequence[int], pick: int, **columns: Any
    ) -> None:
        """Ships one of these rows anew, with other values."""
        if not ids:
            return
        changes = ", ".join(f"{name} = :{name}" for name in columns)
        rows.execute(
            text(
                f"UPDATE warehouse.{table} SET {changes}, shipped_at = :at"
                f" WHERE {table}_id = :number"
            ),
            {**columns, "at": self._ships(), "number": ids[pick % len(ids)]},
        )

    def _somebody(self, rows: Connection, pick: int) -> int:
        if not self._people:
            self.person(rows, pick)
        return self._people[pick % len(self._people)]

    def _session(self, pick: int) -> int:
        return self._sessions[pick % SESSIONS]

    def _now(self, behind: float = 0) -> datetime:
        return LONG_AGO + timedelta(minutes=self.minute - behind)

    def _ships(self, behind: float = 0) -> datetime:
        self._shipped += 1
        return self._now(behind) + timedelta(milliseconds=self._shipped)

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id
