"""Credentials at rest: sealed for one account, opened only to log in.

Each account has its own key, derived (HKDF) from a master key and its id, so that a
ciphertext that is copied to another account does not open there. Master keys rotate: the
first one seals, all of them open.
"""

import base64
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from crm_pipeline.accounts.account import AccountError
from crm_pipeline.database.statements import statement
from crm_pipeline.salesforce.credentials import Credentials, from_json, to_json
from crm_pipeline.settings import settings

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

KEY_FILE = "encryption.key"

_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Rotation:
    """The result of a rotation of keys: how many were sealed anew, which could not be opened."""

    rotated: int
    unreadable: tuple[str, ...]


def set_credentials(connection: Connection, account_id: str, credentials: Credentials) -> None:
    """Seals and stores credentials in place of earlier ones; a refusal is forgotten.

    Raises:
        AccountError: there is no usable key.
    """
    sealed = sealer(account_id).encrypt(to_json(credentials))
    connection.execute(
        statement("accounts/put_credential"), {"account_id": account_id, "ciphertext": sealed}
    )


def read_credentials(connection: Connection, account_id: str) -> Credentials:
    """The account's credentials, in the clear: only for a login, never to be kept or shown.

    Raises:
        AccountError: there are none, or none of the keys opens them.
    """
    from cryptography.fernet import InvalidToken

    sealed = connection.scalar(statement("accounts/get_credential"), {"account_id": account_id})
    if sealed is None:
        raise AccountError(
            f"Account {account_id} has no credentials; "
            f"set them with `crm-pipeline account credentials {account_id}`."
        )
    try:
        plain = sealer(account_id).decrypt(bytes(sealed))
    except InvalidToken:
        raise AccountError(
            f"Account {account_id}: no key in CRM_ENCRYPTION_KEYS opens its credentials; add the "
            "key that sealed them, or set them again with "
            f"`crm-pipeline account credentials {account_id}`."
        ) from None
    try:
        return from_json(plain)
    except ValueError:
        raise AccountError(
            f"Account {account_id}: its stored credentials are of another version; set them again "
            f"with `crm-pipeline account credentials {account_id}`."
        ) from None


def has_credentials(connection: Connection, account_id: str) -> bool:
    """Returns whether any credentials are stored, good or not."""
    sealed = connection.scalar(statement("accounts/get_credential"), {"account_id": account_id})
    return sealed is not None


def rotate_credentials(connection: Connection) -> Rotation:
    """Seals all credentials with the first key; those sealed with a later key still opened.

    Safe while cycles run, as they open with any of the keys. Credentials that no key opens
    stay as they are.

    Raises:
        AccountError: there is no usable key.
    """
    from cryptography.fernet import InvalidToken

    renewed = []
    unreadable = []
    for row in connection.execute(statement("accounts/lock_credentials")):
        try:
            ciphertext = sealer(row.account_id).rotate(bytes(row.ciphertext))
        except InvalidToken:
            unreadable.append(row.account_id)
        else:
            renewed.append({"account_id": row.account_id, "ciphertext": ciphertext})
    if renewed:
        connection.execute(statement("accounts/replace_ciphertext"), renewed)
    if (sealed := connection.scalar(statement("accounts/get_hash_key"))) is not None:
        try:
            ciphertext = sealer("").rotate(bytes(sealed))
        except InvalidToken:
            unreadable.append("(the hash key of removals)")
        else:
            connection.execute(statement("accounts/replace_hash_key"), {"ciphertext": ciphertext})
    return Rotation(len(renewed), tuple(unreadable))


def mark_refused(connection: Connection, account_id: str, reason: str) -> None:
    """Notes that Salesforce refused the credentials: they are not tried again until set anew.

    Repeated attempts lock the user out.
    """
    connection.execute(
        statement("accounts/mark_refused"), {"account_id": account_id, "reason": reason}
    )


def clear_refused(connection: Connection, account_id: str) -> None:
    """Forgets a refusal, because a login with the same credentials succeeded."""
    connection.execute(statement("accounts/clear_refused"), {"account_id": account_id})


def refused(connection: Connection, account_id: str) -> str | None:
    """Returns why Salesforce refused the account's present credentials, or None."""
    reason: str | None = connection.scalar(
        statement("accounts/refused"), {"account_id": account_id}
    )
    return reason


def new_key() -> str:
    """A fresh master key, as CRM_ENCRYPTION_KEYS takes it."""
    return base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def sealer(account_id: str) -> "MultiFernet":
    """Returns what seals an account's secrets; of no account (""), those of the installation.

    Raises:
        AccountError: there is no usable key.
    """
    from cryptography.fernet import Fernet, MultiFernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    def derived(master: bytes) -> Fernet:
        info = b"crm-pipeline credentials of " + account_id.encode()
        key = HKDF(SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(master)
        return Fernet(base64.urlsafe_b64encode(key))

    return MultiFernet([derived(master) for master in _master_keys()])


def hash_key(connection: Connection) -> bytes:
    """Returns the installation's key of all hashes of addresses; made at its first use.

    Within the caller's transaction. A secret: never to be kept or shown.

    Raises:
        AccountError: there is no usable master key, or none opens it.
    """
    from cryptography.fernet import InvalidToken

    sealed = connection.scalar(statement("accounts/get_hash_key"))
    if sealed is None:
        fresh = sealer("").encrypt(secrets.token_bytes(_KEY_BYTES))
        connection.execute(statement("accounts/put_hash_key"), {"ciphertext": fresh})
        sealed = connection.scalar(statement("accounts/get_hash_key"))
    try:
        return sealer("").decrypt(bytes(sealed))
    except InvalidToken:
        raise AccountError(
            "No key in CRM_ENCRYPTION_KEYS opens the hash key of removals; add the key that sealed "
            "it: without it nobody can tell who is not to be processed."
        ) from None


def _master_keys() -> list[bytes]:
    chosen = settings()
    texts = [key.get_secret_value() for key in chosen.encryption_keys]
    if texts:
        return [
            _master_key(text, f"CRM_ENCRYPTION_KEYS: key {n}") for n, text in enumerate(texts, 1)
        ]
    if chosen.own_database_url:
        raise AccountError(
            "CRM_ENCRYPTION_KEYS is not set, and credentials are stored only encrypted; make a key "
            "with `crm-pipeline account new-key`, and keep it outside of the database."
        )
    file = chosen.data_dir / KEY_FILE
    return [_master_key(_kept_key(file), str(file))]


def _master_key(text: str, where: str) -> bytes:
    try:
        key = base64.urlsafe_b64decode(text)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise AccountError(
            f"{where} is not {_KEY_BYTES} bytes in url-safe base64; "
            "make one with `crm-pipeline account new-key`."
        )
    return key


def _kept_key(file: Path) -> str:
    """The key in the file; made at its first use, by whichever process comes first."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{KEY_FILE}.{os.getpid()}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600, exist_ok=False)
        draft.write_text(new_key(), encoding="ascii")
        try:
            os.link(draft, file)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_text(encoding="ascii").strip()
