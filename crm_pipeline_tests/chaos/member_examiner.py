"""The promise for campaigns: each event is one, and each person is a member of it once. Pure.

One membership for each person who registered or attended and campaign, under the right record, with
the one status of all sessions (spec: campaigns), or a place in the queue.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from typing import NamedTuple

from crm_pipeline_tests.chaos.evidence import (
    Campaigns,
    Evidence,
    Happening,
    Participation,
    Record,
    address,
)
from crm_pipeline_tests.chaos.findings import Findings
from crm_pipeline_tests.chaos.who_is_who import WhoIsWho

STATUSES: Mapping[str, str] = {
    "registered": "Registered",
    "cancelled": "Cancelled",
    "no_show": "No Show",
    "attended_on_demand": "Attended On-demand",
    "attended": "Attended",
}
"""The status of a member, by stage, where the account has chosen no other."""


class Wanted(NamedTuple):
    """A membership that there should be.

    Attributes:
        name: whose, in words.
        stages: those that it may have.
        waits: whether it is queued.
        before: the campaigns and people where it was, if it was delivered long ago.
    """

    name: str
    stages: frozenset[str]
    waits: bool
    before: frozenset[tuple[str, str]]


def stages_of(rows: Iterable[Participation], attended: Set[int] = frozenset()) -> frozenset[str]:
    """The stages that a membership may have, by a person's rows of its event; none: it may lack.

    Attended is who attended, else Attended On-demand who saw a recording. Else it is what one of
    the person's addresses comes to: of each session the registration that was made last counts.
    Registered is who is for one of them, but a No Show who is only for such as are over and were
    `attended` by somebody, then Cancelled.
    """
    by_address: defaultdict[str, list[Participation]] = defaultdict(list)
    for each in rows:
        if each.stage != "absent":
            by_address[address(each.email)].append(each)
    said = {each.stage for mine in by_address.values() for each in mine}
    for stage in ("attended", "attended_on_demand"):
        if stage in said:
            return frozenset((stage,))
    found = set()
    for mine in by_address.values():
        mine.sort(key=lambda each: (each.at, int(each.key.partition(":")[2])))
        last = {each.session: each.stage for each in mine}
        now = {
            "no_show" if stage == "registered" and session in attended else stage
            for session, stage in last.items()
        }
        sent = ("registered", "no_show", "cancelled")
        found.add(next((stage for stage in sent if stage in now), ""))
    return frozenset(found - {""})


class MemberExamination:
    """Examines one account's campaigns; what it finds goes into `found`."""

    def __init__(self, campaigns: Campaigns, evidence: Evidence, found: Findings) -> None:
        self._campaigns = campaigns
        self._evidence = evidence
        self._found = found

    def campaigns(
        self, waits: Mapping[int, bool], *, former: Iterable[int], at_rest: bool
    ) -> dict[int, str]:
        """The campaign of each event that has one.

        Args:
            waits: events that need one, and whether it is in the queue.
            former: events that needed one once.
            at_rest: a campaign that we made has the name and the days of its event, too.
        """
        known: dict[int, str] = {}
        for event in {**waits, **dict.fromkeys(former)}:
            if event in self._campaigns.links:
                known[event] = self._campaigns.links[event]
                continue
            mark = f"Webinar platform: event {event}"
            made = [
                each
                for each in self._campaigns.records
                if each.get("Description") == mark and each["Id"] not in self._evidence.given
            ]
            if len(made) > 1:
                self._found.doubled.append(f"event {event}: {len(made)} campaigns")
            elif made:
                known[event] = made[0]["Id"]
                if at_rest and not waits.get(event, True):
                    self._follows(made[0], event)
            elif not waits.get(event, True):
                self._found.lost.append(f"event {event} has no campaign")
        return known

    def _follows(self, campaign: Record, event: int) -> None:
        shown = Happening(campaign["Name"], campaign["StartDate"], campaign["EndDate"])
        now = self._campaigns.events[event]
        wanted = now._replace(name=self._evidence.renamed.get(campaign["Id"], now.name))
        if shown != wanted:
            right = ", ".join(wanted)
            self._found.wrong.append(f"event {event} is {right}; its campaign: {', '.join(shown)}")

    def members(
        self,
        wanted: Mapping[tuple[str, str], Wanted],
        released: Mapping[tuple[str, str], Set[str]],
        who: WhoIsWho,
        *,
        at_rest: bool,
    ) -> None:
        """Compares memberships.

        Args:
            wanted: by campaign and person.
            released: those that may stay although the source says so no more, with the stages
                that it gave.
            who: the account's people.
            at_rest: the status has to be the one that is wanted, too.
        """
        living: defaultdict[tuple[str, str], list[Record]] = defaultdict(list)
        deleted: Counter[tuple[str, str]] = Counter()
        for member in self._campaigns.members:
            place = member["CampaignId"], who.of_record(_owner(member))
            if member["IsDeleted"]:
                deleted[place] += 1
            else:
                living[place].append(member)
                owner = self._evidence.people[_owner(member)]
                if owner["IsDeleted"] or owner.get("IsConverted"):
                    self._found.wrong.append(f"member {member['Id']} is no person any more")
        for campaign, person in living.keys() - wanted.keys() - released.keys():
            self._found.wrong.append(f"{person} is a member of {campaign} without a reason")
        restored = self._evidence.restored
        for place, each in wanted.items():
            there = sorted(living[place], key=lambda member: _owner(member) in restored)
            records = {_owner(member) for member in there}
            # Two people who were one by an address that has become another's are two again; one
            # who was deleted may have been made anew before that was taken back.
            again = not records.isdisjoint(restored)
            restless = again or who.is_restless(who.addresses_of(place[1]))
            apart = restless and len(records) == len(there)
            if len(there) > 1 and not apart:
                self._found.doubled.append(f"{each.name}: {len(there)} memberships")
            elif there:
                if at_rest and not each.waits:
                    self._status(there[0], each, released.get(place, frozenset()))
            elif not each.waits:
                before = (place, *each.before)
                stays = not at_rest or who.joined_others(place[1])
                excused = any(deleted[p] or (living[p] and stays) for p in before)
                if not excused:
                    self._found.lost.append(f"{each.name}: no membership")

    def _status(self, member: Record, wanted: Wanted, released: Set[str]) -> None:
        if _owner(member) in self._evidence.touched:
            return
        may_be = {STATUSES[each] for each in wanted.stages | released if each in STATUSES}
        if member["Status"] not in may_be:
            right = " or ".join(sorted(wanted.stages))
            self._found.wrong.append(f"{wanted.name}: {member['Status']}, but is {right}")


def _owner(member: Record) -> str:
    """The person of a membership: a converted lead stands beside its contact there."""
    return str(member.get("ContactId") or member["LeadId"])
