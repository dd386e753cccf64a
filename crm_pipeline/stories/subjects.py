"""Whom or what somebody looks for, as people write it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from crm_pipeline.accounts.account import Account
from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement
from crm_pipeline.exceptions import PicklableError
from crm_pipeline.inbound.tombstones import hasher_of, is_held, tombstones_of
from crm_pipeline.salesforce.emails import email_key
from crm_pipeline.salesforce.phones import phone_key
from crm_pipeline.salesforce.values import is_record_id, long_id

_KEY = re.compile(r"[a-z][a-z_]*:\S.*")


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody, something, or both.

    Attributes:
        person_keys: people of the account, by their numbers.
        natural_keys: things, as the ledger names them.
        addresses: email addresses and keys of phone numbers, be somebody known by them or not.
        record_ids: records of the org.
    """

    person_keys: tuple[int, ...] = ()
    natural_keys: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    record_ids: tuple[str, ...] = ()

    def with_things(self, natural_keys: Iterable[str]) -> "Subject":
        """The same, and these things."""
        return replace(self, natural_keys=(*dict.fromkeys((*self.natural_keys, *natural_keys)),))

    def parameters(self, account_id: str) -> dict[str, object]:
        """The subject as statements take it."""
        return {
            "account_id": account_id,
            "person_keys": list(self.person_keys),
            "natural_keys": list(self.natural_keys),
            "addresses": list(self.addresses),
            "record_ids": list(self.record_ids),
        }


@dataclass(frozen=True, slots=True)
class _Found:
    person_key: int | None
    natural_key: str | None


class NotSoughtError(PicklableError):
    """A text is none that anybody or anything can be looked for by; it says what is."""

    def __init__(self, sought: str) -> None:
        super().__init__(
            f"{sought!r} is no email address, no phone number (+49…), no row of the platform "
            "(registration:4711, prospect:4711, lead:4711 of the tracker, …) and no Id of a record "
            "(00Q…)."
        )


def subject_of(connection: Connection, account: Account, sought: str) -> Subject:
    """Returns whom or what a text means; somebody unknown where the ledger does not know it.

    Args:
        connection: the caller's.
        account: whose ledger.
        sought: an email address, a phone number in international form, a natural key such as
            `registration:4711`, or a record's Id of 15 or 18 characters.

    Raises:
        NotSoughtError: it is none of these.
    """
    text = sought.strip()
    whose = {"account_id": account.account_id}
    if (address := address_of(account, text)) is not None:
        rows = connection.execute(statement("stories/people_at"), {**whose, "address": address})
        return replace(_subject(objects(rows, _Found)), addresses=(address,))
    if is_record_id(text):
        rows = connection.execute(
            statement("stories/of_record"), {**whose, "record_id": long_id(text)}
        )
        return _subject(objects(rows, _Found))
    if _KEY.fullmatch(text):
        rows = connection.execute(statement("stories/of_key"), {**whose, "natural_key": text})
        return _subject(objects(rows, _Found))
    raise NotSoughtError(text)


def address_of(account: Account, sought: str) -> str | None:
    """Returns what a person is known by where a text is an email address or a phone number."""
    if "@" in sought:
        return email_key(sought)
    if sought.startswith("+"):
        return phone_key(sought, account.settings.phone_region)
    return None


def is_forgotten(connection: Connection, account: Account, sought: str) -> bool:
    """Returns whether somebody with this address was removed on request.

    Raises:
        AccountError: the key of hashes cannot be opened.
    """
    address = address_of(account, sought.strip())
    if address is None or tombstones_of(connection, account) is None:
        return False
    return is_held(connection, hasher_of(connection, account), address)


def _subject(found: list[_Found]) -> Subject:
    people = dict.fromkeys(each.person_key for each in found if each.person_key is not None)
    things = dict.fromkeys(each.natural_key for each in found if each.natural_key is not None)
    return Subject(tuple(people), tuple(things))
