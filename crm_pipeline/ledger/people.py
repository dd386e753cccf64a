"""People: numbers of ours, to which addresses and the source platform's ids point.

A person with another address stays the same one, unless the new address is somebody's already:
then it is that person from now on. Two ids of the platform with one address are one person.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row

from crm_pipeline.database.statements import statement

Who = tuple[str | None, str]
"""An id of the platform, where there is one, and the address that it has."""

_Person = int | str
"""A known person's number; of a new one, the address."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """The source's statement of somebody: the platform's id, and the address as of a time (UTC)."""

    source_person: str | None
    address: str
    as_of: datetime


Present = Callable[[Collection[str]], Collection[Sighting]]
"""The source's present statements of people, by the platform's ids."""


def identify(
    connection: Connection,
    account_id: str,
    sightings: Collection[Sighting],
    present: Present,
    *,
    pointer: str = "platform",
) -> dict[Who, int]:
    """The person of each sighting; new ones are made, and what points to whom is kept.

    Of an id with several addresses the newest holds. Most sightings say what is known, or are
    about strangers: these take no thought.

    Within the caller's transaction; the caller holds the account.

    Args:
        connection: the caller's.
        account_id: whose people.
        sightings: what some rows say.
        present: asked about everybody else on whom it depends who these are, such as whoever has
            the address of one of them until now. So it does not matter which rows come together.
        pointer: the kind of the ids. Those of the platform are kept true by it, and hold nobody
            back who leaves an address; all others are held back by every id.
    """
    if not sightings:
        return {}
    newest: dict[Who, Sighting] = {}
    for each in sightings:
        key = each.source_person, each.address if each.source_person is None else ""
        if key not in newest or newest[key].as_of <= each.as_of:
            newest[key] = each
    whose = {"account_id": account_id, "kind": pointer}
    said = [*newest.values()]
    known = connection.execute(statement("ledger/who_is_known"), {**whose, "rows": _json(said)})
    row = known.one()
    people: dict[Who, int] = {}
    strangers: list[Sighting] = []
    others: list[Sighting] = []
    for each, platform, there in zip(said, row.platform_people, row.address_people, strict=True):
        if platform is None and there is None:
            strangers.append(each)
        elif platform is not None and platform == there:
            people[each.source_person, each.address] = platform
        else:
            others.append(each)
    tellers = Counter(each.address for each in strangers)
    others += [each for each in strangers if tellers[each.address] > 1]
    if others:
        heard = {each.source_person for each in said}
        people |= _thought_about(connection, whose, others, strangers, heard=heard, present=present)
    if left := [each for each in strangers if (each.source_person, each.address) not in people]:
        added = connection.scalar(statement("ledger/add_strangers"), {**whose, "rows": _json(left)})
        people |= {
            (each.source_person, each.address): person
            for each, person in zip(left, added, strict=True)
        }
    for each in sightings if len(newest) < len(sightings) else ():
        if each.source_person is not None:
            now = newest[each.source_person, ""]
            people[each.source_person, each.address] = people[now.source_person, now.address]
    return people


def _thought_about(
    connection: Connection,
    whose: Mapping[str, str],
    told: list[Sighting],
    strangers: Collection[Sighting],
    *,
    heard: set[str | None],
    present: Present,
) -> dict[Who, int]:
    """The people of those who move or join somebody, or share an address.

    Args:
        connection: the caller's.
        whose: of which account.
        told: what is said of them.
        strangers: of these, those come to it who have an address of the others.
        heard: the ids that need not be asked about.
        present: as in `identify`.
    """
    seen = _seen(connection, whose, told)
    while unheard := {each for ids in seen.ids_of.values() for each in ids} - heard:
        heard |= unheard
        if more := present(unheard):
            # The present state is not older than what was heard of them last.
            told += [replace(s, as_of=max(s.as_of, seen.heard_at[s.source_person])) for s in more]
            seen = _seen(connection, whose, told)
    addresses = {each.address for each in told}
    if alike := {each for each in strangers if each.address in addresses}.difference(told):
        seen = _seen(connection, whose, [*told, *alike])
    seen.settle()
    return _keep(connection, whose, seen)


