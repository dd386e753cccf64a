"""`make versions FROM=…`: a former version goes on beside this one while processes are restarted.

The former one is taken from the repository's history. It made the database and delivered; this one
migrates it; then cycles of both take turns with the same accounts, and run at once.
"""

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from crm_pipeline.database.embedded import EmbeddedPostgres
from crm_pipeline.database.migrations import migrate
from crm_pipeline.local_org.config import dev_org
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.settings import PROJECT
from crm_pipeline_tests.databases import settings_of
from crm_pipeline_tests.flows.webinars.warehouse import CLIENT, add_person, add_sessions, register

FROM = "FORMER_VERSION"
ACCOUNTS = ("acme", "beta")
ROUNDS = 6

_START = """
import sys
import crm_pipeline
from crm_pipeline.cli import main
print(crm_pipeline.__file__, file=sys.stderr)
main()
"""


class Version:
    """The commands of one version of the package."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def says(self, *words: str) -> str:
        """Runs a command that must succeed; returns what it says."""
        done = subprocess.run(
            [sys.executable, "-c", _START, *words],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert str(self.folder / "crm_pipeline") in done.stderr, "it is another version's"
        return done.stdout


@pytest.fixture
def former(tmp_path: Path) -> Version:
    commit = os.environ[FROM]
    archive = subprocess.run(
        ["git", "archive", commit, "crm_pipeline", "sql", "pyproject.toml"],
        cwd=PROJECT,
        check=True,
        capture_output=True,
    ).stdout
    folder = tmp_path / "former"
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return Version(folder)


@pytest.fixture
def empty(postgres: EmbeddedPostgres, tmp_path: Path) -> Iterator[Engine]:
    """A database that no version has migrated, which the settings of all processes point at."""
    name = f"versions_{os.getpid()}"
    url = postgres.url(name)
    address = url.render_as_string(hide_password=False)
    names = ("WAREHOUSE_URL", "PIPELINE_DATABASE_URL", "DAGSTER_DATABASE_URL")
    credentials = {"SALESFORCE_CLIENT_ID": "dev", "SALESFORCE_CLIENT_SECRET": "secret"}
    with settings_of(
        **dict.fromkeys(names, address),
        **credentials,
        CRM_ENCRYPTION_KEYS=Fernet.generate_key().decode(),
        CRM_PIPELINE_DATA_DIR=str(tmp_path / "data"),
    ):
        yield create_engine(url, poolclass=NullPool)


def test_both_deliver_all_once(former: Version, empty: Engine) -> None:
    now = Version(PROJECT)
    people = 0

    def news() -> None:
        nonlocal people
        with empty.begin() as connection:
            for _ in range(3):
                people += 1
                add_person(connection, people)
                register(connection, people, people, minute=people)

    migrate(empty, "warehouse")
    with empty.begin() as connection:
        add_sessions(connection, 1)
    news()
    with (
        LocalOrgServer(
            *(dev_org().model_copy(update={"name": each}) for each in ACCOUNTS)
        ) as server,
        empty.connect() as connection,
    ):
        for each in ACCOUNTS:
            of_it = ("--client", CLIENT, "--name", each, "--login-url", server.url_of(each))
            former.says("account", "add", each, *of_it)
            former.says("account", "activate", each, "--yes")
            former.says("cycle", each)
        now.says("migrate")
        with ThreadPoolExecutor(len(ACCOUNTS)) as side_by_side:
            for turn in range(ROUNDS):
                news()
                versions = (former, now) if turn % 2 else (now, former)
                cycles = [
                    side_by_side.submit(version.says, "cycle", account)
                    for version, account in zip(versions, ACCOUNTS, strict=True)
                ]
                for cycle in cycles:
                    cycle.result()
        states = [version.says("state", "--json") for version in (former, now)]
        assert all('"Failed"' not in said for said in states)
        for each in ACCOUNTS:
            told = server.org(each)
            leads = [r for r in told.table("Lead").rows.values() if not r["IsDeleted"]]
            events = [r for r in told.table("Event").rows.values() if not r["IsDeleted"]]
            assert len(leads) == len({lead["Email"] for lead in leads}) == people
            assert sorted(e["WhoId"] for e in events) == sorted(lead["Id"] for lead in leads)
        left = text("SELECT count(*) FROM crm.operation WHERE state <> 'done'")
        assert connection.scalar(left) == 0
