"""The promise for activities: one for each participation, under the person whose it is now. Pure.

Which activity is which participation's nobody has written down: several may look alike, and one
that was deleted looks as it did then. So each activity is given to a participation that it can be
of; one that is left over is one too many, and a participation that is left over is lost.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crm_pipeline_tests.chaos.evidence import Evidence, Participation, Record
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.who_is_who import WhoIsWho

Look = tuple[str | None, str, str]
"""The looks of an activity: whose it is, subject, time. Several may look alike."""


_REGISTRATION = ("Webinar Registration",)
"""Other activities go where another visit has the attendance's."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account's side of an examination.

    Attributes:
        evidence: all about it.
        who: its people.
        accepted: the participations that have to have an activity.
        released: those that may keep what they have, unless the account deletes it: the source
            has taken them away, or their addresses are to be filtered by now.
        waits: whether an operation is queued.
        state: of an operation, in words.
        at_rest: nothing is due any more.
    """

    evidence: Evidence
    who: WhoIsWho
    accepted: Sequence[Participation]
    released: Sequence[Participation]
    waits: Callable[[str], bool]
    state: Callable[[str], str]
    at_rest: bool


class ActivityExamination:
    """Examines one account's activities; what it finds goes into `found`."""

    def __init__(self, account: Account, found: Findings) -> None:
        self._account = account
        self._found = found
        self._owed = [*account.accepted, *account.released]
        self._now = [self._look(each) for each in account.accepted]
        self._may_be: defaultdict[Look, list[int]] = defaultdict(list)
        """The participations of which a deleted activity can be, by its look."""
        for number, each in enumerate(self._owed):
            for look in self._looks(each):
                self._may_be[look].append(number)
        self._of: dict[int, Record] = {}
        self._can_have: defaultdict[int, list[Record]] = defaultdict(list)
        """The activities that a participation can have."""

    def examine(self) -> None:
        """Compares them."""
        living: list[Record] = []
        deleted: list[Record] = []
        evidence = self._account.evidence
        for event in evidence.events:
            if (
                event["IsDeleted"]
                and event["Id"] not in evidence.removed
                and (evidence.deletes or event["Subject"] not in _REGISTRATION)
            ):
                # By the pipeline: whoever is to have one needs another.
                continue
            (deleted if event["IsDeleted"] else living).append(event)
        for event in sorted(living, key=self._is_restored):
            self._take_living(event)
        for event in sorted(deleted, key=self._may_be_another_s_now):
            candidates = self._candidates(event)
            self._note(event, candidates)
            if (
                candidates
                and not self._give(event, candidates, set())
                and not self._may_be_another_s_now(event)
                and not self._may_be_part_of_another_now(event)
            ):
                again = " (one that was deleted came again)"
                self._doubled(event, candidates, again)
        for number in range(len(self._now)):
            if number not in self._of and self._needs_one(number):
                self._claim(number, set())
        alike: defaultdict[Look, list[int]] = defaultdict(list)
        for number, look in enumerate(self._now):
            alike[look].append(number)
        for look, numbers in alike.items():
            self._compare(look, numbers)

    def _take_living(self, event: Record) -> None:
        owner = self._account.evidence.people.get(event["WhoId"] or "")
        if owner is None or owner["IsDeleted"] or owner.get("IsConverted"):
            self._found.wrong.append(f"{_name(event)} is under {event['WhoId']}, no person")
        candidates = self._candidates(event)
        self._note(event, candidates)
        if self._is_restored(event):
            # Its row may be another person's by now, who has one, too.
            self._give(event, candidates, set())
        elif not candidates:
            self._found.wrong.append(f"{_name(event)} under {event['WhoId']} is nobody's")
        elif not self._give(event, candidates, set()):
            self._doubled(event, candidates)
        name = self._account.evidence.external_id
        owed = [self._owed[each] for each in candidates]
        keys = [key for each in owed for key in (each.key, *each.others)]
        if name and keys and event[name] not in keys:
            self._found.wrong.append(f"{', '.join(keys)}: the activity is named {event[name]}")

    def _is_restored(self, event: Record) -> bool:
        """Returns whether people deleted it, or its person, and took that back."""
        return not self._account.evidence.restored.keys().isdisjoint((event["Id"], event["WhoId"]))

    def _may_be_another_s_now(self, event: Record) -> bool:
        """Returns whether a deleted activity may be of a row that moved between people.

        Whoever has the row then gets an activity of their own; so does whoever is one with
        somebody else by now, by an address that was theirs.
        """
        who = self._account.who
        return any(
            was.person != each.person or who.shared_an_address(each.person)
            for each in map(self._owed.__getitem__, self._candidates(event))
            for was, _ in who.were(each)
        )

    def _may_be_part_of_another_now(self, event: Record) -> bool:
        """Returns whether a deleted activity may be of a visit that became part of another's.

        It was live then, and a view of the recording now, or the other way round: it has no
        activity of its own any more, so that whoever comes as it did then has a new one.
        """
        return any(
            was.subject == event["Subject"] != each.subject
            for each in map(self._owed.__getitem__, self._candidates(event))
            if each.others
            for key in (each.key, *each.others)
            for was, _ in self._account.who.were(each, key)
        )

    def _doubled(self, event: Record, candidates: Sequence[int], again: str = "") -> None:
        look = self._look_of(event)
        events = [e for e in self._account.evidence.events if not e["IsDeleted"]]
        number = sum(self._look_of(each) == look for each in events)
        keys = ", ".join(self._owed[each].key for each in candidates)
        self._found.doubled.append(f"{keys}: {number} activities{again}")

    def _candidates(self, event: Record) -> list[int]:
        """The participations that an activity can be of."""
        look = self._look_of(event)
        can = self._may_be[look]
        if not event["IsDeleted"]:
            can = [each for each in can if self._may_be_there(each, look)]
        return sorted(can, key=self._needs_one, reverse=True)

    def _note(self, event: Record, candidates: Sequence[int]) -> None:
        for number in candidates:
            self._can_have[number].append(event)

    def _may_be_there(self, number: int, look: Look) -> bool:
        """Returns whether an activity that is not deleted may look so: as is right, or was."""
        is_released = number >= len(self._now)
        if (is_released and not self._account.evidence.deletes) or (
            not is_released and self._now[number] == look
        ):
            return True
        if not is_released and self._account.who.joined_others(str(self._now[number][0])):
            return True
        return not self._account.at_rest or self._account.waits(self._owed[number].key)

    def _give(self, event: Record, candidates: Sequence[int], passed: set[int]) -> bool:
        """Gives an activity to one of these, others being given others where that helps."""
        for number in candidates:
            if number in passed:
                continue
            passed.add(number)
            holder = self._of.get(number)
            if holder is None or self._give(holder, self._candidates(holder), passed):
                self._of[number] = event
                return True
        return False

    def _needs_one(self, number: int) -> bool:
        """Returns whether a participation has to have one by now; one that still waits need not."""
        return number < len(self._now) and not self._account.waits(self._owed[number].key)

    def _claim(self, number: int, passed: set[str]) -> bool:
        """Takes an activity from one that needs none; others may be given others for that."""
        for event in self._can_have[number]:
            if event["Id"] in passed:
                continue
            passed.add(event["Id"])
            holder = next((each for each, its in self._of.items() if its is event), None)
            if holder is None or not self._needs_one(holder) or self._claim(holder, passed):
                if holder is not None and self._of.get(holder) is event:
                    del self._of[holder]
                self._of[number] = event
                return True
        return False

    def _compare(self, look: Look, alike: list[int]) -> None:
        """Compares the participations that look alike with what was given to them."""
        account = self._account
        keys = ", ".join(self._owed[each].key for each in alike)
        waiting = sum(account.waits(self._owed[each].key) for each in alike)
        missing = sum(each not in self._of for each in alike) - waiting
        if missing > 0:
            states = ", ".join(account.state(self._owed[each].key) for each in alike)
            self._found.lost.append(f"{keys}: {missing} without an activity ({states})")
        events = [self._of[each] for each in alike if each in self._of]
        living = [each for each in events if not each["IsDeleted"]]
        restless = account.who.is_restless(account.who.addresses_of(str(look[0]))) or any(
            map(self._is_restored, living)
        )
        # One that is still with a former person looks otherwise.
        there = {event["WhoId"] for event in living if self._look_of(event) == look}
        if len(there) > 1 and not restless:
            self._found.wrong.append(f"{keys}: the activities are under several people")
        only_theirs = set(self._may_be[look]) == set(alike)
        as_told = not any(event["Id"] in account.evidence.restored for event in living)
        if (
            account.at_rest
            and as_told
            and len(living) == len(alike)
            and not waiting
            and only_theirs
        ):
            told = sorted(event.get("Description") or "" for event in living)
            if told != sorted(self._owed[each].description for each in alike):
                self._found.wrong.append(f"{keys}: the description is not what the warehouse has")

    def _look(self, each: Participation) -> Look:
        return self._account.who.of_address(each.email), each.subject, each.at

    def _looks(self, each: Participation) -> set[Look]:
        """The looks that an activity of it can have, if it is not told to be otherwise any more."""
        looks: set[Look] = {
            (person, was.subject, at)
            for key in (each.key, *each.others)
            for was, people in self._account.who.were(each, key)
            for person in people
            for at in {was.at, *self._account.who.times_of_visits(was)}
        }
        return looks | {self._look(each)}

    def _look_of(self, event: Record) -> Look:
        owner = self._account.evidence.people.get(event["WhoId"] or "")
        person = None if owner is None else self._account.who.of_record(owner["Id"])
        return person, event["Subject"], event["ActivityDateTime"]


def _name(event: Record) -> str:
    return f"{event['Subject']} {event['Id']} at {event['ActivityDateTime']}"
