"""Looks at an org after a program has run: is each person there once, with each activity once?"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchmarks.job import email, home, job_title


@dataclass(frozen=True, slots=True)
class Verdict:
    """The faults in the org; a right answer has nothing but zeros and all its activities."""

    second_persons: int
    """People who have more than one record now."""
    missing_persons: int
    """People who have no record."""
    outdated_persons: int
    """People whose record is not what the registration says."""
    activities: int
    """Activities that stand at the right record."""
    missing_activities: int
    doubled_activities: int
    astray_activities: int
    """Activities at a record that is not the person's first one, or at none."""

    @property
    def right(self) -> bool:
        """Returns whether the job was done: nothing lost, nothing twice, nobody doubled."""
        return not (
            self.second_persons
            or self.missing_persons
            or self.outdated_persons
            or self.missing_activities
            or self.doubled_activities
            or self.astray_activities
        )

    def activities_in_words(self) -> str:
        """The activities, and what is wrong with them."""
        wrong = {
            "missing": self.missing_activities,
            "doubled": self.doubled_activities,
            "at a wrong record": self.astray_activities,
        }
        return ", ".join(
            [f"{self.activities:,}", *(f"{n:,} {what}" for what, n in wrong.items() if n)]
        )


@dataclass(frozen=True, slots=True)
class Person:
    """A Lead or a Contact of the org."""

    sobject: str
    record_id: str
    email: str
    title: str | None


def examine(rows: int, people: Iterable[Person], events: Mapping[str, list[str | None]]) -> Verdict:
    """Compares an org with the right answer.

    Args:
        rows: how many people the job has.
        people: all Leads and Contacts.
        events: by subject that each person should have exactly one of: the activities' WhoIds.
    """
    records: dict[str, list[Person]] = {email(person): [] for person in range(rows)}
    for found in people:
        records[found.email.lower()].append(found)
    own: set[str] = set()
    second = missing = outdated = 0
    for person in range(rows):
        mine = records[email(person)]
        wanted = home(person) or "Lead"
        second += len(mine) > 1
        first = next((each for each in mine if each.sobject == wanted), None)
        if first is None:
            missing += 1
        else:
            own.add(first.record_id)
            outdated += first.title != job_title(person)
    right = lost = doubled = astray = 0
    for who_ids in events.values():
        at_right_records = Counter(who_id for who_id in who_ids if who_id in own)
        strays = len(who_ids) - at_right_records.total()
        right += len(at_right_records)
        doubled += at_right_records.total() - len(at_right_records)
        astray += strays
        lost += max(0, rows - len(at_right_records) - strays)
    return Verdict(second, missing, outdated, right, lost, doubled, astray)
