"""A listener over real HTTP, with an account that takes everything."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from sqlalchemy import Engine, text

from crm_pipeline.accounts.account import Account, AccountSettings
from crm_pipeline.accounts.inbound import InboundSettings
from crm_pipeline.accounts.store import add_account, update_settings
from crm_pipeline.inbound.keys import make_key
from crm_pipeline.inbound.tombstones import hasher_of
from crm_pipeline.listener import access
from crm_pipeline.listener.server import Listener

ORG = "00D000000000001EAA"

INBOUND: dict[str, Any] = {
    "organization_id": ORG,
    "open_dsr": "gdpr",
    "macros": {
        "forget": {"does": "erase", "in_org": "delete"},
        "pause": {"does": "suppress"},
        "mail": {"does": "tell", "platform_macro": "Send mail"},
    },
    "listeners": {
        "gdpr": {"macro": "forget"},
        "british": {"macro": "forget", "filter": {"country_code": ["GB", "IE"]}},
        "pause": {"macro": "pause"},
        "mail": {"macro": "mail"},
    },
    "external_sources": {
        "bugs": {
            "project": "Beta",
            "feedback_type": "Bug",
            "form": {
                "title": {"type": "text", "required": True},
                "severity": {"type": "choice", "choices": ["low", "high"]},
                "seen": {"type": "date"},
                "at": {"type": "datetime"},
                "count": {"type": "number"},
                "again": {"type": "boolean"},
                "reply_to": {"type": "email"},
            },
            "mapping": {
                "Subject": "title",
                "Severity__c": "severity",
                "Seen__c": "seen",
                "At__c": "at",
                "Count__c": "count",
                "Again__c": "again",
                "Reply__c": "reply_to",
            },
            "submitter": "Email",
            "default_submitter": "17",
        },
        "strict": {
            "project": "Beta",
            "feedback_type": "Bug",
            "form": {"title": {"required": True}},
            "mapping": {"Subject": "title"},
            "submitter": "Email",
        },
    },
    "user_data": {"plan": {"mapping": {"Plan__c": "plan", "Seats__c": "seats"}}},
}


@dataclass
class Desk:
    """A listener, a key to it, and the database behind it."""

    url: str
    key: str
    database: Engine

    def ask(self, method: str, path: str, *, key: str | None = "", **how: Any) -> requests.Response:
        headers = dict(how.pop("headers", {}))
        if key is not None:
            headers.setdefault("Authorization", f"Bearer {key or self.key}")
        return requests.request(method, self.url + path, headers=headers, timeout=15, **how)

    def post(self, path: str, **how: Any) -> requests.Response:
        return self.ask("POST", path, **how)

    def remove(self, address: str, listener: str = "gdpr", **how: Any) -> requests.Response:
        path = f"/api/v1/userMacroListeners/{listener}"
        return self.post(path, params={"find": address}, **how)

    def rows(self, statement: str) -> list[Any]:
        with self.database.connect() as connection:
            return list(connection.execute(text(statement)).all())

    def run(self, statement: str) -> None:
        with self.database.begin() as connection:
            connection.execute(text(statement))

    def user(self, user_id: str, address: str, **columns: str) -> None:
        """A user of the platform."""
        import json

        with self.database.begin() as connection:
            digest = hasher_of(connection, account()).digest(address)
            connection.execute(
                text(
                    "INSERT INTO crm.platform_user"
                    " (account_id, user_id, digest, columns, shipped_at)"
                    " VALUES ('acme', :user_id, :digest, CAST(:columns AS jsonb), now())"
                ),
                {"user_id": user_id, "digest": digest, "columns": json.dumps(columns)},
            )

    def settings(self, **changes: Any) -> None:
        """Changes what the account takes; the listener has forgotten what it knew."""
        with self.database.begin() as connection:
            update_settings(connection, "acme", {"inbound": {**INBOUND, **changes}})


def account() -> Account:
    chosen = AccountSettings(inbound=InboundSettings.model_validate(INBOUND))
    return Account("acme", "client-1", "Acme", "https://acme.my.salesforce.com", True, chosen)


@contextmanager
def desk_over(database: Engine) -> Iterator[Desk]:
    """A listener over a database, with the account."""
    with database.begin() as connection:
        add_account(connection, account())
        update_settings(connection, "acme", {"inbound": INBOUND})
        key = make_key(connection, "acme")
    with Listener(database) as listener:
        yield Desk(listener.url, key, database)


@pytest.fixture
def desk(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(access, "REMEMBERED_SECONDS", 0.0)
    with desk_over(pipeline) as desk:
        yield desk
