"""Who asks: the account of a key, and how many requests the key may still make."""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, Engine

from crm_pipeline.accounts.account import Account
from crm_pipeline.accounts.inbound import InboundSettings
from crm_pipeline.accounts.store import get_account
from crm_pipeline.database.statements import statement
from crm_pipeline.inbound.keys import is_that_key, key_id_of
from crm_pipeline.inbound.tombstones import Hasher, hasher_of
from crm_pipeline.listener.answers import Refused
from crm_pipeline.listener.asked import HttpQuestion

REMEMBERED_SECONDS = 5.0
"""How long a key and its account's choices are taken to be as they were."""

MOST_REMEMBERED = 10_000

AT_A_TIME = 100
"""Requests that a process takes out of a key's minute at once."""

_REALM = {"WWW-Authenticate": 'Bearer realm="crm-pipeline"'}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a key, its account, what that takes, and how it hashes addresses."""

    key_id: str
    account: Account
    choices: InboundSettings
    hasher: Hasher


class Left(NamedTuple):
    """The requests that are left of a key's minute, and the seconds until the next one."""

    limit: int
    requests: int
    seconds: int

    def headers(self) -> dict[str, str]:
        """Returns them as headers of the answer."""
        return {
            "RateLimit-Policy": f'"default";q={self.limit};w=60',
            "RateLimit": f'"default";r={self.requests};t={self.seconds}',
        }


@dataclass(slots=True)
class _Known:
    digest: bytes
    caller: Caller
    until: float


class Access:
    """Keys and their limits, over all processes of the listener; used by several threads."""

    def __init__(self, database: Engine) -> None:
        self._database = database
        self._using = threading.Lock()
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._tokens: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def caller(self, asked: HttpQuestion) -> Caller:
        """Returns who asks.

        Raises:
            Refused: nobody of ours, or not in this way.
        """
        given = asked.key
        if given is None:
            raise Refused(401, "a key is needed: Authorization: Bearer, or X-API-Key", (), _REALM)
        key, in_address = given
        key_id = key_id_of(key)
        known = None if key_id is None else self._look_up(key_id)
        digest = None if known is None else known.digest
        if not is_that_key(key, digest) or known is None:
            raise Refused(401, "", (), _REALM)
        if in_address and not known.caller.choices.keys_in_query:
            raise Refused(
                401,
                "the account does not take keys in the address: send it as Authorization: Bearer",
                (),
                _REALM,
            )
        return known.caller

    def take(self, caller: Caller) -> Left:
        """Takes one of the requests that a key may make in this minute.

        Processes take them by the hundred, outside of any other transaction.

        Raises:
            Refused: none is left.
        """
        limit = caller.choices.requests_per_minute
        minute, seconds = divmod(int(time.time()), 60)
        wait = 60 - seconds
        with self._using:
            of_minute, tokens = self._tokens.get(caller.key_id, (minute, 0))
            if of_minute != minute:
                tokens = 0
            if tokens == 0:
                tokens = self._granted(caller.key_id, minute, limit)
            left = Left(limit, max(0, tokens - 1), wait)
            self._tokens[caller.key_id] = (minute, max(0, tokens - 1))
            self._tokens.move_to_end(caller.key_id)
            if len(self._tokens) > MOST_REMEMBERED:
                self._tokens.popitem(last=False)
        if tokens == 0:
            headers = {"Retry-After": str(wait), **left.headers()}
            raise Refused(429, f"{limit} requests a minute are allowed", (), headers)
        return left

    def _granted(self, key_id: str, minute: int, limit: int) -> int:
        wanted = min(AT_A_TIME, limit)
        with self._database.begin() as connection:
            connection.execute(statement("inbound/need_not_last"))
            taken = connection.scalar(
                statement("inbound/take_requests"),
                {"key_id": key_id, "minute": minute * 60, "wanted": wanted},
            )
        return max(0, min(wanted, limit - (int(taken or 0) - wanted)))

    def _look_up(self, key_id: str) -> _Known | None:
        now = time.monotonic()
        with self._using:
            known = self._known.get(key_id)
        if known is not None and known.until > now:
            return known
        with self._database.connect() as connection:
            found = _stored(connection, key_id)
        with self._using:
            self._known.pop(key_id, None)
            if found is not None:
                self._known[key_id] = found
                if len(self._known) > MOST_REMEMBERED:
                    self._known.popitem(last=False)
        return found


def _stored(connection: Connection, key_id: str) -> _Known | None:
    row = connection.execute(statement("inbound/key"), {"key_id": key_id}).one_or_none()
    if row is None:
        return None
    account = get_account(connection, row.account_id)
    caller = Caller(
        key_id,
        account,
        account.settings.inbound or InboundSettings(),
        hasher_of(connection, account),
    )
    connection.commit()
    return _Known(bytes(row.digest), caller, time.monotonic() + REMEMBERED_SECONDS)
