"""Tombstones: keyed hashes of the addresses of people who are not to be processed.

Two addresses that differ in case or in blanks around them are one; those that differ in a
plus-part are two people, unless the account says otherwise.
"""

import hmac
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from sqlalchemy import Connection

from crm_pipeline.accounts.account import Account
from crm_pipeline.accounts.credentials import hash_key
from crm_pipeline.accounts.inbound import InboundSettings
from crm_pipeline.database.statements import statement
from crm_pipeline.inbound.tombstone_file import note
from crm_pipeline.salesforce.emails import email_key

Verb = Literal["suppress", "erase"]

REMOVED = "removed on request"
"""Why a row of such a person is not sent, or an operation was withdrawn."""

BLOT = "[removed]"
"""Stands where a text of somebody else named such a person."""

_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,200}@[A-Za-z0-9.-]{1,255}", re.ASCII)
_NUMBER = re.compile(r"(?:tel:)?(\+[1-9][0-9]{6,14})", re.ASCII)
_MAY_STAND_BEFORE = re.compile(r"['=]")


@dataclass(frozen=True, slots=True)
class Hasher:
    """Makes the keyed hashes of one account.

    Attributes:
        key: the installation's. A secret.
        account_id: hashes of another account differ.
        ignore_plus_parts: the account's setting.
    """

    key: bytes
    account_id: str
    ignore_plus_parts: bool

    def __repr__(self) -> str:
        return f"Hasher(account_id={self.account_id!r})"

    def digest(self, address: str) -> bytes:
        """Returns the hash of an address as `email_key` writes it."""
        said = f"{self.account_id}\n{address}".encode()
        return hmac.digest(self.key, said, "sha256")

    def digests(self, address: str) -> list[bytes]:
        """Returns all hashes by which a person of this address is known."""
        return list(map(self.digest, dict.fromkeys((address, self.without_plus_part(address)))))

    def without_plus_part(self, address: str) -> str:
        """Returns the address that stands for a person, by the account's setting."""
        local, _, domain = address.partition("@")
        bare = local.partition("+")[0]
        return f"{bare}@{domain}" if self.ignore_plus_parts and bare else address


@dataclass(frozen=True, slots=True)
class Tombstones:
    """The tombstones of one account, of which it has some."""

    hasher: Hasher
    hashes: Collection[bytes]

    def hold(self, address: str | None) -> bool:
        """Returns whether somebody of this address, or number (E.164), is not to be processed."""
        key = email_key(address) or number_in(address)
        return key is not None and any(each in self.hashes for each in self.hasher.digests(key))

    def hold_sign(self, sign: str) -> bool:
        """Returns whether a sign of ours (`sign_of`) belongs to such a person."""
        return self.hasher.digest(sign) in self.hashes

    def named_in(self, text: str) -> bool:
        """Returns whether a text names the address of somebody who is not to be processed."""
        return any(map(self.hold, addresses_in(text)))

    def blotted(self, text: str) -> str:
        """Returns a text without the addresses of people who are not to be processed."""
        for address in {each for each in addresses_in(text) if self.hold(each)}:
            text = text.replace(address, BLOT)
        return text


def sign_of(kind: Literal["tracked_lead", "ticket", "record"], number: object) -> str:
    """Returns the sign by which what belonged to a removed person is known: by the Id of it."""
    return f"{kind}:{number}"


def of_others(
    connection: Connection, account: Account, by_record: Mapping[str, Iterable[str]]
) -> dict[str, Iterable[str]]:
    """Returns what is known of records of the org, without that of people who were removed.

    Args:
        connection: the caller's.
        account: whose org.
        by_record: by Salesforce Id; of such a person's record nothing is left but that it is there.
    """
    tombstones = tombstones_of(connection, account) if by_record else None
    if tombstones is None:
        return dict(by_record)
    return {
        record_id: () if tombstones.hold_sign(sign_of("record", record_id)) else known
        for record_id, known in by_record.items()
    }


def hasher_of(connection: Connection, account: Account) -> Hasher:
    """Returns what makes the hashes of an account.

    Raises:
        AccountError: the key of hashes cannot be opened.
    """
    chosen = account.settings.inbound or InboundSettings()
    return Hasher(hash_key(connection), account.account_id, chosen.ignore_plus_parts)


