from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection

from crm_pipeline.accounts import store
from crm_pipeline.accounts.account import Account, AccountSettings
from crm_pipeline.database.engines import engine


@pytest.fixture
def connection(pipeline: object) -> Iterator[Connection]:
    with engine("pipeline").connect() as connection, connection.begin():
        yield connection


@pytest.fixture
def add(connection: Connection) -> Callable[..., Account]:
    def add(account_id: str = "acme", **settings: object) -> Account:
        return store.add_account(
            connection,
            Account(
                account_id=account_id,
                client_id=f"client-{account_id}",
                name="Acme Ltd",
                login_url="https://acme.my.salesforce.com",
                enabled=True,
                settings=AccountSettings.parse(account_id, settings),
            ),
        )

    return add
