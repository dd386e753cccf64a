import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from crm_pipeline.accounts.credentials import new_key, read_credentials
from crm_pipeline.salesforce.credentials import (
    ClientCredentials,
    Credentials,
    JwtBearer,
    PasswordToken,
)
from crm_pipeline.settings import settings
from crm_pipeline_tests.cli.conftest import Run

PEM = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"


def stored(pipeline: Engine) -> Credentials:
    with pipeline.connect() as connection:
        return read_credentials(connection, "acme")


def test_credentials_are_typed(run: Run, acme: str, pipeline: Engine):
    run("account", "credentials", acme, "--method=password", typed="api@acme.example\npw\ntoken\n")
    assert stored(pipeline) == PasswordToken(
        username="api@acme.example", password="pw", security_token="token"
    )


def test_a_security_token_may_be_left_empty(run: Run, acme: str, pipeline: Engine):
    run("account", "credentials", acme, "--method=password", typed="api@acme.example\npw\n\n")
    assert stored(pipeline) == PasswordToken(username="api@acme.example", password="pw")


def test_credentials_come_from_the_environment(
    run: Run, acme: str, pipeline: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    key = tmp_path / "key.pem"
    key.write_text(PEM)
    monkeypatch.setenv("SALESFORCE_CLIENT_ID", "3MVG9")
    monkeypatch.setenv("SALESFORCE_USERNAME", "api@acme.example")
    monkeypatch.setenv("SALESFORCE_PRIVATE_KEY_FILE", str(key))
    run("account", "credentials", acme, "--method=jwt")
    assert stored(pipeline) == JwtBearer(
        client_id="3MVG9", username="api@acme.example", private_key=PEM.strip()
    )


def test_credentials_come_from_a_secrets_manager(
    run: Run, acme: str, pipeline: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SALESFORCE_CLIENT_ID", "3MVG9")
    monkeypatch.setenv("SALESFORCE_CLIENT_SECRET_COMMAND", "false s3cret")
    refused = run("account", "credentials", acme, fails=1)
    assert "SALESFORCE_CLIENT_SECRET_COMMAND: it ended with exit status 1" in refused.output
    assert "s3cret" not in refused.output
    monkeypatch.setenv("SALESFORCE_CLIENT_SECRET_COMMAND", "echo s3cret")
    run("account", "credentials", acme)
    assert stored(pipeline) == ClientCredentials(client_id="3MVG9", client_secret="s3cret")


@pytest.mark.parametrize("ending", ["json", "yaml"])
def test_credentials_come_from_a_file(
    run: Run, acme: str, pipeline: Engine, tmp_path: Path, ending: str
):
    values = {"method": "client_credentials", "client_id": "3MVG9", "client_secret": "other"}
    file = tmp_path / f"acme.{ending}"
    file.write_text(
        json.dumps(values)
        if ending == "json"
        else "\n".join(f"{name}: {value}" for name, value in values.items())
    )
    run("account", "credentials", acme, f"--credentials-file={file}")
    assert stored(pipeline) == ClientCredentials(client_id="3MVG9", client_secret="other")


def test_a_file_that_says_no_method_is_of_the_one_that_was_typed(
    run: Run, acme: str, pipeline: Engine, tmp_path: Path
):
    file = tmp_path / "acme.yaml"
    file.write_text("{client_id: 123, client_secret: 0045}")
    run("account", "credentials", acme, f"--credentials-file={file}")
    assert stored(pipeline) == ClientCredentials(client_id="123", client_secret="0045")
    file.write_text("{username: a@b.c, password: pw}")
    run("account", "credentials", acme, f"--credentials-file={file}", "--method=password")
    assert stored(pipeline) == PasswordToken(username="a@b.c", password="pw")


def test_a_file_may_name_the_private_key_s_own_file(
    run: Run, acme: str, pipeline: Engine, tmp_path: Path
):
    (tmp_path / "key.pem").write_text(PEM)
    file = tmp_path / "acme.yaml"
    file.write_text("{method: jwt, client_id: 3MVG9, username: a@b.c, private_key_file: key.pem}")
    run("account", "credentials", acme, f"--credentials-file={file}")
    assert stored(pipeline) == JwtBearer(client_id="3MVG9", username="a@b.c", private_key=PEM)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("method: client_credentials\nclient_id: x\n", "client_secret"),
        ("method: client_credentials\nclientid: x\nclient_secret: y\n", "client_id, clientid."),
        ("clientid: x\n", "check client_id, client_secret, clientid."),
        ("method: telepathy\n", "check method."),
        ("method: telepathy\n", "client_credentials with client_id, client_secret"),
        ("- s3cret\n", "holds no credentials"),
        ("{s3cret", "neither YAML nor JSON"),
        ("method: password\nusername: s3cret\npassword: {a: s3cret}\n", "password"),
        ("{method: jwt, client_id: s3cret, username: u, private_key_file: none}", "cannot be read"),
    ],
)
def test_a_bad_file_is_told_without_quoting_it(
    run: Run, acme: str, tmp_path: Path, content: str, told: str
):
    file = tmp_path / "acme.yaml"
    file.write_text(content)
    refused = run("account", "credentials", acme, f"--credentials-file={file}", fails=1)
    assert told in refused.output
    assert "s3cret" not in refused.output


def test_a_password_may_look_like_a_number_or_a_date(
    run: Run, acme: str, pipeline: Engine, tmp_path: Path
):
    file = tmp_path / "acme.yaml"
    file.write_text("{method: password, username: u, password: 0123, security_token: 2024-01-01}")
    run("account", "credentials", acme, f"--credentials-file={file}")
    assert stored(pipeline) == PasswordToken(
        username="u", password="0123", security_token="2024-01-01"
    )


def test_a_file_that_is_not_there_is_named(run: Run, acme: str):
    refused = run("account", "credentials", acme, "--credentials-file=/nowhere/x.yaml", fails=1)
    assert "/nowhere/x.yaml cannot be read" in refused.output


def test_what_is_missing_is_named_with_the_ways_to_give_it(run: Run, acme: str):
    result = run("account", "credentials", acme, "--method=password", typed="me\n", fails=1)
    assert "Password is missing: type it, set SALESFORCE_PASSWORD" in result.stderr


def test_no_option_takes_a_secret(run: Run):
    for command in ("add", "credentials"):
        options = run("account", command, "--help").output
        for secret in ("--password", "--client-secret", "--private-key", "--security-token"):
            assert secret not in options


def test_a_new_key_is_one_that_the_settings_take(
    run: Run, acme: str, pipeline: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CRM_ENCRYPTION_KEYS", run("account", "new-key").stdout.strip())
    settings.cache_clear()
    run("account", "credentials", acme, typed="3MVG9\nother\n")
    assert stored(pipeline) == ClientCredentials(client_id="3MVG9", client_secret="other")


def test_keys_rotate_by_command(
    run: Run, acme: str, pipeline: Engine, monkeypatch: pytest.MonkeyPatch
):
    old, new = settings().encryption_keys[0].get_secret_value(), new_key()
    for keys in (f"{new},{old}", new):
        monkeypatch.setenv("CRM_ENCRYPTION_KEYS", keys)
        settings.cache_clear()
        assert "credentials of 1 account" in run("account", "rotate-keys").stdout
    assert stored(pipeline) == ClientCredentials(client_id="3MVG9", client_secret="s3cret")


def test_accounts_that_no_key_opens_are_named_by_the_rotation(
    run: Run, acme: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CRM_ENCRYPTION_KEYS", new_key())
    settings.cache_clear()
    refused = run("account", "rotate-keys", fails=1)
    assert "No key opens the credentials of acme" in refused.output
