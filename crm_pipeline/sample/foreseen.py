"""The foreseen first cycle of each sample account, found without the pipeline's code."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sqlalchemy import Connection

from crm_pipeline.database.statements import statement
from crm_pipeline.sample.accounts import SampleAccount
from crm_pipeline.sample.known_people import known_callers, known_people
from crm_pipeline.sample.people import UNUSABLE_ADDRESSES
from crm_pipeline.sample.tracked_leads import AREA

_UNUSABLE = {(address or "").strip() for address in UNUSABLE_ADDRESSES}


@dataclass(frozen=True)
class Foreseen:
    """The end of an account's first cycle.

    An account that fails has read its rows all the same; all of them wait.
    """

    state: str
    registrations: int = 0
    attendances: int = 0
    tracked_leads: int = 0
    known: int = 0
    rejected: int = 0
    leads_created: int = 0
    leads_updated: int = 0
    contacts_updated: int = 0
    activities: int = 0
    tickets: int = 0
    waiting: int = 0
    exhausted: int = 0


class Row(NamedTuple):
    """A registration, an attendance or a view of a recording, with the address as it is compared.

    `address` is None where there is none that could be used; `counts` is False of a place on a
    waiting list, a visit of no minutes, and the like.
    """

    kind: str
    event_session_id: int
    address: str | None
    counts: bool = True


@dataclass(frozen=True)
class Audience:
    """A client's rows in the warehouse, as its account is meant to see them.

    Attributes:
        rows: those of the sessions to push.
        accepted: those that are to reach the org.
    """

    rows: list[Row]
    accepted: list[Row]

    @property
    def activities(self) -> list[str]:
        """The address of each activity: one for each registration, and for all visits together."""
        registered = [row for row in self.accepted if row.kind == "registration"]
        visits = {row for row in self.accepted if row.kind != "registration"}
        return [row.address for row in (*registered, *sorted(visits)) if row.address]

    @property
    def addresses(self) -> list[str]:
        """The addresses of people who are to reach the org; each once, in alphabetical order."""
        return sorted(set(self.activities))


def sessions_to_push(connection: Connection, account: SampleAccount) -> list[int]:
    """The event sessions that the account lists; none: it pushes all."""
    if not account.every_second_session:
        return []
    sessions = connection.execute(statement("sample/sessions")).all()
    mine = [row.event_session_id for row in sessions if row.client_id == account.account_id]
    return mine[::2]


def audience(connection: Connection, account: SampleAccount) -> Audience:
    """The account's rows in the warehouse."""
    sessions = set(sessions_to_push(connection, account))
    found = connection.execute(
        statement("sample/participations"), {"client_id": account.account_id}
    )
    rows = [
        Row(row.kind, row.event_session_id, _address(row.email), row.counts)
        for row in found
        if not sessions or row.event_session_id in sessions
    ]
    return Audience(
        rows,
        [row for row in rows if row.counts and row.address and not _filtered(row.address, account)],
    )


@dataclass
class Callers:
    """The people of a client's tracked leads, as its account is meant to see them.

    Attributes:
        leads: how many the tracker has.
        rejected: how many of them are not to reach the org.
        addresses: of people who gave one.
        numbers: of those who gave none, as the sample's orgs know them.
    """

    leads: int = 0
    rejected: int = 0
    addresses: set[str] = field(default_factory=set)
    numbers: list[str] = field(default_factory=list)


def callers(connection: Connection, account: SampleAccount) -> Callers:
    """Returns who is behind the tracked leads of an account that has attribution on.

    A number stands for the first one who gave an address with it; of two of them, for whoever
    calls.
    """
    found = Callers()
    if "attribution" not in account.settings:
        return found
    owners: dict[str, set[str]] = {}
    alone: dict[str, None] = {}
    for row in connection.execute(
        statement("sample/tracked_leads"), {"client_id": account.account_id}
    ):
        found.leads += 1
        address, number = _usable(row.email), _number(row.phone)
        junk = row.is_spam or row.is_duplicate or row.kind == "fax"
        if junk or not (address or number) or (address and _filtered(address, account)):
            found.rejected += 1
        elif address:
            found.addresses.add(address)
            if number and not owners.get(number):
                alone.pop(number, None)
            if number:
                owners.setdefault(number, set()).add(address)
        elif number and len(owners.get(number, ())) != 1:
            alone[number] = None
    found.numbers = list(alone)
    return found


