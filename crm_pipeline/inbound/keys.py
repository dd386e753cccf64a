"""Keys of the listener: shown once, stored as digests, two at a time so that they rotate."""

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection

from crm_pipeline.accounts.account import AccountError
from crm_pipeline.database.rows import objects
from crm_pipeline.database.statements import statement
from crm_pipeline.inbound.tombstone_file import begin

MOST_KEYS = 2
"""Of an account at a time: the one that is used, and the one that comes after it."""

_FORM = re.compile(r"(crm_[a-z2-7]{12})_[A-Za-z0-9_-]{43}")
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_NOBODYS = bytes(32)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is stored: its public beginning, and when it was made (UTC)."""

    key_id: str
    created_at: datetime


def make_key(connection: Connection, account_id: str) -> str:
    """Makes a further key of an account and returns it; nobody can read it again.

    Within the caller's transaction. Begins the file of tombstones where there is none.

    Raises:
        AccountError: the account has two keys already.
        OSError: the file of tombstones cannot be written.
    """
    connection.execute(statement("inbound/lock_account_row"), {"account_id": account_id})
    if len(keys_of(connection, account_id)) >= MOST_KEYS:
        raise AccountError(
            f"Account {account_id} has {MOST_KEYS} keys already; take one back first with "
            f"`crm-pipeline listener key revoke {account_id} KEY`."
        )
    begin(connection)
    key_id = "crm_" + "".join(secrets.choice(_LETTERS) for _ in range(12))
    key = f"{key_id}_{secrets.token_urlsafe(32)}"
    connection.execute(
        statement("inbound/add_key"),
        {"key_id": key_id, "account_id": account_id, "digest": digest_of(key)},
    )
    return key


def keys_of(connection: Connection, account_id: str) -> list[StoredKey]:
    """Returns the keys of an account that hold, oldest first."""
    rows = connection.execute(statement("inbound/keys_of"), {"account_id": account_id})
    return objects(rows, StoredKey)


def revoke_key(connection: Connection, account_id: str, key_id: str) -> bool:
    """Takes a key back; returns whether there was one that held."""
    parameters = {"account_id": account_id, "key_id": key_id}
    return connection.execute(statement("inbound/revoke_key"), parameters).rowcount > 0


def key_id_of(key: str) -> str | None:
    """Returns the public beginning of a key; None if it cannot be one of ours."""
    found = _FORM.fullmatch(key)
    return found and found[1]


def digest_of(key: str) -> bytes:
    """Returns the digest that is stored of a key."""
    return sha256(key.encode()).digest()


def is_that_key(key: str, digest: bytes | None) -> bool:
    """Returns whether a key has this digest, in the same time whatever it has.

    Args:
        key: as somebody gave it.
        digest: as it is stored; None: there is none of this beginning.
    """
    return hmac.compare_digest(digest_of(key), digest or _NOBODYS) and digest is not None
