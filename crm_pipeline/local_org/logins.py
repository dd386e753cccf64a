"""Logins: passwords, the lock-out after too many wrong ones, and sessions.

The ways to log in are in `soap_login.py` and `oauth.py`.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from crm_pipeline.local_org.per_org import PerOrg
from crm_pipeline.local_org.store import Org, Session, User

MAX_BAD_PASSWORDS = 10
LOCKED_FOR = timedelta(minutes=15)


class Refusal(Enum):
    """The reason why a user name and password are not let in; `value` is OAuth's description."""

    WRONG = "authentication failure"
    TOKEN_MISSING = "authentication failure - Invalid Password"  # noqa: S105 - no password
    LOCKED = "user is locked"
    INACTIVE = "inactive user"


@dataclass(slots=True)
class LoginBook:
    """The memory of an org for logins."""

    refused: Counter[str] = field(default_factory=Counter)
    """Refused passwords by user name (lower case); the statistics show them."""
    in_a_row: Counter[str] = field(default_factory=Counter)
    locked_until: dict[str, datetime] = field(default_factory=dict)


LOGINS = PerOrg(LoginBook)


def check_password(
    org: Org, username: str, password: str, *, trusted_network: bool = False
) -> User | Refusal:
    """The user of that name if this is his password with his security token appended.

    `trusted_network` lets him in without the token. After ten wrong passwords in a row he is
    locked out for 15 minutes, even with the right one (Salesforce: Set Password Policies).
    """
    book, key, now = LOGINS[org], username.strip().lower(), org.now()
    user = org.users.get(key)
    if book.locked_until.get(key, now) > now:
        book.refused[key] += 1
        return Refusal.LOCKED
    refusal = None
    right = user.password or "" if user else ""
    if user is None or password not in (right, right + user.security_token):
        refusal = Refusal.WRONG
    elif password == right and user.security_token and not trusted_network:
        refusal = Refusal.TOKEN_MISSING
    elif not user.active:
        refusal = Refusal.INACTIVE
    if user is not None and refusal is None:
        book.in_a_row.pop(key, None)
        return user
    book.refused[key] += 1
    book.in_a_row[key] += 1
    if book.in_a_row[key] >= MAX_BAD_PASSWORDS:
        book.locked_until[key] = now + LOCKED_FOR
        book.in_a_row[key] = 0
    return refusal or Refusal.WRONG


def open_session(org: Org, user: User, scopes: tuple[str, ...] = ()) -> Session:
    """Logs a user in for as long as the org's sessions hold."""
    minutes = org.config.logins.session_minutes
    lifetime = None if minutes is None else timedelta(minutes=minutes)
    return org.open_session(user.id, lifetime, scopes)


def user_of_id(org: Org, user_id: str) -> User | None:
    """The user with that id of 18 characters."""
    return next((user for user in org.users.values() if user.id == user_id), None)
