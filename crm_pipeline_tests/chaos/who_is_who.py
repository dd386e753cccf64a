"""Identity of people, in the source and in an org. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set

from crm_pipeline_tests.chaos.evidence import Evidence, Participation, address


class WhoIsWho:
    """Names each person of an account: records with one address, and those that they became.

    Attributes:
        left: addresses that somebody in the source had, and has no more.
    """

    def __init__(self, evidence: Evidence) -> None:
        self._clusters = _clusters(evidence)
        became = {each.get("ConvertedContactId") for each in evidence.people.values()}
        by_hand = evidence.given.intersection(evidence.people).difference(became)
        self._made_by_others = {self._clusters[record_id] for record_id in by_hand}
        self._visits: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
        self._versions: defaultdict[str, list[Participation]] = defaultdict(list)
        now: defaultdict[int, set[str]] = defaultdict(set)
        self._addresses: defaultdict[int, set[str]] = defaultdict(set)
        for each in evidence.participations:
            now[each.person].add(address(each.email))
        for each in (*evidence.former, *evidence.participations):
            self._versions[each.key].append(each)
            if each.key.startswith("attendance:"):
                self._visits[each.session, each.subject].add(each.at)
            self._addresses[each.person].add(address(each.email))
        self.left = frozenset(
            email
            for person, emails in self._addresses.items()
            for email in emails - now[person]
            if email
        )

    def of_address(self, email: str) -> str:
        """The person who has an address."""
        return self._clusters.get(address(email), address(email))

    def of_record(self, record_id: str) -> str:
        """The person whom a Lead or Contact stands for."""
        return self._clusters[record_id]

    def joined_others(self, person: str) -> bool:
        """Returns whether somebody else made a record of that person.

        Whoever gets its address is that record from then on; what was delivered stays where it is.
        """
        return person in self._made_by_others

    def were(
        self, participation: Participation, key: str | None = None
    ) -> list[tuple[Participation, Set[str]]]:
        """All that a participation (or that of the `key`) ever was, with the people it was of.

        These are whoever has any of the addresses that the person in the source ever had: what
        was delivered stays at a record, whose address may have been corrected since.
        """
        return [
            (each, frozenset(self.of_address(email) for email in self._addresses[each.person]))
            for each in self._versions[key or participation.key]
        ]

    def times_of_visits(self, participation: Participation) -> Set[str]:
        """When an attendance of that session may have begun, with whatever visits it was one."""
        return self._visits[participation.session, participation.subject]

    def people_at(self, email: str) -> int:
        """The number of people of the source who ever had an address."""
        return sum(email in emails for emails in self._addresses.values())

    def shared_an_address(self, person: int) -> bool:
        """Returns whether an address of a person of the source was ever somebody else's, too."""
        return any(self.people_at(email) > 1 for email in self._addresses[person])

    def is_restless(self, emails: Iterable[str]) -> bool:
        """Returns whether any of these has become somebody else's in the source, or may have."""
        return not self.left.isdisjoint(emails)

    def addresses_of(self, person: str) -> set[str]:
        """The addresses that one person has."""
        return {name for name, cluster in self._clusters.items() if cluster == person}


def _addresses(evidence: Evidence) -> Mapping[str, set[str]]:
    """The addresses that each record has or, unless the source has taken it away, had.

    A record in which others ended stands for all whom it ever stood for.
    """
    found = {
        record_id: {address(record.get("Email") or "")}
        for record_id, record in evidence.people.items()
    }
    for record_id, earlier in evidence.addresses.items():
        found[record_id] |= {address(each) for each in earlier}
    for record in evidence.people.values():
        for became in (record.get("MasterRecordId"), record.get("ConvertedContactId")):
            for one in (record["Id"], became):
                if became and one in found:
                    found[one] |= evidence.had.get(one, set())
    return found


def _clusters(evidence: Evidence) -> dict[str, str]:
    """A name of the person for each address and each record."""
    parents: dict[str, str] = {}
    addresses = _addresses(evidence)

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
