from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Connection, text

from crm_pipeline.accounts import credentials, store
from crm_pipeline.accounts.account import Account, AccountError
from crm_pipeline.accounts.store import FieldMapping

Add = Callable[..., Account]


def test_an_account_is_read_as_it_was_added(connection: Connection, add: Add):
    added = add("acme", parallel_requests=2)
    assert store.get_account(connection, "acme") == added
    assert added.settings.parallel_requests == 2


def test_only_what_was_chosen_is_stored_so_that_defaults_can_change(
    connection: Connection, add: Add
):
    add("acme", parallel_requests=2)
    stored = connection.scalar(text("SELECT settings FROM crm.account"))
    assert stored == {"parallel_requests": 2}


def test_an_account_id_is_given_once(connection: Connection, add: Add):
    add("acme")
    with pytest.raises(AccountError, match="acme exists already"):
        add("acme")


def test_an_account_needs_a_client_and_a_name(connection: Connection, add: Add):
    account = add("acme")
    with pytest.raises(AccountError, match="name must not be empty"):
        store.update_account(connection, replace(account, name=" "))
    with pytest.raises(AccountError, match="client id must not be empty"):
        store.update_account(connection, replace(account, client_id=""))


def test_an_unknown_account_is_named(connection: Connection, add: Add):
    account = replace(add("acme"), account_id="nobody")
    for attempt in (
        lambda: store.get_account(connection, "nobody"),
        lambda: store.update_account(connection, account),
        lambda: store.update_settings(connection, "nobody", {}),
        lambda: store.disable_account(connection, "nobody"),
        lambda: store.add_filter(connection, "nobody", "x.example"),
        lambda: store.push_session(connection, "nobody", 1),
        lambda: store.set_field_mapping(connection, "nobody", FieldMapping("Lead", "Phone")),
    ):
        with pytest.raises(AccountError, match="no account 'nobody'"):
            attempt()


def test_a_disabled_account_stays_in_the_list_and_can_be_enabled(connection: Connection, add: Add):
    add("acme")
    add("beta")
    store.disable_account(connection, "acme")
    assert [(a.account_id, a.enabled) for a in store.list_accounts(connection)] == [
        ("acme", False),
        ("beta", True),
    ]
    store.enable_account(connection, "acme")
    assert store.get_account(connection, "acme").enabled


def test_a_setting_changes_alone_and_goes_back_to_its_default(connection: Connection, add: Add):
    add("acme", parallel_requests=2, route="bulk")
    changed = store.update_settings(
        connection, "acme", {"parallel_requests": None, "retry_share": "0.1"}
    )
    assert changed.settings.parallel_requests == 5
    assert changed.settings.retry_share == 0.1
    stored = connection.scalar(text("SELECT settings FROM crm.account"))
    assert stored == {"route": "bulk", "retry_share": 0.1}


def test_one_account_with_impossible_settings_fails_alone_and_can_be_repaired(
    connection: Connection, add: Add
):
    add("acme")
    add("beta")
    connection.execute(
        text("""UPDATE crm.account SET settings = '{"colour": 1}' WHERE account_id = 'acme'""")
    )
    with pytest.raises(AccountError, match=r"acme.*colour"):
        store.get_account(connection, "acme")
    assert store.get_account(connection, "beta").account_id == "beta"
    assert len(store.list_accounts(connection)) == 2
    store.update_settings(connection, "acme", {"colour": None})
    assert store.get_account(connection, "acme").account_id == "acme"


def test_another_login_url_gives_refused_credentials_a_new_chance(connection: Connection, add: Add):
    account = add("acme")
    connection.execute(
        text("INSERT INTO crm.credential (account_id, ciphertext) VALUES ('acme', 'x')")
    )
    credentials.mark_refused(connection, "acme", "INVALID_LOGIN")
    store.update_account(connection, replace(account, name="Acme Limited"))
    assert credentials.refused(connection, "acme") == "INVALID_LOGIN"
    store.update_account(connection, replace(account, login_url="https://other.my.salesforce.com"))
    assert credentials.refused(connection, "acme") is None


def test_filter_strings_are_kept_once_and_without_their_blanks(connection: Connection, add: Add):
    add("acme")
    for filter_string in ("@rival.example", "  test", "test"):
        store.add_filter(connection, "acme", filter_string)
    assert store.filter_strings(connection, "acme") == ["@rival.example", "test"]
    store.remove_filter(connection, "acme", "test")
    assert store.filter_strings(connection, "acme") == ["@rival.example"]
    with pytest.raises(AccountError, match="no filter 'test'"):
        store.remove_filter(connection, "acme", "test")


