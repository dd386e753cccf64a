"""An installation of the pipeline on one of the benchmarks' databases."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from pydantic import SecretStr
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from benchmarks import job
from benchmarks.org import CLIENT_ID, CLIENT_SECRET
from crm_pipeline.accounts.account import Account, AccountSettings
from crm_pipeline.accounts.credentials import set_credentials
from crm_pipeline.accounts.store import add_account
from crm_pipeline.salesforce.credentials import ClientCredentials
from crm_pipeline.settings import settings

ACCOUNT_ID = "benchmark"
ENCRYPTION_KEY = "YmVuY2htYXJrcyBuZWVkIG5vIHNlY3JldCBrZXkgISE="


def environment(url: str) -> dict[str, str]:
    """The settings of an installation whose three databases are one."""
    return {
        "WAREHOUSE_URL": url,
        "PIPELINE_DATABASE_URL": url,
        "DAGSTER_DATABASE_URL": url,
        "CRM_ENCRYPTION_KEYS": ENCRYPTION_KEY,
    }


def benchmark_account(org_url: str) -> Account:
    """The account of the job's client, with the settings that an account has by default."""
    return Account(ACCOUNT_ID, job.CLIENT, "Benchmark", org_url, True, AccountSettings())


def register(url: str, accounts: Iterable[Account]) -> None:
    """Stores accounts and the credentials of their orgs."""
    engine = create_engine(url, poolclass=NullPool)
    credentials = ClientCredentials(client_id=CLIENT_ID, client_secret=SecretStr(CLIENT_SECRET))
    with in_force(environment(url)), engine.begin() as connection:
        for account in accounts:
            add_account(connection, account)
            set_credentials(connection, account.account_id, credentials)


@contextmanager
def in_force(variables: Mapping[str, str]) -> Iterator[None]:
    """The settings read these variables for as long as the block takes."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    settings.cache_clear()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        settings.cache_clear()
