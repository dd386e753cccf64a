"""Tombstones: whom each holds, and who waits for whom where one is set."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from crm_pipeline.accounts.account import Account, AccountSettings
from crm_pipeline.accounts.credentials import new_key, rotate_credentials
from crm_pipeline.accounts.inbound import InboundSettings
from crm_pipeline.database.statements import statement
from crm_pipeline.inbound.tombstones import (
    addresses_in,
    bury,
    hasher_of,
    keep,
    lift,
    tombstones_of,
)
from crm_pipeline.settings import settings


def account(name: str = "acme", *, ignore_plus_parts: bool = False) -> Account:
    chosen = AccountSettings(inbound=InboundSettings(ignore_plus_parts=ignore_plus_parts))
    return Account(name, "client-1", name, "https://x.my.salesforce.com", True, chosen)


@pytest.fixture
def connection(pipeline: Engine) -> Iterator[Connection]:
    with pipeline.connect() as connection:
        yield connection


def test_an_account_without_tombstones_has_none_and_makes_no_key(connection: Connection):
    assert tombstones_of(connection, account()) is None
    assert connection.scalar(text("SELECT count(*) FROM crm.hash_key")) == 0


@pytest.mark.parametrize(
    ("address", "held"),
    [
        ("tom@example.com", True),
        (" Tom@EXAMPLE.com\u200b", True),
        ("tom+a@example.com", False),
        ("tim@example.com", False),
        ("", False),
        (None, False),
        ("no address", False),
    ],
)
def test_case_and_blanks_are_no_other_person(
    connection: Connection, address: str | None, held: bool
):
    bury(connection, hasher_of(connection, account()), "tom@example.com", "erase")
    found = tombstones_of(connection, account())
    assert found is not None
    assert found.hold(address) is held


@pytest.mark.parametrize("buried", ["tom@example.com", "tom+b@example.com"])
def test_a_plus_part_is_one_person_only_where_the_account_says_so(
    connection: Connection, buried: str
):
    chosen = account(ignore_plus_parts=True)
    bury(connection, hasher_of(connection, chosen), buried, "erase")
    found = tombstones_of(connection, chosen)
    assert found is not None
    assert found.hold("tom+a@example.com")
    assert found.hold("tom@example.com")
    assert not found.hold("tim+a@example.com")
    assert not found.hold("+@example.com")


def test_a_tombstone_is_one_accounts_and_tells_no_address(connection: Connection):
    bury(connection, hasher_of(connection, account()), "tom@example.com", "erase")
    assert tombstones_of(connection, account("other")) is None
    bury(connection, hasher_of(connection, account("other")), "tom@example.com", "suppress")
    rows = connection.execute(text("SELECT digest, verb FROM crm.erased ORDER BY seq")).all()
    assert len({bytes(row.digest) for row in rows}) == 2
    assert [row.verb for row in rows] == ["erase", "suppress"]


def test_an_erasure_stays_one_and_what_holds_for_good_stays_so(connection: Connection):
    hasher = hasher_of(connection, account())
    bury(connection, hasher, "tom@example.com", "suppress", for_minutes=120)
    bury(connection, hasher, "tom@example.com", "erase")
    bury(connection, hasher, "tom@example.com", "suppress", for_minutes=1)
    [row] = connection.execute(text("SELECT verb, expires_at, seq FROM crm.erased")).all()
    assert (row.verb, row.expires_at) == ("erase", None)
    assert row.seq > 1, "who looked before sees it as a new one"


def test_one_for_a_time_ends_unless_rows_came(connection: Connection):
    hasher = hasher_of(connection, account())
    for address in ("tom@example.com", "tim@example.com"):
        bury(connection, hasher, address, "suppress", for_minutes=120)
    keep(connection, hasher, ["tim@example.com"])
    connection.execute(text("UPDATE crm.erased SET expires_at = expires_at - interval '3 hours'"))
    found = tombstones_of(connection, account())
    assert found is not None
    assert not found.hold("tom@example.com")
    assert found.hold("tim@example.com")


def test_a_tombstone_can_be_lifted(connection: Connection):
    hasher = hasher_of(connection, account())
    bury(connection, hasher, "tom@example.com", "suppress")
    assert lift(connection, hasher, "tom@example.com")
    assert not lift(connection, hasher, "tom@example.com")
    assert tombstones_of(connection, account()) is None


def test_hashes_stay_the_same_when_the_master_keys_rotate(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
):
    before = hasher_of(connection, account()).digest("tom@example.com")
    former = settings().encryption_keys[0].get_secret_value()
    fresh = new_key()
    monkeypatch.setenv("CRM_ENCRYPTION_KEYS", f"{fresh},{former}")
    settings.cache_clear()
    rotate_credentials(connection)
    monkeypatch.setenv("CRM_ENCRYPTION_KEYS", fresh)
    settings.cache_clear()
    assert hasher_of(connection, account()).digest("tom@example.com") == before


def test_who_sets_one_waits_for_requests_that_begin_and_for_a_second_only(pipeline: Engine):
    with pipeline.connect() as sending, pipeline.connect() as burying:
        hasher = hasher_of(burying, account())
        burying.commit()
        look = statement("inbound/hold_tombstones")
        assert sending.execute(look, {"account_id": "acme", "after": 0}).all() == []
        sending.commit()
        with pytest.raises(OperationalError) as late:
            bury(burying, hasher, "tom@example.com", "erase")
        assert getattr(late.value.orig, "sqlstate", None) == "55P03"
        burying.rollback()
        sending.execute(statement("inbound/release_tombstones"), {"account_id": "acme"})
        sending.commit()
        bury(burying, hasher, "tom@example.com", "erase")
        burying.commit()
        [seen] = sending.execute(look, {"account_id": "acme", "after": 0}).all()
        assert bytes(seen.digest) == hasher.digest("tom@example.com")
        assert sending.execute(look, {"account_id": "acme", "after": seen.seq}).all() == []


def test_who_looks_after_having_waited_sees_what_was_awaited(pipeline: Engine):
    """The statement's own snapshot is older than the lock."""
    import threading

    with pipeline.connect() as burying, pipeline.connect() as sending:
        hasher = hasher_of(burying, account())
        burying.commit()
        bury(burying, hasher, "tom@example.com", "erase")
        seen: list[bytes] = []

        def look() -> None:
            rows = sending.execute(
                statement("inbound/hold_tombstones"), {"account_id": "acme", "after": 0}
            )
            seen.extend(bytes(row.digest) for row in rows)

        looking = threading.Thread(target=look)
        looking.start()
        looking.join(0.2)
        assert looking.is_alive()
        burying.commit()
        looking.join(30)
        assert seen == [hasher.digest("tom@example.com")]


@pytest.mark.parametrize(
    "text",
    [
        '{"Email":"tom@example.com"}',
        "SELECT Id FROM Lead WHERE Email IN ('a@b.example','tom@example.com')",
        "/query?q=SELECT+Id+FROM+Lead+WHERE+Email+%3D+%27tom%40example.com%27",
        "q=SELECT Id FROM Lead WHERE Email='tom@example.com'",
        "Email\r\ntom@example.com\r\n",
        "find=tom@example.com",
        "Write to tom@example.com.",
    ],
)
def test_an_address_is_found_in_whatever_goes_out(text: str):
    assert "tom@example.com" in set(addresses_in(text))


def test_an_odd_address_is_found_as_well():
    quoted = "WHERE Email = 'o\\\\'neil+a@example.com'"
    assert "o'neil+a@example.com" in set(addresses_in(quoted))
    assert list(addresses_in("nobody is named")) == []