@pytest.mark.parametrize("bad", ["", " \t", "@", "a b", "two\nlines", "x" * 255])
def test_a_filter_string_that_rejects_everybody_or_nobody_is_refused(
    connection: Connection, add: Add, bad: str
):
    add("acme")
    with pytest.raises(AccountError, match="Account acme: filter"):
        store.add_filter(connection, "acme", bad)


def test_an_invalid_filter_string_in_the_table_stops_its_account_only(
    connection: Connection, add: Add
):
    add("acme")
    add("beta")
    connection.execute(text("INSERT INTO crm.email_filter VALUES ('acme', E'\\t')"))
    with pytest.raises(AccountError, match=r"acme.*every address"):
        store.filter_strings(connection, "acme")
    assert store.filter_strings(connection, "beta") == []


def test_sessions_are_listed_once(connection: Connection, add: Add):
    add("acme")
    for event_session_id in (7, 5, 7):
        store.push_session(connection, "acme", event_session_id)
    listed = store.pushed_sessions(connection, "acme")
    assert [session.event_session_id for session in listed] == [5, 7]
    assert all(session.backfilled_at is None for session in listed)
    store.unpush_session(connection, "acme", 5)
    assert [s.event_session_id for s in store.pushed_sessions(connection, "acme")] == [7]
    with pytest.raises(AccountError, match="does not list session 5"):
        store.unpush_session(connection, "acme", 5)


def test_the_last_listed_session_goes_only_on_purpose_as_then_all_are_pushed(
    connection: Connection, add: Add
):
    add("acme")
    store.push_session(connection, "acme", 7)
    with connection.begin_nested() as attempt:
        with pytest.raises(AccountError, match="all of its sessions"):
            store.unpush_session(connection, "acme", 7)
        attempt.rollback()
    store.unpush_session(connection, "acme", 7, may_push_all=True)
    assert store.pushed_sessions(connection, "acme") == []


def test_a_field_is_mapped_to_a_column_a_constant_or_nothing(connection: Connection, add: Add):
    add("acme")
    for mapping in (
        FieldMapping("Lead", "Region__c", source="county"),
        FieldMapping("Lead", "Region__c", constant="EMEA"),
        FieldMapping("Lead", "Phone"),
        FieldMapping("Contact", "Company__c", source="company_name"),
    ):
        store.set_field_mapping(connection, "acme", mapping)
    assert store.field_mappings(connection, "acme") == [
        FieldMapping("Contact", "Company__c", source="company_name"),
        FieldMapping("Lead", "Phone"),
        FieldMapping("Lead", "Region__c", constant="EMEA"),
    ]
    store.remove_field_mapping(connection, "acme", "Lead", "Phone")
    assert len(store.field_mappings(connection, "acme")) == 2
    with pytest.raises(AccountError, match=r"does not override Lead\.Phone"):
        store.remove_field_mapping(connection, "acme", "Lead", "Phone")


@pytest.mark.parametrize(
    "mapping",
    [
        FieldMapping("Lead", "Region c"),
        FieldMapping("Lead; DROP", "Phone"),
        FieldMapping("Lead", "Phone", source="phone_1", constant="5"),
    ],
)
def test_an_impossible_mapping_is_refused(connection: Connection, add: Add, mapping: FieldMapping):
    add("acme")
    with pytest.raises(AccountError, match="Account acme"):
        store.set_field_mapping(connection, "acme", mapping)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: store.update_settings(c, "acme", {"route": "bulk"}),
        lambda c: store.disable_account(c, "acme"),
        lambda c: store.add_filter(c, "acme", "rival"),
        lambda c: store.remove_filter(c, "acme", "test"),
        lambda c: store.push_session(c, "acme", 8),
        lambda c: store.unpush_session(c, "acme", 7, may_push_all=True),
        lambda c: store.set_field_mapping(c, "acme", FieldMapping("Lead", "Title")),
        lambda c: store.remove_field_mapping(c, "acme", "Lead", "Phone"),
    ],
)
def test_whatever_changes_the_account_shows_that_it_has_changed(
    connection: Connection, add: Add, change: Callable[[Connection], object]
):
    add("acme")
    store.add_filter(connection, "acme", "test")
    store.push_session(connection, "acme", 7)
    store.set_field_mapping(connection, "acme", FieldMapping("Lead", "Phone"))
    connection.execute(text("UPDATE crm.account SET updated_at = '2000-01-01Z'"))
    change(connection)
    assert connection.scalar(text("SELECT updated_at = now() FROM crm.account"))
