"""The sample accounts' local orgs: one YAML file of all, with fresh secrets and known people."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Connection

from crm_pipeline.sample.accounts import SAMPLE_ACCOUNTS, SampleAccount
from crm_pipeline.sample.foreseen import audience, callers
from crm_pipeline.sample.known_people import known_callers, known_people

FILE = "orgs.yaml"


def write_orgs(connection: Connection, folder: Path) -> Path:
    """Writes the file of all sample orgs, readable for its owner only; they start anew.

    Args:
        connection: to the sample warehouse, whose people some orgs know.
        folder: where the file goes, the keys of the JWT logins, and later the orgs' records.

    Returns:
        The file, for `crm-pipeline org serve --config`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    orgs = [_org(connection, account, folder) for account in SAMPLE_ACCOUNTS]
    for account in SAMPLE_ACCOUNTS:
        _records_file(folder, account).unlink(missing_ok=True)
    draft = folder / f"{FILE}.new"
    draft.touch(mode=0o600)
    draft.write_text(
        yaml.safe_dump({"orgs": orgs}, allow_unicode=True, sort_keys=False), encoding="utf-8"
    )
    return draft.replace(folder / FILE)


def credentials(folder: Path) -> dict[str, dict[str, str]]:
    """Returns the credentials for each org, by account, in the form they are stored in."""
    orgs = yaml.safe_load((folder / FILE).read_text(encoding="utf-8"))["orgs"]
    by_name = {org["name"]: org for org in orgs}
    return {
        account.account_id: _credentials(account, by_name[account.account_id], folder)
        for account in SAMPLE_ACCOUNTS
    }


def _credentials(account: SampleAccount, org: Mapping[str, Any], folder: Path) -> dict[str, str]:
    user = org["users"][0]
    if account.login == "password":
        return {
            "method": "password",
            "username": user["username"],
            "password": "as it was last year" if account.wrong_password else user["password"],
            "security_token": user["security_token"],
        }
    app = org["connected_apps"][0]
    if account.login == "jwt":
        return {
            "method": "jwt",
            "client_id": app["client_id"],
            "username": user["username"],
            "private_key": _key_file(folder, account).read_text(encoding="ascii"),
        }
    return {
        "method": "client_credentials",
        "client_id": app["client_id"],
        "client_secret": app["client_secret"],
    }


def _org(connection: Connection, account: SampleAccount, folder: Path) -> dict[str, Any]:
    known = known_people(account, audience(connection, account).addresses)
    known_callers(known, callers(connection, account).numbers)
    username = f"integration@{account.account_id}.example"
    org: dict[str, Any] = {
        "name": account.account_id,
        "company": account.name,
        "users": [
            {
                "username": username,
                "password": secrets.token_urlsafe(12),
                "security_token": secrets.token_hex(12),
                "first_name": "Integration",
                "last_name": "User",
            }
        ],
        "file": _records_file(folder, account).name,
    }
    if account.login != "password":
        app = {"client_id": f"3MVG9{secrets.token_urlsafe(24)}", "run_as": username}
        if account.login == "jwt":
            app["certificate"] = _new_certificate(_key_file(folder, account))
        else:
            app["client_secret"] = secrets.token_hex(32)
        org["connected_apps"] = [app]
        org["logins"] = {"soap": False, "password_flow": False}
    if account.refused_addresses:
        org["validation_rules"] = [
            {
                "object": "Lead",
                "when": f'CONTAINS(LOWER(Email), "{account.refused_addresses}")',
                "error": "We do not talk to this company.",
                "field": "Email",
            }
        ]
    return {**org, **account.org, "records": known.records}


def _key_file(folder: Path, account: SampleAccount) -> Path:
    return folder / f"{account.account_id}.key"


def _records_file(folder: Path, account: SampleAccount) -> Path:
    return folder / f"{account.account_id}.org"


def _new_certificate(key_file: Path) -> str:
    """Makes a key, keeps it in the file, and returns the certificate that an org trusts."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    key_file.touch(mode=0o600)
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "crm-pipeline demo")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .sign(key, SHA256())
    )
    return certificate.public_bytes(Encoding.PEM).decode("ascii")