def tombstones_of(connection: Connection, account: Account) -> Tombstones | None:
    """Returns the tombstones of an account; None, and no further question, where it has none.

    Raises:
        AccountError: as `hasher_of`.
    """
    whose = {"account_id": account.account_id}
    hashes = connection.scalars(statement("inbound/tombstones"), whose).all()
    if not hashes:
        return None
    return Tombstones(hasher_of(connection, account), frozenset(map(bytes, hashes)))


def is_held(connection: Connection, hasher: Hasher, address: str) -> bool:
    """Returns whether somebody of one address is not to be processed; reads no other tombstone.

    Args:
        connection: the caller's.
        hasher: the account's.
        address: as `email_key` writes it.
    """
    parameters = {"account_id": hasher.account_id, "digests": hasher.digests(address)}
    return bool(connection.scalar(statement("inbound/holds"), parameters))


def bury(
    connection: Connection,
    hasher: Hasher,
    address: str,
    verb: Verb,
    *,
    for_minutes: int | None = None,
) -> None:
    """Sets the tombstone of an address, within the caller's transaction.

    Waits at most a second for requests that are about to go out. None of the account begins to
    go out from here to the end of the transaction; those that begin later know the tombstone.

    Args:
        connection: the caller's.
        hasher: the account's.
        address: as `email_key` writes it.
        verb: an `erase` stays one.
        for_minutes: how long it holds; None: until it is lifted.

    Raises:
        DBAPIError: the wait was in vain (SQLSTATE 55P03).
        OSError: the file of tombstones cannot be written.
    """
    _bury(connection, hasher, hasher.digests(address), verb, for_minutes)


def bury_signs(connection: Connection, hasher: Hasher, signs: Collection[str]) -> None:
    """Sets tombstones of signs (`sign_of`); within the caller's transaction, as `bury`."""
    if signs:
        _bury(connection, hasher, [hasher.digest(sign) for sign in signs], "erase", None)


def _bury(
    connection: Connection,
    hasher: Hasher,
    digests: Collection[bytes],
    verb: Verb,
    for_minutes: int | None,
) -> None:
    whose = {"account_id": hasher.account_id}
    if for_minutes is None:
        note(connection, hasher.account_id, digests, verb)
    connection.execute(statement("inbound/lock_tombstones"), whose)
    for digest in digests:
        connection.execute(
            statement("inbound/bury"),
            {**whose, "digest": digest, "verb": verb, "minutes": for_minutes},
        )


def keep(connection: Connection, hasher: Hasher, addresses: Collection[str]) -> None:
    """Has the tombstones of these addresses hold for good: rows about them came."""
    digests = [digest for each in addresses for digest in hasher.digests(each)]
    parameters = {"account_id": hasher.account_id, "digests": digests}
    if connection.execute(statement("inbound/keep_tombstones"), parameters).rowcount:
        note(connection, hasher.account_id, digests, "suppress")


def lift(connection: Connection, hasher: Hasher, address: str) -> bool:
    """Takes the tombstone of an address away; returns whether there was one."""
    parameters = {"account_id": hasher.account_id, "digests": hasher.digests(address)}
    note(connection, hasher.account_id, hasher.digests(address), "lift")
    connection.execute(statement("inbound/forget_sameness"), parameters)
    return connection.execute(statement("inbound/lift"), parameters).rowcount > 0


def number_in(text: str | None) -> str | None:
    """Returns the phone number that a text in E.164 is, as the ledger knows callers by it.

    Returns:
        Such as `tel:+4930901820`; None where it is no number.
    """
    said = _NUMBER.fullmatch((text or "").strip())
    return said and f"tel:{said[1]}"


def addresses_in(text: str) -> Iterator[str]:
    """Yields all that may be an address in a text: of JSON, SOQL, CSV, or an address of the web.

    No phone numbers: of these several people may have one.
    """
    if "%40" in text:
        text = f"{text}\n{unquote(text)}"
    if "@" not in text:
        return
    for found in _ADDRESS.finditer(text.replace("\\", "")):
        whole = found[0].rstrip(".-")
        yield whole
        local = whole.partition("@")[0]
        for before in _MAY_STAND_BEFORE.finditer(local):
            yield whole[before.end() :]