def _seen(connection: Connection, whose: Mapping[str, str], told: Sequence[Sighting]) -> "_Seen":
    rows = connection.execute(statement("ledger/known_people"), {**whose, "rows": _json(told)})
    seen = _Seen(rows.all())
    if concerned := seen.concerned():
        found = connection.execute(
            statement("ledger/platform_ids_of"), {**whose, "person_keys": list(concerned)}
        )
        for row in found:
            seen.ids_of.setdefault(row.person_key, set()).add(row.value)
            seen.heard_at[row.value] = row.as_of
    return seen


def people_of(
    connection: Connection, account_id: str, source_people: Collection[str]
) -> dict[str, int]:
    """The people to whom ids of the platform point, by id; of unknown ones nothing is said."""
    parameters = {"account_id": account_id, "source_people": list(source_people)}
    rows = connection.execute(statement("ledger/people_of"), parameters)
    return {row.source_person: row.person_key for row in rows}


def supersede_absorbed(connection: Connection, account_id: str) -> None:
    """Has nothing sent of people to whom nothing points any more."""
    connection.execute(statement("ledger/supersede_absorbed"), {"account_id": account_id})


def _keep(connection: Connection, whose: Mapping[str, str], seen: "_Seen") -> dict[Who, int]:
    """Writes what `settle` came to."""
    numbers: dict[_Person, int] = {}
    if freed := [*seen.moved, *seen.absorbed]:
        connection.execute(statement("ledger/free_addresses"), {"person_keys": freed})
    if seen.moved:
        moved = [
            {"person_key": person, "address": seen.address_of[person], "as_of": as_of}
            for person, as_of in seen.moved.items()
        ]
        connection.execute(statement("ledger/set_addresses"), {"rows": _json(moved)})
    if seen.new:
        new = [{"address": address, "as_of": as_of} for address, as_of in seen.new.items()]
        added = connection.execute(statement("ledger/add_people"), {**whose, "rows": _json(new)})
        numbers |= {row.address: row.person_key for row in added}

    def number(person: _Person) -> int:
        return numbers[person] if isinstance(person, str) else person

    if seen.pointed:
        pointers = [
            {"source_person": each, "person_key": number(seen.person_of[each]), "as_of": as_of}
            for each, as_of in seen.pointed.items()
        ]
        connection.execute(statement("ledger/point_to_people"), {**whose, "rows": _json(pointers)})
    if changed := [*{*seen.moved, *seen.left()}]:
        connection.execute(statement("ledger/hear_anew"), {**whose, "person_keys": changed})
    if seen.absorbed:
        absorbed = [
            {"person_key": person, "successor": number(seen.successor_of(person))}
            for person in seen.absorbed
        ]
        connection.execute(statement("ledger/absorb_people"), {**whose, "rows": _json(absorbed)})
    return {who: number(person) for who, person in seen.found.items()}


