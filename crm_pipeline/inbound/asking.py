"""Asking for a removal: the tombstone and the request, in one transaction."""

from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import Connection

from crm_pipeline.accounts.inbound import InOrg
from crm_pipeline.inbound.queue import Door, NewRequest, Received, receive
from crm_pipeline.inbound.tombstones import Hasher, Verb, bury


def digest_of(*said: Any) -> bytes:
    """Returns what tells one thing that is asked from another; JSON values."""
    return sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()


def ask_for_removal(
    connection: Connection,
    hasher: Hasher,
    address: str,
    *,
    does: Verb,
    door: Door,
    name: str,
    in_org: InOrg | None = None,
    key: bytes | None = None,
) -> Received:
    """Sets a person's tombstone and puts the removal into the queue, unless it is there.

    Within the caller's transaction: once it is committed, no request about the person begins.
    The same person asked for again, by whatever door, is the same removal.

    Args:
        connection: the caller's.
        hasher: the account's.
        address: as `email_key` writes it.
        does: what is to be done.
        door: how it came.
        name: of the listener, or of whoever asks.
        in_org: the fate of the person in the org; None: as the account says.
        key: digest of the caller's own key.

    Raises:
        DBAPIError: the wait for requests that go out was in vain (SQLSTATE 55P03).
    """
    bury(connection, hasher, address, does)
    digest = hasher.digest(hasher.without_plus_part(address))
    asked = NewRequest(
        "removal",
        door,
        name,
        sameness=digest_of("removal", does, digest.hex()),
        content=digest_of(does, digest.hex()),
        address=address,
        digest=digest,
        body={"does": does, "in_org": in_org},
        key=key,
    )
    return receive(connection, hasher.account_id, asked)
