"""Secrets in files, and by commands of secrets managers: each of them, and how each may fail."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from crm_pipeline import kept_elsewhere
from crm_pipeline.cli.mistakes import in_one_line
from crm_pipeline.settings import Settings, secret_settings, with_variables

URL = "postgresql://me:s3cret@db.example:5432/app"
GOOD = {
    "ALERT_WEBHOOK_SECRET": "s3cret of sixteen letters",
    "ALERT_WEBHOOK_URL": "https://hooks.example/s3cret",
    "CONSOLE_DATABASE_URL": URL,
    "CONSOLE_OIDC_CLIENT_SECRET": "s3cret",
    "CRM_ENCRYPTION_KEYS": "s3cret,s3cret2",
    "DAGSTER_DATABASE_URL": URL,
    "PIPELINE_DATABASE_URL": URL,
    "PLATFORM_SECRET": "s3cret of sixteen letters",
    "PLATFORM_URL": "https://platform.example/s3cret",
    "SMTP_URL": "smtps://me:s3cret@mail.example",
    "WAREHOUSE_URL": URL,
}
BESIDE = {
    "ALERT_EMAIL_TO": "ops@acme.example",
    "CONSOLE_OIDC_CLIENT_ID": "console",
    "CONSOLE_OIDC_ISSUER": "https://login.example",
    "CONSOLE_URL": "https://console.example",
    "CONSOLE_VIEWERS": "ops@acme.example",
}
"""Settings that some of these go together with."""


@pytest.fixture(autouse=True)
def _nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, field in Settings.model_fields.items():
        monkeypatch.delenv(field.alias or name.upper(), raising=False)


def plain(secret: object) -> str:
    several = secret if isinstance(secret, list) else [secret]
    return ",".join(each.get_secret_value() for each in several if isinstance(each, SecretStr))


def refusal() -> str:
    with pytest.raises(ValidationError) as refused:
        Settings()
    told = str(in_one_line(refused.value))
    assert "s3cret" not in told + str(refused.value)
    return told


def test_each_setting_that_is_a_secret_is_tried_here():
    assert set(GOOD) == set(secret_settings())


@pytest.mark.parametrize("form", kept_elsewhere.FORMS)
@pytest.mark.parametrize("by", ["the environment", ".env"])
def test_each_secret_may_be_kept_elsewhere(
    form: str, by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    said = dict(BESIDE)
    for name, secret in GOOD.items():
        file = tmp_path / name
        file.write_text(f"{secret}\n")
        said[f"{name}{form}"] = str(file) if form == "_FILE" else f'cat "{file}"'
    if by == ".env":
        (tmp_path / ".env").write_text("".join(f"{n}='{v}'\n" for n, v in said.items()))
    else:
        for name, value in said.items():
            monkeypatch.setenv(name, value)
    made = Settings()
    fields = {variable: field.lower() for variable, field in secret_settings().items()}
    fields["CRM_ENCRYPTION_KEYS"] = "encryption_keys"
    assert {name: plain(getattr(made, fields[name])) for name in GOOD} == GOOD
    assert "s3cret" not in repr(made)


def test_a_command_sees_what_env_says_and_asks_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / ".env").write_text("VAULT_ADDR=https://vault.example\n")
    monkeypatch.setenv(
        "ALERT_WEBHOOK_URL_COMMAND", """sh -c 'cat; echo "$VAULT_ADDR" | tr -d "\\n"'"""
    )
    found = Settings().alert_webhook_url
    assert found is not None
    assert found.get_secret_value() == "https://vault.example"


def test_commands_run_at_the_same_time(monkeypatch: pytest.MonkeyPatch):
    for name in ("WAREHOUSE_URL", "PIPELINE_DATABASE_URL", "DAGSTER_DATABASE_URL"):
        monkeypatch.setenv(f"{name}_COMMAND", f"sh -c 'sleep 0.4; echo {URL}'")
    began = time.monotonic()
    Settings()
    assert time.monotonic() - began < 1.1


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"WAREHOUSE_URL_FILE": "s3cret"}, "WAREHOUSE_URL_FILE: what it names cannot be used: No"),
        ({"WAREHOUSE_URL_FILE": "/"}, "WAREHOUSE_URL_FILE: what it names cannot be used: Is a"),
        ({"WAREHOUSE_URL_FILE": " "}, "WAREHOUSE_URL_FILE: it names no file"),
        ({"WAREHOUSE_URL_FILE": "/dev/null"}, "WAREHOUSE_URL_FILE: what it leads to is empty"),
        ({"WAREHOUSE_URL_FILE": "bytes"}, "WAREHOUSE_URL_FILE: what it leads to is no text"),
        ({"WAREHOUSE_URL_FILE": "word"}, "Setting WAREHOUSE_URL is impossible: it is no address"),
        ({"WAREHOUSE_URL_COMMAND": ""}, "WAREHOUSE_URL_COMMAND: it names no command"),
        ({"WAREHOUSE_URL_COMMAND": "echo 's3cret"}, "a quotation mark of it has no second one"),
        ({"WAREHOUSE_URL_COMMAND": "s3cret-tool x"}, "WAREHOUSE_URL_COMMAND: what it names cannot"),
        ({"WAREHOUSE_URL_COMMAND": "true"}, "WAREHOUSE_URL_COMMAND: what it leads to is empty"),
        (
            {"WAREHOUSE_URL_COMMAND": "sh -c 'echo s3cret; echo s3cret >&2; exit 7'"},
            "WAREHOUSE_URL_COMMAND: it ended with exit status 7; run it by hand to see why",
        ),
        ({"WAREHOUSE_URL_COMMAND": "echo s3cret"}, "Setting WAREHOUSE_URL is impossible: it is no"),
        (
            {"WAREHOUSE_URL": URL, "WAREHOUSE_URL_FILE": "word"},
            "WAREHOUSE_URL and WAREHOUSE_URL_FILE are set: one says what WAREHOUSE_URL is",
        ),
        (
            {"WAREHOUSE_URL_FILE": "word", "WAREHOUSE_URL_COMMAND": "true"},
            "WAREHOUSE_URL_FILE and WAREHOUSE_URL_COMMAND are set",
        ),
        ({"warehouse_url_command": "true"}, "WAREHOUSE_URL_COMMAND: what it leads to is empty"),
        ({"WAREHOUSE_URL_FIEL": "word"}, "did you mean WAREHOUSE_URL_FILE?"),
        (
            {"WAREHOUSE_TIMEZONE_FILE": "word"},
            "WAREHOUSE_TIMEZONE_FILE is no setting: WAREHOUSE_TIMEZONE is no secret",
        ),
    ],
)
def test_what_cannot_be_had_is_told_by_its_variable(
    said: dict[str, str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "bytes").write_bytes(b"s3cret\xff")
    (tmp_path / "word").write_text("s3cret")
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    assert told in refusal()


def test_a_command_that_does_not_end_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kept_elsewhere, "_SECONDS", 0.2)
    monkeypatch.setenv("WAREHOUSE_URL_COMMAND", "sleep 20")
    assert "WAREHOUSE_URL_COMMAND: it did not end within 0.2 seconds" in refusal()


def test_nothing_is_asked_for_before_settings_are(tmp_path: Path):
    """Neither on import, nor for help."""
    mark = tmp_path / "asked"
    program = "from crm_pipeline.cli.app import app; import crm_pipeline.cadence.chunk"
    subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"WAREHOUSE_URL_COMMAND": f"touch {mark}"},
        check=True,
        timeout=60,
    )
    assert not mark.exists()


def test_variables_of_other_files_may_be_kept_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "token").write_text("s3cret\n")
    monkeypatch.setenv("SLACK_TOKEN_FILE", str(tmp_path / "token"))
    assert with_variables("slack://${SLACK_TOKEN}/$$") == "slack://s3cret/$"
    monkeypatch.delenv("SLACK_TOKEN_FILE")
    with pytest.raises(ValueError, match="there is no variable SLACK_TOKEN"):
        with_variables("slack://${SLACK_TOKEN}")
