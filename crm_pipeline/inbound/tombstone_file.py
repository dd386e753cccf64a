"""Tombstones outside of the database: a file that only grows, for when a backup is restored.

Each line is a tombstone that was set or lifted, written to the disk before that is committed; the
first one has the sealed key of the hashes. No line tells an address.
"""

import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import orjson
from sqlalchemy import Connection

from crm_pipeline.accounts.account import Account, AccountError
from crm_pipeline.accounts.credentials import hash_key, sealer
from crm_pipeline.database.statements import statement
from crm_pipeline.settings import settings

FILE = "tombstones.jsonl"

_OF_A_LINE = ({"hash_key"}, {"lost"}, {"account_id", "digest", "verb"})
"""What each line says; a file begins with one of the first two (`settings` looks at that)."""


def tombstone_file() -> Path:
    """Returns the file of this installation: TOMBSTONE_FILE, else one in the data folder."""
    chosen = settings()
    return chosen.tombstone_file or chosen.data_dir / FILE


def note(
    connection: Connection,
    account_id: str,
    digests: Collection[bytes],
    verb: Literal["suppress", "erase", "lift"],
) -> None:
    """Writes that tombstones are set or lifted, before the caller's transaction commits it.

    Raises:
        OSError: the file cannot be written: nothing may be promised then.
    """
    begin(connection)
    lines = [{"account_id": account_id, "digest": each.hex(), "verb": verb} for each in digests]
    _append(tombstone_file(), lines)


def begin(connection: Connection) -> None:
    """Begins the file where there is none: from the first key to the listener on it is there.

    Raises:
        OSError: it cannot be written.
    """
    file = tombstone_file()
    if not file.exists() or next(_lines(file), None) is None:
        hash_key(connection)
        sealed = connection.scalar(statement("accounts/get_hash_key"))
        _append(file, [{"hash_key": bytes(sealed).decode()}])


def say_lost(connection: Connection) -> Path:
    """Begins a file anew where the former one is lost; accounts run again without it.

    Args:
        connection: the pipeline's own database; the caller commits.

    Raises:
        AccountError: there is a file.
        OSError: it cannot be written.
    """
    file = tombstone_file()
    if file.exists():
        raise AccountError(f"{file} is there; it is read back by the next cycle of each account.")
    begin(connection)
    _append(file, [{"lost": True}])
    return file


def read_back(connection: Connection, account: Account) -> int:
    """Sets the account's tombstones that are in the file and not in the database any more.

    Within the caller's transaction.

    Returns:
        How many were set or lifted.

    Raises:
        AccountError: the file is gone, though there are tombstones or requests were taken; or it
            is of another installation, or has lines that are none of ours.
    """
    file = tombstone_file()
    if not file.exists():
        whose = {"account_id": account.account_id}
        if connection.scalar(statement("inbound/needs_tombstones"), whose):
            raise AccountError(
                f"Account {account.account_id}: the database may be an older copy, and {file} with "
                "the tombstones of removed people is not there; bring it back (TOMBSTONE_FILE), or "
                "say that it is lost: `crm-pipeline erasure lost`."
            )
        return 0
    wanted: dict[str, str] = {}
    for line in _lines(file):
        if "hash_key" in line:
            _take_key(connection, line["hash_key"], file)
        elif line.get("account_id") == account.account_id:
            wanted.pop(line["digest"], None)
            wanted[line["digest"]] = line["verb"]
    rows = [{"digest": digest, "verb": verb} for digest, verb in wanted.items()]
    if not rows:
        return 0
    parameters = {"account_id": account.account_id, "rows": orjson.dumps(rows).decode()}
    connection.execute(statement("inbound/lock_tombstones"), {"account_id": account.account_id})
    lifted = connection.execute(statement("inbound/lift_again"), parameters).rowcount
    return lifted + connection.execute(statement("inbound/bury_again"), parameters).rowcount


def _append(file: Path, lines: list[dict[str, Any]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    said = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    opened = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        end = os.lseek(opened, 0, os.SEEK_END)
        is_cut_off = end > 0 and os.pread(opened, 1, end - 1) != b"\n"
        os.write(opened, b"\n" + said if is_cut_off else said)
        os.fsync(opened)
    finally:
        os.close(opened)


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """Yields the lines of the file; one that a crash has cut off was never promised.

    Raises:
        AccountError: a whole line is none of ours.
    """
    with file.open("rb") as opened:
        for number, line in enumerate(opened, start=1):
            with suppress(orjson.JSONDecodeError):
                said = orjson.loads(line)
                if not isinstance(said, dict) or not any(map(said.keys().__ge__, _OF_A_LINE)):
                    raise AccountError(
                        f"Line {number} of {file} is no tombstone; bring the file back as it was "
                        "(TOMBSTONE_FILE), or say that it is lost once it is gone: "
                        "`crm-pipeline erasure lost`."
                    )
                yield said


def _take_key(connection: Connection, sealed: str, file: Path) -> None:
    """Takes the key of the hashes over where the database has none; else it has to be the same."""
    from cryptography.fernet import InvalidToken

    connection.execute(statement("accounts/put_hash_key"), {"ciphertext": sealed.encode()})
    ours = connection.scalar(statement("accounts/get_hash_key"))
    try:
        is_ours = sealer("").decrypt(bytes(ours)) == sealer("").decrypt(sealed.encode())
    except InvalidToken:
        is_ours = bytes(ours) == sealed.encode()
    if not is_ours:
        raise AccountError(
            f"{file} has the tombstones of another installation, or of a key that was lost; ask "
            "for support before anything runs."
        )
