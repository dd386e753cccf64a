import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from crm_pipeline.accounts import credentials
from crm_pipeline.accounts.account import Account, AccountError
from crm_pipeline.salesforce.credentials import (
    ClientCredentials,
    Credentials,
    JwtBearer,
    PasswordToken,
)
from crm_pipeline.settings import settings

Add = Callable[..., Account]

SECRET = "s3cret-value"
WAYS_IN: list[Credentials] = [
    ClientCredentials(client_id="3MVG9", client_secret=SECRET),
    JwtBearer(client_id="3MVG9", username="api@acme.example", private_key=SECRET),
    PasswordToken(username="api@acme.example", password=SECRET, security_token="t0ken"),
]


@pytest.fixture
def use_keys(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def use_keys(*keys: str) -> None:
        monkeypatch.setenv("CRM_ENCRYPTION_KEYS", ",".join(keys))
        settings.cache_clear()

    return use_keys


def sealed(connection: Connection, account_id: str = "acme") -> bytes:
    ciphertext = connection.scalar(
        text("SELECT ciphertext FROM crm.credential WHERE account_id = :a"), {"a": account_id}
    )
    return bytes(ciphertext)


@pytest.mark.parametrize("given", WAYS_IN, ids=lambda given: given.method)
def test_credentials_come_back_as_they_were_set(
    connection: Connection, add: Add, given: Credentials
):
    add("acme")
    credentials.set_credentials(connection, "acme", given)
    assert credentials.read_credentials(connection, "acme") == given


def test_nothing_of_credentials_is_readable_at_rest(connection: Connection, add: Add):
    add("acme")
    credentials.set_credentials(connection, "acme", WAYS_IN[2])
    for part in (SECRET, "api@acme.example", "t0ken", "password"):
        assert part.encode() not in sealed(connection)


def test_an_account_without_credentials_is_told_how_to_set_them(connection: Connection, add: Add):
    add("acme")
    with pytest.raises(AccountError, match="acme has no credentials; set them with"):
        credentials.read_credentials(connection, "acme")


def test_a_ciphertext_copied_to_another_account_does_not_open(connection: Connection, add: Add):
    add("acme")
    add("beta")
    credentials.set_credentials(connection, "acme", WAYS_IN[0])
    connection.execute(
        text(
            "INSERT INTO crm.credential (account_id, ciphertext)"
            " SELECT 'beta', ciphertext FROM crm.credential"
        )
    )
    with pytest.raises(AccountError, match="Account beta: no key"):
        credentials.read_credentials(connection, "beta")


def test_a_wrong_key_is_told_with_account_and_setting_and_without_secrets(
    connection: Connection, add: Add, use_keys: Callable[..., None]
):
    add("acme")
    credentials.set_credentials(connection, "acme", WAYS_IN[0])
    wrong = credentials.new_key()
    use_keys(wrong)
    with pytest.raises(AccountError, match=r"acme.*CRM_ENCRYPTION_KEYS") as refused:
        credentials.read_credentials(connection, "acme")
    assert "\n" not in str(refused.value)
    assert SECRET not in repr(refused.getrepr(showlocals=False))
    assert wrong not in str(refused.value)


def test_a_ciphertext_that_was_changed_does_not_open(connection: Connection, add: Add):
    add("acme")
    credentials.set_credentials(connection, "acme", WAYS_IN[0])
    connection.execute(
        text(
            "UPDATE crm.credential SET ciphertext = set_byte("
            "ciphertext, 40, CASE get_byte(ciphertext, 40) WHEN 65 THEN 66 ELSE 65 END)"
        )
    )
    with pytest.raises(AccountError, match="no key"):
        credentials.read_credentials(connection, "acme")


def test_keys_rotate_while_all_credentials_stay_readable(
    connection: Connection, add: Add, use_keys: Callable[..., None]
):
    old, new = credentials.new_key(), credentials.new_key()
    use_keys(old)
    for account_id, given in zip(("acme", "beta"), WAYS_IN, strict=False):
        add(account_id)
        credentials.set_credentials(connection, account_id, given)
    use_keys(new, old)
    assert credentials.read_credentials(connection, "acme") == WAYS_IN[0]
    assert credentials.rotate_credentials(connection) == credentials.Rotation(2, ())
    use_keys(new)
    assert credentials.read_credentials(connection, "acme") == WAYS_IN[0]
    assert credentials.read_credentials(connection, "beta") == WAYS_IN[1]
    use_keys(old)
    with pytest.raises(AccountError):
        credentials.read_credentials(connection, "acme")


def test_a_rotation_names_what_no_key_opens_and_renews_the_others(
    connection: Connection, add: Add, use_keys: Callable[..., None]
):
    add("acme")
    add("beta")
    use_keys(credentials.new_key())
    credentials.set_credentials(connection, "acme", WAYS_IN[0])
    unopened = sealed(connection)
    old, new = credentials.new_key(), credentials.new_key()
    use_keys(old)
    credentials.set_credentials(connection, "beta", WAYS_IN[0])
    use_keys(new, old)
    assert credentials.rotate_credentials(connection) == credentials.Rotation(1, ("acme",))
    assert sealed(connection) == unopened


@pytest.mark.parametrize("bad", ["secret", "x" * 44, "ü" * 44, "QUJD"])
def test_an_impossible_key_is_named_by_its_place_only(
    connection: Connection, add: Add, use_keys: Callable[..., None], bad: str
):
    add("acme")
    use_keys(credentials.new_key(), bad)
    with pytest.raises(AccountError, match="CRM_ENCRYPTION_KEYS: key 2 is not") as refused:
        credentials.set_credentials(connection, "acme", WAYS_IN[0])
    assert bad not in str(refused.value)


def test_without_a_key_a_database_of_ones_own_takes_no_credentials(
    connection: Connection, add: Add, use_keys: Callable[..., None]
):
    add("acme")
    use_keys()
    with pytest.raises(AccountError, match="CRM_ENCRYPTION_KEYS is not set"):
        credentials.set_credentials(connection, "acme", WAYS_IN[0])


def test_beside_the_embedded_database_a_key_is_made_for_its_owner_only(
    connection: Connection,
    add: Add,
    use_keys: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
):
    add("acme")
    monkeypatch.delenv("WAREHOUSE_URL")
    monkeypatch.delenv("PIPELINE_DATABASE_URL")
    monkeypatch.setenv("CRM_PIPELINE_DATA_DIR", str(tmp_path / "fresh data"))
    use_keys()
    credentials.set_credentials(connection, "acme", WAYS_IN[0])
    assert credentials.read_credentials(connection, "acme") == WAYS_IN[0]
    file = tmp_path / "fresh data" / credentials.KEY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_processes_that_start_at_once_make_one_key(tmp_path: Path):
    together = threading.Barrier(8)
    keys = []

    def start() -> None:
        together.wait()
        keys.append(credentials._kept_key(tmp_path / credentials.KEY_FILE))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


def test_refused_credentials_are_remembered_until_others_are_set(connection: Connection, add: Add):
    add("acme")
    credentials.set_credentials(connection, "acme", WAYS_IN[2])
    assert credentials.refused(connection, "acme") is None
    credentials.mark_refused(connection, "acme", "INVALID_LOGIN")
    assert credentials.refused(connection, "acme") == "INVALID_LOGIN"
    credentials.set_credentials(connection, "acme", WAYS_IN[0])
    assert credentials.refused(connection, "acme") is None


def test_a_refusal_is_forgotten_after_a_login_that_succeeded_and_that_is_a_change(
    connection: Connection, add: Add
):
    add("acme")
    credentials.set_credentials(connection, "acme", WAYS_IN[2])
    credentials.mark_refused(connection, "acme", "INVALID_LOGIN")
    connection.execute(text("UPDATE crm.credential SET updated_at = '2000-01-01Z'"))
    credentials.clear_refused(connection, "acme")
    assert credentials.refused(connection, "acme") is None
    assert connection.scalar(text("SELECT updated_at = now() FROM crm.credential"))
