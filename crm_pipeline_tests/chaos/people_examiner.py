"""The examiner of the people behind tracked leads: each is there once, with both touches."""

from collections import defaultdict
from collections.abc import Iterator, Set
from dataclasses import dataclass

from crm_pipeline_tests.chaos.deal_examiner import Evidence, Record
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.marks import became, marks, reached

ID, FIRST, LAST = "Tracker_Id__c", "First_Source__c", "Last_Source__c"


@dataclass(frozen=True, slots=True)
class PeopleExamination:
    """Looks, at rest, for breaches of the promise about people.

    Attributes:
        evidence: of the account.
        given: records that salespeople made, or put other values into.
        restless: ids of tracked leads that were corrected, or turned out to be none: whom they
            were taken for in between depends on when they were read.
        follows: whether a first touch that is known later takes the place of the one that stands.
    """

    evidence: Evidence
    given: Set[str]
    restless: Set[str]
    follows: bool

    def findings(self) -> Findings:
        """All of them."""
        found = Findings()
        self._twice(found)
        self._lost(found)
        self._left_behind(found)
        for record in self._ours():
            if not self._is_left(record):
                self._touches(record, found)
        return found

    def _ours(self) -> Iterator[Record]:
        """Records that live and have the pipeline's values only."""
        for record in self.evidence.people.values():
            is_there = not (record["IsDeleted"] or record.get("IsConverted"))
            if is_there and record["Id"] not in self.given:
                yield record

    def _is_left(self, record: Record) -> bool:
        """Returns whether it may be a Lead that was made for the number of somebody else after all.

        Such a one stays, for people to merge.
        """
        return any(f"id {lead}" in self.evidence.had[record["Id"]] for lead in self.restless)

    def _marks_of(self, leads: Set[str]) -> set[str]:
        known = {**self.evidence.leads, **self.evidence.rejected}
        return {mark for lead in leads for mark in known.get(lead, ())}

    def _shared(self) -> set[str]:
        """Numbers that were given with several addresses: whose they are changed with that."""
        owners: defaultdict[str, set[str]] = defaultdict(set)
        for known in self.evidence.leads.values():
            emails = {mark for mark in known if mark.startswith("email ")}
            for mark in known - emails:
                owners[mark] |= emails
        return {mark for mark, emails in owners.items() if len(emails) > 1}

    def _twice(self, found: Findings) -> None:
        """One record has an address; all who call by a number and give none are one Lead."""
        known: defaultdict[str, list[str]] = defaultdict(list)
        doubted = self._marks_of(self.restless) | self._shared()
        for record in self._ours():
            email, phone = record.get("Email"), record.get("Phone")
            nameless = not (email or self._is_left(record))
            for mark in marks(email, phone if nameless else None, None) - doubted:
                known[mark].append(record["Id"])
        found.doubled += [f"{mark} is that of {ids}" for mark, ids in known.items() if len(ids) > 1]

    def _lost(self, found: Findings) -> None:
        evidence = self.evidence
        once = {
            mark
            for record_id, had in evidence.had.items()
            if not evidence.people[became(evidence.people, record_id)]["IsDeleted"]
            for mark in had
        }
        theirs = {mark for each in self.given for mark in evidence.had.get(each, ())}
        for lead in evidence.leads.keys() - self.restless:
            everything = self._marks_of(reached(evidence.leads[lead], evidence.leads))
            # A record that stands for several people has the address of one of them.
            if everything & theirs:
                continue
            # Nor has somebody who was taken for another one, by a lead that counts no more.
            if evidence.leads[lead] & self._marks_of(self.restless):
                continue
            # Somebody who is known by an address may have another number.
            known = {m for m in everything if m.startswith("email ")} or evidence.leads[lead]
            found.lost += [
                f"{mark} of lead {lead} is nobody's in the org"
                for mark in (evidence.leads[lead] & known) - once
                if not mark.startswith("id ")
            ]

    def _left_behind(self, found: Findings) -> None:
        """What a conversion does not take along is at the Contact in the end."""
        people = self.evidence.people
        for lead in people.values():
            contact = people[became(people, lead["Id"])]
            if contact is lead or contact["IsDeleted"] or self._is_left(lead):
                continue
            found.lost += [
                f"{field} of {lead['Id']} did not come to {contact['Id']}"
                for field in (ID, FIRST)
                if lead.get(field) and not contact.get(field)
            ]

    def _touches(self, record: Record, found: Findings) -> None:
        """Both touches of somebody whom nobody else can be taken for."""
        evidence = self.evidence
        leads = reached(evidence.had[record["Id"]], evidence.leads)
        theirs = self._marks_of(leads)
        others = [i for i, had in evidence.had.items() if i != record["Id"] and had & theirs]
        addresses = sum(mark.startswith("email ") for mark in theirs)
        if not leads or leads & self.restless or others or addresses > 1:
            return
        touches = sorted((*evidence.touches[lead][:1], lead) for lead in leads)
        said = [source for _, lead in touches if (source := evidence.touches[lead][1])]
        first, last = record.get(FIRST), record.get(LAST)
        firsts, lasts = (said[:1], said[-1:]) if said else ([None], [None])
        if first not in (firsts if self.follows else said or firsts) or last not in lasts:
            found.wrong.append(f"{record['Id']} has the touches {first}, {last}, and not {said}")