@dataclass
class Users:
    """The platform's users of a client, as its account is meant to see them.

    Attributes:
        rejected: how many users, and tickets of theirs, are not to reach the org.
        addresses: of the others.
        tickets: how many tickets are to reach the org.
    """

    rejected: int = 0
    addresses: set[str] = field(default_factory=set)
    tickets: int = 0


def users(connection: Connection, account: SampleAccount) -> Users:
    """Returns the users and tickets that an account has in its org, where it has them there.

    A ticket of somebody without an address stands alone.
    """
    found = Users()
    if "inbound" not in account.settings:
        return found
    for row in connection.execute(statement("sample/users"), {"client_id": account.account_id}):
        address = _usable(row.email)
        if address is None:
            found.rejected += 1
            found.tickets += row.tickets
        elif _filtered(address, account):
            found.rejected += 1 + row.tickets
        else:
            found.addresses.add(address)
            found.tickets += row.tickets
    return found


def foreseen(connection: Connection, account: SampleAccount) -> Foreseen:
    """Returns how the first cycle of an account must end."""
    if account.state == "Disabled":
        return Foreseen("Disabled")
    seen = audience(connection, account)
    tracked = callers(connection, account)
    of_platform = users(connection, account)
    kinds = Counter(row.kind for row in seen.rows)
    read = Foreseen(
        state=account.state,
        registrations=kinds["registration"],
        attendances=kinds["attendance"] + kinds["view"],
        tracked_leads=tracked.leads,
        rejected=len(seen.rows) - len(seen.accepted) + tracked.rejected + of_platform.rejected,
    )
    if account.state == "Failed":
        return replace(read, waiting=len(seen.addresses) + len(seen.activities))
    known = known_people(account, seen.addresses)
    called_before = known_callers(known, tracked.numbers)
    everybody = sorted(tracked.addresses.union(seen.addresses, of_platform.addresses))
    new = [address for address in everybody if address not in known.addresses]
    new += sorted(set(tracked.numbers).difference(called_before))
    refused = {address for address in new if _refused(address, account)}
    activities_of_refused = sum(address in refused for address in seen.activities)
    return replace(
        read,
        leads_created=len(new) - len(refused),
        leads_updated=len(known.as_leads),
        contacts_updated=len(known.as_contacts) + len(called_before),
        activities=len(seen.activities) - activities_of_refused,
        tickets=of_platform.tickets,
        waiting=activities_of_refused,
        exhausted=len(refused),
    )


def _address(email: str | None) -> str | None:
    address = (email or "").strip().lower()
    return None if address in _UNUSABLE else address


def _usable(email: str | None) -> str | None:
    """Returns a tracked lead's address: what is none there has no @, or nothing around it."""
    address = _address(email)
    return address if address and "@" in address.strip("@") else None


def _number(phone: str | None) -> str | None:
    """Returns a tracked lead's number as 1712000001, its extension behind; None: it is none."""
    number, _, extension = (phone or "").partition(" ext. ")
    digits = "".join(each for each in number if each.isdigit()).removeprefix("0049")
    digits = digits.removeprefix("49").removeprefix("0")
    return digits + extension if digits.startswith(AREA) else None


def _filtered(address: str, account: SampleAccount) -> bool:
    return any(text.strip().lower() in address for text in account.filters)


def _refused(address: str, account: SampleAccount) -> bool:
    return bool(account.refused_addresses) and account.refused_addresses in address
