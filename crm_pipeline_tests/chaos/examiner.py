"""The promise, as an examiner sees it: nothing lost, nothing twice, nothing wrong. Pure.

Every registration and attendance that is not rejected has exactly one activity, under exactly one
person, the right one, or stands in the queue with its reason; no person is doubled; no filtered
address is in the org; each cycle's numbers add up (issue: nothing lost, nothing twice).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from crm_pipeline_tests.chaos.evidence import Evidence, Participation, Record, address
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.member_examiner import MemberExamination, Wanted, stages_of

QUEUED = frozenset(("failed", "exhausted"))
"""States in which an operation waits with a reason."""

UNSETTLED = frozenset(("pending", "in_flight"))
"""States in which something is still to come of an operation."""

Look = tuple[str | None, str, str]
"""What an activity looks like: whose it is, subject, time. Several may look alike."""


def is_rejected(participation: Participation, filters: Iterable[str]) -> bool:
    """Whether it is not to reach the org: no address to go by, or a filtered one."""
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
        self.accepted = [
            each for each in evidence.participations if not is_rejected(each, evidence.filters)
        ]
        self.operations = {each.key: each for each in evidence.operations}
        self.queued_people = {
            each.person_key
            for each in evidence.operations
            if each.kind == "person" and each.state in QUEUED
        }
        self.clusters = _clusters(evidence, self._addresses())

    def findings(self) -> Findings:
        self._activities()
        self._members()
        self._people()
        self._values()
        self._filtered_addresses()
        self._queue()
        self._conservation()
        return self.found

    def _addresses(self) -> dict[str, set[str]]:
        """The addresses that each person's record has, or ever had."""
        found = {
            record_id: {address(record.get("Email") or "")}
            for record_id, record in self.evidence.people.items()
        }
        for record_id, earlier in self.evidence.addresses.items():
            found[record_id] |= {address(each) for each in earlier}
        return found

    def _activities(self) -> None:
        """One activity for each participation, alike ones counted together."""
        expected: defaultdict[Look, list[Participation]] = defaultdict(list)
        for each in self.accepted:
            expected[self._cluster_of(each.email), each.subject, each.at].append(each)
        live: defaultdict[Look, list[Record]] = defaultdict(list)
        deleted: Counter[Look] = Counter()
        for event in self.evidence.events:
            owner = self.evidence.people.get(event["WhoId"] or "")
            cluster = None if owner is None else self._cluster_of_record(owner["Id"])
            place: Look = (cluster, event["Subject"], event["ActivityDateTime"])
            if event["IsDeleted"]:
                deleted[place] += 1
            else:
                live[place].append(event)
                if owner is None or owner["IsDeleted"] or owner.get("IsConverted"):
                    self.found.wrong.append(f"{_name(event)} is under {event['WhoId']}, no person")
        for place in live.keys() - expected.keys():
            for event in live[place]:
                self.found.wrong.append(f"{_name(event)} under {event['WhoId']} is nobody's")
        for place, alike in expected.items():
            self._count(alike, live[place], deleted[place])

    def _count(self, alike: list[Participation], events: list[Record], deleted: int) -> None:
        """Compares the participations that look alike with the activities of that look."""
        keys = ", ".join(each.key for each in alike)
        surplus = len(events) + deleted - len(alike)
        if surplus > 0:
            again = " (one that was deleted came again)" if len(events) <= len(alike) else ""
            self.found.doubled.append(f"{keys}: {len(events)} activities{again}")
        waiting = sum(self._waits(each.key) for each in alike)
        missing = len(alike) - len(events) - deleted - waiting
        if missing > 0:
            states = ", ".join(self._state(each.key) for each in alike)
            self.found.lost.append(f"{keys}: {missing} without an activity ({states})")
        external_id = self.evidence.external_id
        if external_id:
            named = Counter(event[external_id] for event in events)
            if named - Counter(each.key for each in alike):
                self.found.wrong.append(f"{keys}: the activities are named {sorted(named)}")
        if len({event["WhoId"] for event in events}) > 1:
            self.found.wrong.append(f"{keys}: the activities are under several people")
        if self.at_rest and len(events) == len(alike) and not waiting:
            told = sorted(event.get("Description") or "" for event in events)
            if told != sorted(each.description for each in alike):
                self.found.wrong.append(f"{keys}: the description is not what the warehouse has")

    def _members(self) -> None:
        """One membership for each person and event, alike under whatever address."""
        if self.evidence.campaigns is None:
            return
        promised: defaultdict[tuple[int, str], list[Participation]] = defaultdict(list)
        for each in self.accepted:
            promised[each.event, self._cluster_of(each.email)].append(each)
        examination = MemberExamination(self.evidence.campaigns, self.evidence, self.found)
        campaigns = examination.campaigns(
            {event: self._waits(f"campaign:{event}") for event, _ in promised}
        )
        owners = {
            record_id: self._cluster_of_record(record_id) for record_id in self.evidence.people
        }
        wanted = {
            (campaigns[event], cluster): Wanted(
                f"event {event}, {cluster}",
                stages_of(rows),
                any(self._waits(f"member:{event}:{address(each.email)}") for each in rows),
            )
            for (event, cluster), rows in promised.items()
            if event in campaigns
        }
        examination.members(wanted, owners, at_rest=self.at_rest)

    def _waits(self, key: str) -> bool:
        operation = self.operations.get(key)
        if operation is None:
            # Not read yet, while the cadence has not come to its end.
            return not self.at_rest
        if operation.state in UNSETTLED:
            return not self.at_rest or operation.person_key in self.queued_people
        return operation.state in QUEUED

    def _state(self, key: str) -> str:
        operation = self.operations.get(key)
        return "never read" if operation is None else operation.state

    def _people(self) -> None:
        """No second record for somebody who has one; one record for each person's activities."""
        people = self.evidence.people
        living = [each for each in people.values() if not each["IsDeleted"]]
        ours = [
            each
            for each in living
            if each["Id"] not in self.evidence.given and "IsConverted" in each
        ]
        made: defaultdict[str, list[str]] = defaultdict(list)
        for lead in ours:
            if not lead["IsConverted"]:
                made[self._first_address(lead)].append(lead["Id"])
        theirs = {
            address(each.get("Email") or "")
            for each in living
            if each["Id"] in self.evidence.given and not each.get("IsConverted")
            if each["Id"] not in self.evidence.addresses
        }
        for email, leads in made.items():
            if len(leads) > 1:
                self.found.doubled.append(f"{len(leads)} leads of one person: {', '.join(leads)}")
            if email in theirs:
                self.found.doubled.append(f"lead {leads[0]} of a person who was there")
        holders: defaultdict[str, set[str]] = defaultdict(set)
        for event in self.evidence.events:
            holder = people.get(event["WhoId"] or "")
            if holder is not None and not event["IsDeleted"]:
                holders[address(holder.get("Email") or "")].add(holder["Id"])
        for ids in holders.values():
            if len(ids) > 1:
                self.found.wrong.append(f"one person's activities are under {sorted(ids)}")

    def _values(self) -> None:
        """What the warehouse said last stands in the records that nobody else writes to."""
        if not self.at_rest:
            return
        said: defaultdict[str, dict[int, str | None]] = defaultdict(dict)
        for each in self.accepted:
            said[address(each.email)][each.person] = each.title
        for record in self.evidence.people.values():
            email = address(record.get("Email") or "")
            operation = self.operations.get(f"person:{email}")
            if (
                record["Id"] in self.evidence.given | self.evidence.touched
                or record["IsDeleted"]
                or operation is None
                or operation.state != "done"
                or len(said[email]) != 1
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
        """What waits has a reason; once nothing is due, nothing is left on the way."""
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
        for cycle_id, counts, recorded, unaccounted in self.evidence.cycles:
            new = counts["registrations"] + counts["attendances"]
            intended = counts["intents_new"] + counts["intents_changed"]
            if (counts["rows_read"], new) != (counts["known"] + new, counts["rejected"] + intended):
                self.found.wrong.append(f"cycle {cycle_id}: its numbers do not add up")
            if intended != recorded or unaccounted:
                self.found.wrong.append(
                    f"cycle {cycle_id}: {intended} intended, {recorded} in the ledger"
                )

    def _cluster_of(self, email: str) -> str:
        return self.clusters.get(address(email), address(email))

    def _cluster_of_record(self, record_id: str) -> str:
        return self.clusters[record_id]


def _clusters(evidence: Evidence, addresses: Mapping[str, set[str]]) -> dict[str, str]:
    """Who is one person: records with one address, and those that they became.

    Returns:
        A name of the person for each address and each record.
    """
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        parents.setdefault(name, name)
        while parents[name] != name:
            name = parents[name]
        return name

    for record_id, record in evidence.people.items():
        became = record.get("MasterRecordId") or record.get("ConvertedContactId")
        for other in (*(each for each in addresses[record_id] if each), became):
            if other:
                parents[root(other)] = root(record_id)
    return {name: root(name) for name in list(parents) + list(evidence.people)}


def _name(event: Record) -> str:
    return f"{event['Subject']} {event['Id']} at {event['ActivityDateTime']}"
