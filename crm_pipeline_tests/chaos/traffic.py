"""What comes out of the webinar platform: rows of one client, each asked for by small numbers.

Nothing here draws lots: whoever calls chooses by `pick`, any number, which of what is there is
meant; a seeded random walk and a property test use the same moves.
"""

from datetime import datetime, timedelta

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

    def begin(self, rows: Connection) -> None:
        """The client and its sessions."""
        add_sessions(rows, *self._sessions, client=self.client)

    def time_passes(self, minutes: float) -> None:
        """What comes from now on is shipped so much later."""
        self.minute += minutes

    def person(self, rows: Connection, pick: int) -> None:
        """Another row of a person: perhaps of an address that is there already."""
        n, form = pick % MOST_PEOPLE, (pick // MOST_PEOPLE) % len(_ADDRESSES)
        person = self._next_id()
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
        person, session, registration = (
            self._somebody(rows, pick),
            self._session(pick),
            self._next_id(),
        )
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

    def cancels(self, rows: Connection, pick: int) -> None:
        """Somebody who registered will not come."""
        if not self._registrations:
            return
        rows.execute(
            text(
                "UPDATE warehouse.registration SET status = 'cancelled', shipped_at = :at"
                " WHERE registration_id = :registration"
            ),
            {
                "at": self._ships(),
                "registration": self._registrations[pick % len(self._registrations)],
            },
        )

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
            insert(
                rows,
                "poll_question",
                poll_question_id=self._questions[session],
                client_id=self.client,
                event_session_id=session,
                position=1,
                question="Why?",
                shipped_at=self._ships(),
            )
        answer = self._next_id()
        insert(
            rows,
            "poll_answer",
            poll_answer_id=answer,
            client_id=self.client,
            poll_question_id=self._questions[session],
            attendance_id=attendance,
            answer=f"answer {answer}",
            answered_at=self._now(),
            shipped_at=self._ships(),
        )

    def changes(self, rows: Connection, pick: int) -> None:
        """Somebody has another job."""
        if not self._people:
            return
        rows.execute(
            text(
                "UPDATE warehouse.person SET job_title = :title, shipped_at = :at"
                " WHERE person_id = :person"
            ),
            {
                "title": f"Title {self._next_id()}",
                "at": self._ships(),
                "person": self._people[pick % len(self._people)],
            },
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