class _Seen:
    """Some sightings, what was known before, and what comes of both. No I/O."""

    def __init__(self, rows: Sequence[Row[Any]]) -> None:
        self._rows = rows
        self.found: dict[Who, _Person] = {}
        self.new: dict[str, datetime] = {}
        self.moved: dict[int, datetime] = {}
        self.pointed: dict[str, datetime] = {}
        self.absorbed: dict[int, _Person] = {}
        self.ids_of: dict[_Person, set[str]] = {}
        self.heard_at: dict[str | None, datetime] = {}
        self.person_of: dict[str, _Person] = {}
        self.address_of: dict[_Person, str | None] = {}
        self._owner: dict[str, _Person] = {}
        self._says = {row.source_person: row.address for row in rows}
        for row in rows:
            if row.address_person is not None:
                self._owner[row.address] = row.address_person
                self.address_of[row.address_person] = row.address
            if row.platform_person is not None:
                self.person_of[row.source_person] = row.platform_person
                self.address_of[row.platform_person] = row.platform_address

    def concerned(self) -> set[int]:
        """The people whom somebody leaves, and those to whose address somebody comes."""
        return {
            person
            for row in self._rows
            if row.platform_person != row.address_person or row.source_person is None
            for person in (row.platform_person, row.address_person)
            if person is not None
        }

    def left(self) -> set[int]:
        """The people whom one of the platform's ids has left."""
        return {
            row.platform_person
            for row in self._rows
            if row.platform_person is not None
            and self.person_of[row.source_person] != row.platform_person
        }

    def settle(self) -> None:
        """Decides who each sighting is.

        First come those who go to an address that is free, then those who join somebody who stays:
        either may leave an address free. The rest take each other's places, or are new.
        """
        left = list(self._rows)
        while left:
            movers = [row for row in left if self._may_move(row)]
            joiners = [] if movers else [row for row in left if self._joins(row)]
            for row in movers or joiners or left:
                self._settle(row)
            for row in joiners:
                self._free(row.platform_person)
            left = [row for row in left if (row.source_person, row.address) not in self.found]
        self._absorb()

    def successor_of(self, person: int) -> _Person:
        """Returns who stands for an absorbed person: not one who was absorbed as well."""
        successor, passed = self.absorbed[person], {person}
        while isinstance(successor, int) and successor in self.absorbed and successor not in passed:
            passed.add(successor)
            successor = self.absorbed[successor]
        return successor

    def _may_move(self, row: Row[Any]) -> bool:
        return row.platform_person is not None and row.address not in self._owner

    def _joins(self, row: Row[Any]) -> bool:
        """Returns whether somebody known comes to the address of one who stays there."""
        person = self._owner.get(row.address)
        if person is None or row.platform_person is None:
            return False
        return any(
            self.person_of.get(each, person) == person
            and self._says.get(each, row.address) == row.address
            for each in self.ids_of.get(person, set()) - {row.source_person}
        )

    def _settle(self, row: Row[Any]) -> None:
        source, address, as_of = row.source_person, row.address, row.as_of
        before = self.person_of.get(source) if source is not None else None
        there = self._owner.get(address)
        person: _Person
        if before is not None and (before == there or as_of < row.platform_as_of):
            person = before
        elif there is not None:
            person = there
        elif isinstance(before, int) and self._all_leave(before, source):
            person = before
            self._give(person, address)
            self.moved[person] = as_of
        else:
            person = address
            self._give(person, address)
            self.new[address] = as_of
        self.found[source, address] = person
        if source is not None and person != before:
            self.person_of[source] = person
            self.pointed[source] = as_of
            self.ids_of.setdefault(person, set()).add(source)

    def _free(self, person: int) -> None:
        """Frees the address of a person whom all of the platform's ids have left."""
        address = self.address_of[person]
        if address is not None and self._owner.get(address) == person and self._is_left(person):
            del self._owner[address]

    def _is_left(self, person: int) -> bool:
        return all(self.person_of.get(each, person) != person for each in self.ids_of[person])

    def _all_leave(self, person: int, source: str) -> bool:
        """Returns whether nobody else keeps the person's address."""
        now = self.address_of[person]
        return all(
            self.person_of.get(other, person) != person or self._says.get(other, now) != now
            for other in self.ids_of.get(person, set()) - {source}
        )

    def _give(self, person: _Person, address: str) -> None:
        former = self.address_of.get(person)
        if former is not None and self._owner.get(former) == person:
            del self._owner[former]
        self._owner[address] = person
        self.address_of[person] = address

    def _absorb(self) -> None:
        """Those whom all of the platform's ids have left are whom the last of these joined."""
        for row in self._rows:
            person, source = row.platform_person, row.source_person
            if person is None or self.person_of[source] == person:
                continue
            if self._is_left(person):
                self.absorbed[person] = self.person_of[source]
                self.moved.pop(person, None)


def _json(rows: Iterable[object]) -> str:
    return orjson.dumps(list(rows)).decode()
