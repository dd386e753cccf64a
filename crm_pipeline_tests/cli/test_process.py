"""The command as a process of its own, as a shell starts it."""

import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from sqlalchemy import Engine

from crm_pipeline.source_platform.http import HttpPlatform
from crm_pipeline.source_platform.messages import Message
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.databases import settings_of

ADD = (
    "account",
    "add",
    "acme",
    "--client=c",
    "--name=n",
    "--yes",
    "--login-url=https://a.my.salesforce.com",
)

COMMAND = Path(sys.executable).parent / "crm-pipeline"


def crm_pipeline(
    *arguments: str, environment: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [COMMAND, *arguments],
        env=os.environ | (environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(("closed", "status"), [("<&-", 1), (">&- 2>&-", 0)])
def test_a_closed_stream_is_no_mistake(run: Run, acme: str, closed: str, status: int):
    """It was an AttributeError."""
    asks = "account add b --client=b --name=B --login-url=https://b.my.salesforce.com"
    ended = subprocess.run(
        ["/bin/sh", "-c", f"{COMMAND} {asks if status else 'account list'} {closed}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == status
    assert ("nobody can be asked here" in ended.stderr) is bool(status)


def test_help_loads_nothing_heavy(tmp_path: Path):
    program = (
        "import sys\n"
        "from crm_pipeline.cli import main\n"
        "sys.argv[1:] = ['--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'sqlalchemy', 'pydantic', 'pandas', 'simple_salesforce', 'dagster', 'requests',"
        " 'cryptography', 'starlette', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert told.stdout.splitlines()[-1] == "[]"


@pytest.mark.deep
@pytest.mark.parametrize("command", [["org", "serve", "--port", "0"], ["demo", "--once"]])
def test_local_orgs_that_are_not_installed_are_told_in_one_line(command: list[str]):
    program = (
        "import sys\n"
        "from crm_pipeline.cli import main\n"
        "sys.modules['lark'] = None\n"
        f"sys.argv[1:] = {command}\n"
        "main()\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert told.returncode == 1
    assert told.stdout == ""
    assert told.stderr == (
        "Local orgs: lark is not installed; pip install 'crm-pipeline[local-org]'.\n"
    )


@pytest.mark.deep
def test_a_command_whose_output_nobody_reads_does_its_work_all_the_same(run: Run):
    """It died of the broken pipe, and `account add … | head -1` had added nothing."""
    reads, writes = os.pipe()
    os.close(reads)
    credentials = {"SALESFORCE_CLIENT_ID": "x", "SALESFORCE_CLIENT_SECRET": "s3cret"}
    for command in (ADD, ("account", "show", "acme"), ("state",)):
        ended = subprocess.run(
            [COMMAND, *command],
            env=os.environ | credentials,
            stdin=subprocess.DEVNULL,
            stdout=writes,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
        assert (ended.returncode, ended.stderr) == (0, ""), command
    os.close(writes)
    assert "acme" in run("account", "list").stdout


def test_clients_without_a_warehouse_are_told_how_to_get_a_sample(
    server_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """The extract was blamed, which has nothing to do with it."""
    for setting in ("WAREHOUSE_URL", "PIPELINE_DATABASE_URL"):
        monkeypatch.delenv(setting, raising=False)
    told = crm_pipeline(
        "account", "clients", environment={"CRM_PIPELINE_DATA_DIR": str(server_folder)}
    )
    assert (told.returncode, told.stdout) == (1, "")
    assert "The embedded PostgreSQL has no warehouse" in told.stderr
    assert "`crm-pipeline sample create`" in told.stderr


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("ACCOUNTS_PER_RUN", "Input should be less than or equal to 250"),
        ("CYCLE_MINUTES", "the minutes must divide 60"),
    ],
)
def test_an_impossible_setting_is_named_without_its_value(run: Run, setting: str, why: str):
    with settings_of(**{setting: "4711" if "RUN" in setting else "37"}):
        told = run("state", fails=1).stderr
    assert told.startswith(f"Setting {setting} is impossible: {why}")
    assert "4711" not in told


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("postgresql://u:s3cret@127.0.0.1:1/none", "The database refuses: connection"),
        ("mysql://u:s3cret@127.0.0.1/none", "only postgresql://"),
        ("s3cret", "is no address"),
    ],
)
def test_a_database_that_is_not_there_is_told_without_its_password(
    run: Run, address: str, told: str
):
    with settings_of(PIPELINE_DATABASE_URL=address):
        said = run("state", fails=1).stderr
    assert told in said
    assert "s3cret" not in said


@pytest.mark.deep
def test_a_full_disk_is_told_in_one_line(pipeline: Engine):
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        result = subprocess.run(
            [COMMAND, "account", "list"],
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert result.returncode == 1
    assert result.stderr == "Nothing more can be written: no space is left where it goes.\n"


@pytest.mark.deep
def test_credentials_come_from_the_environment_where_nobody_can_type(pipeline: Engine):
    refused = crm_pipeline(*ADD)
    assert refused.returncode == 1
    assert "Client id is missing: type it, set SALESFORCE_CLIENT_ID" in refused.stderr
    added = crm_pipeline(
        *ADD, environment={"SALESFORCE_CLIENT_ID": "x", "SALESFORCE_CLIENT_SECRET": "s3cret"}
    )
    assert added.returncode == 0, added.stderr
    assert "s3cret" not in added.stdout


def test_a_local_org_is_served_until_ctrl_c(tmp_path: Path):
    config = tmp_path / "orgs.yaml"
    config.write_text("orgs: [{name: acme}, {name: beta}]")
    server = subprocess.Popen(
        [COMMAND, "org", "serve", "--port=0", f"--config={config}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        assert server.stdout
        address = re.search(r"http://\S+/acme", server.stdout.readline())
        assert address
        assert "/beta" in server.stdout.readline()
        versions = _once_it_answers(f"{address[0]}/services/data")
        assert versions[-1]["url"].startswith("/services/data/v")
    finally:
        server.send_signal(signal.SIGINT)
        _, stderr = server.communicate(timeout=60)
    assert "Traceback" not in stderr
    assert server.returncode in {0, 130}


@pytest.mark.deep
def test_a_local_platform_is_served_with_the_settings_for_it(tmp_path: Path):
    server = subprocess.Popen(
        [COMMAND, "platform", "serve", "--port=0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        assert server.stdout
        address = re.search(r"PLATFORM_URL=(http://\S+)/messages", server.stdout.readline())
        secret = re.search(r"PLATFORM_SECRET=(\S+)", server.stdout.readline())
        assert address
        assert secret
        told = Message("an id", "client", "levels", "badge:1", 1, datetime.now(UTC), {"level": 1})
        platform = HttpPlatform(f"{address[1]}/messages", secret[1], read_timeout=20)
        [[answer]] = list(platform.send([told]))
        assert answer.status == "taken"
        page = requests.get(f"{address[1]}/", timeout=30)
        assert page.status_code == 200
    finally:
        server.send_signal(signal.SIGINT)
        _, stderr = server.communicate(timeout=60)
    assert "Traceback" not in stderr
    assert server.returncode in {0, 130}


def _once_it_answers(address: str) -> list[dict[str, str]]:
    deadline = time.monotonic() + 60
    while True:
        try:
            versions: list[dict[str, str]] = requests.get(address, timeout=30).json()
        except requests.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return versions
