"""A ledger with one account, and short ways to say what is recorded in it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from crm_pipeline.accounts.account import Account, AccountSettings
from crm_pipeline.accounts.store import add_account
from crm_pipeline.ledger.intents import Intent

ACCOUNT = "acme"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def ledger(pipeline: Engine) -> Iterator[Connection]:
    with pipeline.connect() as connection:
        add_account(
            connection,
            Account(
                ACCOUNT,
                "client-1",
                "Acme",
                "https://acme.my.salesforce.com",
                True,
                AccountSettings(),
            ),
        )
        connection.commit()
        yield connection


def activity(key: str = "registration:1", *, minute: int = 0, **changes: Any) -> Intent:
    """An activity as of some minutes past noon."""
    return Intent(
        natural_key=key,
        kind="activity",
        person_key=1,
        as_of=NOON + timedelta(minutes=minute),
        fields={"Subject": "Webinar Registration", **changes},
    )


def operations(connection: Connection) -> list[tuple[str, int, str]]:
    """Every operation's natural key, version and state, in the order of recording."""
    rows = connection.execute(
        text("SELECT natural_key, version, state FROM crm.operation ORDER BY operation_id")
    )
    return [tuple(row) for row in rows]
