"""The promise, as an examiner sees it: nothing lost, nothing twice, nothing wrong. Pure.

What is right is what the source says now; what it takes back without a word stays as it is.
Every registration and attendance that is not rejected has exactly one activity, under exactly one
person, the right one, or stands in the queue with its reason; no person is doubled; no filtered
address is in the org; each cycle's numbers add up (issue: nothing lost, nothing twice).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from crm_pipeline_tests.chaos.activity_examiner import Account, ActivityExamination
from crm_pipeline_tests.chaos.evidence import (
    Evidence,
    Participation,
    Record,
    address,
    together,
)
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.member_examiner import STATUSES, MemberExamination, Wanted, stages_of
from crm_pipeline_tests.chaos.who_is_who import WhoIsWho

QUEUED = frozenset(("failed", "exhausted"))
"""States in which an operation waits with a reason."""

UNSETTLED = frozenset(("pending", "in_flight", "dropped"))
"""States in which something is still to come of an operation, if only once a person who has
rejected it thinks better of that."""


IS_NONE = frozenset(("waitlisted", "denied", "absent"))
"""Stages of the source for rows that are no registration, or no attendance."""


def is_rejected(participation: Participation, filters: Iterable[str]) -> bool:
    """True if it is not to reach the org: it is none, or its address is none, or a filtered one."""
    return participation.stage in IS_NONE or has_no_address(participation, filters)


def has_no_address(participation: Participation, filters: Iterable[str]) -> bool:
    """Returns whether there is no address to go by, or a filtered one."""
    email = address(participation.email)
    local, at, domain = email.partition("@")
    if not (local and at and "." in domain) or " " in email:
        return True
    return any(each.strip().lower() in email for each in filters)


def examine(evidence: Evidence, *, at_rest: bool = True) -> Findings:
    """Examines one account.

    Args:
        evidence: all about it.
        at_rest: nothing is due any more, so nothing may be unsettled either; without it, what is
            pending or in flight counts as queued, and values may be older.
    """
    return _Examination(evidence, at_rest).findings()


class _Examination:
    def __init__(self, evidence: Evidence, at_rest: bool) -> None:
        self.evidence = evidence
        self.at_rest = at_rest
        self.found = Findings()
        self.rows = [
            each for each in evidence.participations if not is_rejected(each, evidence.filters)
        ]
        self.operations = {each.key: each for each in evidence.operations}
        self.accepted = together(self.rows, self._has_activity)
        self.queued_people = {
            each.person_key
            for each in evidence.operations
            if each.kind == "person" and each.state in QUEUED
        }
        self.who = WhoIsWho(evidence)
        keys = {now.key for now in self.rows}
        self.released = [each for each in _latest(evidence.former) if each.key not in keys]
        # Not all is read yet; and who is one person is not sure while addresses go from one to
        # another.
        apart = {key for each in self.accepted for key in each.others}
        self.released += [
            each
            for each in self.rows
            if each.key in apart and (not at_rest or self.who.is_restless([address(each.email)]))
        ]

    def _has_activity(self, key: str) -> bool:
        operation = self.operations.get(key)
        return operation is not None and operation.state not in ("rejected", "superseded")

    def findings(self) -> Findings:
        account = Account(
            self.evidence,
            self.who,
            self.accepted,
            self.released,
            self._waits,
            self._state,
            self.at_rest,
        )
        ActivityExamination(account, self.found).examine()
        self._members()
        self._people()
        self._values()
        self._filtered_addresses()
        self._queue()
        self._conservation()
        return self.found

    def _members(self) -> None:
        """One membership for each person and event, alike under whatever address."""
        if self.evidence.campaigns is None:
            return
        promised: defaultdict[tuple[int, str], list[Participation]] = defaultdict(list)
        for each in self.evidence.participations:
            if not has_no_address(each, self.evidence.filters):
                promised[each.event, self.who.of_address(each.email)].append(each)
        stages = {place: self._stages(rows) for place, rows in promised.items()}
        examination = MemberExamination(self.evidence.campaigns, self.evidence, self.found)
        campaigns = examination.campaigns(
            {
                event: self._waits(f"campaign:{event}")
                for (event, _), there in stages.items()
                if there
            },
            former=[each.event for each in (*self.evidence.former, *self.evidence.participations)],
            at_rest=self.at_rest,
        )
        wanted = {
            (campaigns[event], person): Wanted(
                f"event {event}, {person}",
                stages[event, person],
                any(self._waits(f"member:{event}:{address(each.email)}") for each in rows),
                frozenset(
                    (campaigns[event], somebody)
                    for each in rows
                    for was, people in self.who.were(each)
                    for somebody in people
                    if was.event == event
                ),
            )
            for (event, person), rows in promised.items()
            if event in campaigns and stages[event, person]
        }
        released: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        stays = not (self.at_rest and self.evidence.deletes)
        for each in (*self.rows, *(self.released if stays else ())):
            joined = self.who.joined_others(self.who.of_address(each.email))
            for was, people in self.who.were(each):
                for person in people if stays or (joined and was.event == each.event) else ():
                    if was.event in campaigns and each not in promised.get((was.event, person), ()):
                        released[campaigns[was.event], person].add(was.stage)
                        if was.stage == "registered":
                            released[campaigns[was.event], person].add("no_show")
        for event, person in promised:
            # Whoever only waits may stay as they were before.
            if event in campaigns and not stages[event, person]:
                released[campaigns[event], person].update(STATUSES)
        examination.members(wanted, released, self.who, at_rest=self.at_rest)

    def _stages(self, rows: Sequence[Participation]) -> frozenset[str]:
        """The stages that a membership of these rows may have.

        Sessions of which an attendance was taken back may count as attended still.
        """
        attended, perhaps = (
            {each.session for each in versions if each.stage == "attended"}
            for versions in (self.rows, self.evidence.former)
        )
        return stages_of(rows, attended) | stages_of(rows, attended | perhaps)

    def _waits(self, key: str) -> bool:
        operation = self.operations.get(key)
        if operation is None:
            # Not read yet, while the cadence has not come to its end.
            return not self.at_rest
        if operation.state in ("rejected", "left_out"):
            # The source has corrected it since, and is not read yet; or its person was rejected.
            return not self.at_rest
        if operation.state in UNSETTLED:
            return not self.at_rest or operation.person_key in self.queued_people
        return operation.state in QUEUED

    def _state(self, key: str) -> str:
        operation = self.operations.get(key)
        return "never read" if operation is None else operation.state

    def _people(self) -> None:
        """No second record for somebody who has one; one record for each person's activities."""
        people, restored = self.evidence.people, self.evidence.restored
        living = [each for each in people.values() if not each["IsDeleted"]]
        ours = [
            each
            for each in living
            if each["Id"] not in self.evidence.given and "IsConverted" in each
        ]
        made: defaultdict[str, list[str]] = defaultdict(list)
        for lead in ours:
            if not lead["IsConverted"]:
                email = self._first_address(lead)
                if email in self.who.left:
                    # By now somebody else's, or nobody's: a record is whose address it has now.
                    email = address(lead.get("Email") or "")
                if self.at_rest or email not in self.who.left:
                    made[email].append(lead["Id"])
        theirs = {
            address(each.get("Email") or "")
            for each in living
            if each["Id"] in self.evidence.given and not each.get("IsConverted")
            if each["Id"] not in self.evidence.addresses.keys() | restored.keys()
        }
        for email, leads in made.items():
            # Who was deleted may have been made anew before that was taken back.
            if sum(restored.get(each, frozenset()).isdisjoint(leads) for each in leads) > 1:
                self.found.doubled.append(f"{len(leads)} leads of one person: {', '.join(leads)}")
            if email in theirs:
                self.found.doubled.append(f"lead {leads[0]} of a person who was there")
        holders: defaultdict[str, set[str]] = defaultdict(set)
        for event in self.evidence.events:
            holder = people.get(event["WhoId"] or "")
            if holder is not None and not event["IsDeleted"]:
                holders[address(holder.get("Email") or "")].add(holder["Id"])
        for email, ids in holders.items():
            if len(ids) > 1 and email not in self.who.left and ids.isdisjoint(restored):
                self.found.wrong.append(f"one person's activities are under {sorted(ids)}")

    def _values(self) -> None:
        """The warehouse's last word stands in the records that nobody else writes to.

        Of a person the newest row counts of those that were not taken back.
        """
        if not self.at_rest or self.evidence.hidden:
            return
        said: defaultdict[str, dict[int, str | None]] = defaultdict(dict)
        for each in self.rows:
            email = address(each.email)
            said[email][each.person] = each.title
        for record in self.evidence.people.values():
            email = address(record.get("Email") or "")
            operation = self.operations.get(f"person:{email}")
            if (
                record["Id"] in self.evidence.given | self.evidence.touched
                or record["IsDeleted"]
                or operation is None
                or operation.state != "done"
                or len(said[email]) != 1
                or self.who.people_at(email) != 1
            ):
                continue
            [title] = said[email].values()
            if record.get("Title") != title:
                self.found.wrong.append(
                    f"{record['Id']}: title {record.get('Title')!r}, the warehouse says {title!r}"
                )

    def _first_address(self, record: Record) -> str:
        """The address that a record was made with."""
        changed = self.evidence.addresses.get(record["Id"])
        return address(changed[0] if changed else record.get("Email") or "")

    def _filtered_addresses(self) -> None:
        for record in self.evidence.people.values():
            if record["Id"] in self.evidence.given:
                continue
            email = self._first_address(record)
            if any(each.strip().lower() in email for each in self.evidence.filters):
                self.found.wrong.append(f"{record['Id']} has a filtered address")

    def _queue(self) -> None:
        """Operations that wait have a reason; once nothing is due, nothing is left on the way."""
        for each in self.evidence.operations:
            if each.state in QUEUED:
                self.found.queued.append(f"{each.key}: {each.error_code}")
                if not each.error_code:
                    self.found.wrong.append(f"{each.key} is {each.state} for no reason")
            elif each.state in UNSETTLED and self.at_rest:
                if each.kind != "person" and each.person_key in self.queued_people:
                    self.found.queued.append(f"{each.key}: waits for its person")
                else:
                    self.found.wrong.append(f"{each.key} stands still, {each.state}")

    def _conservation(self) -> None:
        """Rows read = known + new; new = rejected + intended; intended = delivered + queued."""
        for cycle_id, tally, recorded, unaccounted in self.evidence.cycles:
            new = tally.overall("rows")
            intended = tally.overall("activities_new") + tally.overall("activities_changed")
            read, known = tally.overall("rows_read"), tally.overall("known_already")
            parts = tally.overall("part_of_another")
            if (read, new) != (known + new, tally.overall("rejected") + parts + intended):
                self.found.wrong.append(f"cycle {cycle_id}: its numbers do not add up")
            if intended != recorded or unaccounted:
                self.found.wrong.append(
                    f"cycle {cycle_id}: {intended} intended, {recorded} in the ledger"
                )


def _latest(versions: Sequence[Participation]) -> list[Participation]:
    """One version of each participation."""
    return list({each.key: each for each in versions}.values())
