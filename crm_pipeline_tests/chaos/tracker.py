"""Leads of one client's tracker, each asked for by small numbers, beside the client's webinars."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, text

from crm_pipeline_tests.chaos.traffic import MOST_PEOPLE, Traffic
from crm_pipeline_tests.flows.webinars.warehouse import track

FAMILY = "90189"
"""The number, without its area's, from which everybody may call."""


def gone_from(client: str) -> str:
    """Returns whose the leads are that vanished from a client's."""
    return f"gone from {client}"


_SPELLINGS = ("030 {}", "+49 30 {}", "(030) {}", "0049 30/{}")


class Tracker(Traffic):
    """One client's tracked leads. Somebody has one address and one number, and a family's.

    Attributes:
        leads: their ids.
        corrected: ids of those that said something else of whom they are before, or counted not.
    """

    def __init__(self, client: str, number: int) -> None:
        super().__init__(client, number)
        self.leads: list[int] = []
        self.corrected: set[int] = set()
        self._number = number

    def calls(self, rows: Connection, pick: int, *, behind: float = 0) -> None:
        """Somebody calls by their own number, and gives no address."""
        self._track(rows, behind, kind="call", phone=self._phone(pick))

    def calls_from_the_family(self, rows: Connection, pick: int) -> None:
        """Somebody calls by the family's number."""
        self._track(rows, kind="call", phone=_SPELLINGS[pick % len(_SPELLINGS)].format(FAMILY))

    def fills_in(self, rows: Connection, pick: int, *, behind: float = 0) -> None:
        """Somebody fills in a form, with their address and perhaps a number."""
        phones = (self._phone(pick), None, self._phone(pick), f"030 {FAMILY}")
        self._track(rows, behind, email=self._email(pick), phone=phones[pick // 7 % len(phones)])

    def writes(self, rows: Connection, pick: int) -> None:
        """Somebody gets in touch and says nothing of where they came from: that is no touch."""
        self._track(rows, kind="email", email=self._email(pick), source=None)

    def comes_richer(self, rows: Connection, pick: int) -> None:
        """A lead is shipped again, with its recording and a name."""
        said = {"recording_url": f"https://calls.example/{self._next_id()}"}
        if pick % 2:
            said["contact_name"] = f"First{pick % MOST_PEOPLE} Last"
        self._again(rows, pick, is_corrected=False, **said)

    def gives_the_address(self, rows: Connection, pick: int) -> None:
        """A lead is shipped again, with somebody's address."""
        self._again(rows, pick, email=self._email(pick // 3))

    def changes_number(self, rows: Connection, pick: int) -> None:
        """A lead's number is corrected."""
        self._again(rows, pick, phone=self._phone(pick // 3))

    def turns_out(self, rows: Connection, pick: int) -> None:
        """A lead turns out to be spam, or a duplicate, or none of these."""
        self._again(rows, pick, is_spam=pick % 3 == 0, is_duplicate=pick % 3 == 1)

    def vanishes(self, rows: Connection, pick: int) -> None:
        """A lead is not the client's any more."""
        if self.leads:
            lead = self.leads.pop(pick % len(self.leads))
            self.corrected.add(lead)
            rows.execute(
                text("UPDATE warehouse.tracked_lead SET client_id = :nobody WHERE lead_id = :lead"),
                {"nobody": gone_from(self.client), "lead": lead},
            )

    def _track(self, rows: Connection, behind: float = 0, **said: Any) -> None:
        lead = self._next_id()
        self.leads.append(lead)
        said = {"kind": "form", "source": f"s{lead}", **said}
        ago = timedelta(minutes=lead % 5)
        track(
            rows,
            lead,
            client=self.client,
            shipped_at=self._ships(behind),
            happened_at=self._now(behind) - ago,
            **said,
        )

    def _again(
        self, rows: Connection, pick: int, *, is_corrected: bool = True, **said: Any
    ) -> None:
        if self.leads:
            lead = self.leads[pick % len(self.leads)]
            if is_corrected:
                self.corrected.add(lead)
            track(rows, lead, client=self.client, shipped_at=self._ships(), **said)

    def _phone(self, pick: int) -> str:
        spelling = _SPELLINGS[pick // MOST_PEOPLE % len(_SPELLINGS)]
        return spelling.format(f"90180{self._number}{pick % MOST_PEOPLE}")

    def _email(self, pick: int) -> str:
        written = f"p{pick % MOST_PEOPLE}@{self.client}.example.com"
        return (written, written.upper(), f" {written} ")[pick // MOST_PEOPLE % 3]
