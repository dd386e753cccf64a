"""The nightly scan finds whoever was erased and is there again, by hashes alone."""

import pytest
from sqlalchemy import Connection, Engine, text

from crm_pipeline.accounts.account import Account, AccountSettings
from crm_pipeline.accounts.store import add_account, get_account
from crm_pipeline.database.statements import statement
from crm_pipeline.inbound.asking import ask_for_removal
from crm_pipeline.inbound.scanning import Leftover, scan_for_erased
from crm_pipeline.inbound.tombstones import bury, hasher_of

TOM = "tom@example.com"


@pytest.fixture
def erased(pipeline: Engine) -> Engine:
    """Two accounts; one has erased somebody."""
    with pipeline.begin() as connection:
        for name in ("acme", "other"):
            account = Account(
                name, name, name, "https://x.my.salesforce.com", True, AccountSettings()
            )
            add_account(connection, account)
        bury(connection, hasher_of(connection, get_account(connection, "acme")), TOM, "erase")
    return pipeline


def put(pipeline: Engine, said: str, **parameters: str) -> None:
    with pipeline.begin() as connection:
        connection.execute(text(said), parameters)


def verdict(connection: Connection, account: str = "acme") -> tuple[bool, str]:
    asked = {"account_ids": [account], "freshness_minutes": 60}
    row = connection.execute(statement("checks/nobody_erased_is_left"), asked).one()
    return row.passed, row.found_in


FIND = "INSERT INTO crm.person (account_id, address, as_of) VALUES (:account, :address, now())"


def test_nobody_is_found_who_is_not_there(erased: Engine):
    put(erased, FIND, account="other", address=TOM)
    put(erased, FIND, account="acme", address="tim@example.com")
    assert scan_for_erased(erased, []) == []
    with erased.connect() as connection:
        assert verdict(connection) == (True, "")
        assert verdict(connection, "other") == (True, "")


OPERATION = (
    "INSERT INTO crm.operation (account_id, flow, kind, natural_key, version, as_of, content_hash,"
    " intent, state) VALUES (:account, 'x', 'activity', 'r:1', 1, now(), '',"
    " jsonb_build_object('t', 'by \"' || upper(:address) || '\".'), 'done')"
)
ALERT = (
    "INSERT INTO crm.alert (cause, message, account_id, detail)"
    " VALUES ('x', 'y', :account, '/query?q=Email=' || replace(:address, '@', '%40'))"
)


@pytest.mark.parametrize(
    ("said", "place"),
    [
        (FIND, "crm.person.address"),
        (OPERATION.replace("'done'", "'pending'"), "crm.operation.intent"),
        (ALERT, "crm.alert.detail"),
    ],
)
def test_whoever_is_back_is_found_wherever_that_is(erased: Engine, said: str, place: str):
    put(erased, said, account="acme", address=TOM)
    assert scan_for_erased(erased, []) == [Leftover("acme", place)]
    with erased.connect() as connection:
        assert verdict(connection) == (False, place)


def test_what_others_said_long_ago_loses_the_address(erased: Engine):
    """No removal looks through it; somebody else's stays as it is."""
    put(erased, OPERATION, account="acme", address=TOM)
    put(erased, OPERATION, account="other", address=TOM)
    assert scan_for_erased(erased, []) == []
    with erased.connect() as connection:
        said = connection.execute(
            text("SELECT intent ->> 't' FROM crm.operation ORDER BY account_id")
        ).scalars()
        assert list(said) == ['by "[removed]".', 'by "TOM@EXAMPLE.COM".']
        assert verdict(connection) == (True, "")


def test_a_table_without_accounts_counts_unless_the_address_is_somebodys(erased: Engine):
    put(erased, "CREATE TABLE crm.note (said text)")
    put(erased, "INSERT INTO crm.note VALUES (:address)", address=TOM)
    assert scan_for_erased(erased, []) == [Leftover("acme", "crm.note.said")]
    put(erased, FIND, account="other", address=TOM)
    assert scan_for_erased(erased, []) == []


def test_whoever_is_being_removed_is_not_left(erased: Engine):
    put(erased, FIND, account="acme", address=TOM)
    with erased.begin() as connection:
        hasher = hasher_of(connection, get_account(connection, "acme"))
        ask_for_removal(connection, hasher, TOM, does="erase", door="command", name="x")
    assert scan_for_erased(erased, []) == []


def test_a_scan_that_does_not_run_breaks_the_promise(erased: Engine):
    with erased.connect() as connection:
        assert verdict(connection)[0] is True, "not before the second night"
    put(erased, "UPDATE crm.erased SET made_at = now() - interval '3 days'")
    with erased.connect() as connection:
        assert verdict(connection)[0] is False
    scan_for_erased(erased, [])
    with erased.connect() as connection:
        assert verdict(connection)[0] is True
