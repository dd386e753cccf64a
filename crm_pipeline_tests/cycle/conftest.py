"""An account, its warehouse rows and its org, all real, a short call each."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from sqlalchemy import Connection, Engine, text

from crm_pipeline.accounts.account import Account, AccountSettings
from crm_pipeline.accounts.credentials import set_credentials
from crm_pipeline.accounts.store import add_account, update_settings
from crm_pipeline.cycle.cycle import sync_account
from crm_pipeline.flows.registry import ALL_TOPICS
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.local_org.store import Org
from crm_pipeline.report import CycleReport
from crm_pipeline.salesforce.credentials import PasswordToken
from crm_pipeline.settings import settings
from crm_pipeline_tests.flows.webinars.warehouse import CLIENT, add_sessions

ACCOUNT = "acme"


@dataclass
class Bench:
    """Everything around one account."""

    connection: Connection
    server: LocalOrgServer
    org: Org

    def cycle(self, steps: frozenset[str] = ALL_TOPICS, account: str = ACCOUNT) -> CycleReport:
        """One cycle, after what was put into the warehouse is committed."""
        self.connection.commit()
        return sync_account(account, run_id="test", steps=steps)

    def records(self, sobject: str) -> list[dict[str, Any]]:
        """The org's records that are not deleted, in the order of their creation."""
        return [row for row in self.org.table(sobject).rows.values() if not row["IsDeleted"]]

    def admin(self, path: str, /, **body: Any) -> Any:
        """Asks the org's admin path for something."""
        url = f"{self.server.url_of(ACCOUNT)}/_admin/{path}"
        answer = requests.post(url, json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def seed(self, sobject: str, **fields: Any) -> str:
        """Puts a record into the org as if it had always been there; its Id."""
        [record_id] = self.admin("seed", **{sobject: [fields]})[sobject]
        return str(record_id)

    def fault(self, kind: str, action: str, **how: Any) -> None:
        """Asks for bad weather."""
        self.admin("faults", kind=kind, action=action, **how)

    def clears_up(self) -> None:
        """Ends bad weather; what hangs goes on."""
        url = f"{self.server.url_of(ACCOUNT)}/_admin/faults"
        requests.delete(url, timeout=60).raise_for_status()

    def forget_usage(self) -> None:
        """As if the org's usage had been seen long ago."""
        self.connection.execute(text("UPDATE crm.sync_state SET api_seen_at = '2020-01-01'"))
        self.connection.commit()

    def states(self) -> dict[str, str]:
        """The state of the latest version of each operation, by natural key.

        With the address of a person in place of the number; without what was absorbed.
        """
        rows = self.connection.execute(
            text(
                "SELECT DISTINCT ON (o.natural_key) o.state, CASE WHEN o.kind IN ('person',"
                " 'member') THEN regexp_replace(o.natural_key, '[0-9]+$', p.address)"
                " ELSE o.natural_key END AS about"
                " FROM crm.operation AS o LEFT JOIN crm.person AS p USING (person_key)"
                " ORDER BY o.natural_key, o.version DESC"
            )
        )
        found = {row.about: row.state for row in rows if row.about is not None}
        self.connection.rollback()
        return found

    def settings(self, **changes: Any) -> None:
        """Changes the account's settings."""
        update_settings(self.connection, ACCOUNT, changes)
        self.connection.commit()


def account_of(
    connection: Connection,
    server: LocalOrgServer,
    name: str,
    client: str = CLIENT,
    *,
    org: str | None = None,
    **settings: Any,
) -> None:
    """Registers an account for an org of the server, by default the one of its name."""
    url = server.url_of(org or name)
    add_account(
        connection, Account(name, client, name.title(), url, True, AccountSettings(**settings))
    )
    set_credentials(
        connection,
        name,
        PasswordToken(username="api@acme.test", password="secret", security_token="TOKEN"),
    )
    connection.commit()


ORG = {
    "users": [{"username": "api@acme.test", "password": "secret", "security_token": "TOKEN"}],
    "validation_rules": [
        {"object": "Lead", "when": "Country = 'Atlantis'", "error": "No leads from there"}
    ],
}


@contextmanager
def bench_of(
    org: Mapping[str, Any],
    pipeline: Engine,
    monkeypatch: pytest.MonkeyPatch,
    *others: Mapping[str, Any],
) -> Iterator[Bench]:
    """A bench with an org as described, and further ones on the same server."""
    monkeypatch.setenv("LOST_ANSWER_GRACE_SECONDS", "0")
    monkeypatch.setenv("RETRY_BACKOFF_SECONDS", "0")
    settings.cache_clear()
    with LocalOrgServer(org, *others) as server, pipeline.connect() as connection:
        account_of(connection, server, ACCOUNT)
        add_sessions(connection, 1, 2)
        connection.commit()
        yield Bench(connection, server, server.org(ACCOUNT))


@pytest.fixture
def bench(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_of({"name": ACCOUNT, **ORG}, pipeline, monkeypatch) as made:
        yield made
