"""drt-core and CumulusCI: their environments, and their projects as a user would write them."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy.engine import make_url

from benchmarks.processes import ProgramError
from benchmarks.programs.plainly import LEAD_FIELDS, activity, lead, registrations
from benchmarks.task import Task

REQUIREMENTS = {"drt": "drt-core[postgres]==1.2.*", "cumulusci": "cumulusci==4.10.*"}
"""Packages to be installed, each into an environment of its own."""

_PROJECTS = Path(__file__).with_name("projects")
_EVENT_FIELDS = ("Subject", "ActivityDate", "ActivityDateTime", "DurationInMinutes")


def environment(folder: Path, name: str) -> Path:
    """The Python of a foreign program's environment, which is made when missing.

    Raises:
        ProgramError: it can't be installed; the text has pip's last lines.
    """
    home = folder / "environments" / name
    home.parent.mkdir(parents=True, exist_ok=True)
    python = home / "bin" / "python"
    done = home / "installed"
    if not done.exists() or done.read_text(encoding="utf-8") != REQUIREMENTS[name]:
        _say_nothing([sys.executable, "-m", "venv", "--clear", home], home.parent)
        pip: list[str | Path] = [python, "-m", "pip", "install", "--disable-pip-version-check"]
        _say_nothing([*pip, REQUIREMENTS[name]], home)
        done.write_text(REQUIREMENTS[name], encoding="utf-8")
    return python


def _say_nothing(command: list[str | Path], folder: Path) -> None:
    did = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if did.returncode:
        lines = (did.stdout + did.stderr).splitlines()[-10:]
        raise ProgramError("\n".join([f"{command[-1]} can't be installed:", *lines]))


def write_drt_project(task: Task) -> dict[str, str]:
    """Writes drt-core's project into the task's folder; returns the environment that it needs."""
    folder = Path(task.folder)
    shutil.copytree(_PROJECTS / "drt", folder, dirs_exist_ok=True)
    database = make_url(task.database_url)
    warehouse = {
        "type": "postgres",
        "host": database.host,
        "port": database.port,
        "dbname": database.database,
        "user": database.username,
        "password_env": "PG_PASSWORD",
    }
    profiles = folder / ".drt" / "profiles.yml"
    profiles.parent.mkdir(exist_ok=True)
    profiles.write_text(yaml.safe_dump({"warehouse": warehouse}), encoding="utf-8")
    return {
        "HOME": str(folder),
        "DO_NOT_TRACK": "1",
        "PG_PASSWORD": str(database.password),
        "SF_INSTANCE_URL": task.org_url,
        "SF_CLIENT_ID": task.client_id,
        "SF_CLIENT_SECRET": task.client_secret,
        "SF_USERNAME": task.username,
        "SF_PASSWORD": task.password + task.security_token,
    }


def write_cumulusci_project(task: Task) -> dict[str, str]:
    """Writes CumulusCI's project and data set; returns the environment that it needs."""
    folder = Path(task.folder)
    shutil.copytree(_PROJECTS / "cumulusci", folder, dirs_exist_ok=True)
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", folder], check=True)
    _write_dataset(task, folder / "dataset.db")
    # It asks the package index for its newest version unless it did so within the hour.
    stamp = folder / ".cumulusci" / "cumulus_timestamp"
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text("99999999999", encoding="utf-8")
    return {
        "HOME": str(folder),
        "CUMULUSCI_KEY": "0123456789ABCDEF",
        "CUMULUSCI_DISABLE_REFRESH": "1",
    }


def _write_dataset(task: Task, file: Path) -> None:
    file.unlink(missing_ok=True)
    database = sqlite3.connect(file)
    _create(database, "Lead", LEAD_FIELDS)
    _create(database, "Event", (*_EVENT_FIELDS, "lead_id"))
    for row in registrations(task):
        key = f"Lead-{row['registration_id']}"
        _insert(database, "Lead", {"id": key, **lead(row)})
        event = {field: activity(row, "")[field] for field in _EVENT_FIELDS}
        _insert(database, "Event", {"id": key.replace("Lead", "Event"), **event, "lead_id": key})
    database.commit()
    database.close()


def _create(database: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> None:
    declared = ", ".join(f'"{column}" TEXT' for column in columns)
    database.execute(f'CREATE TABLE "{table}" (id TEXT PRIMARY KEY, {declared})')


def _insert(database: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    columns = ", ".join(f'"{column}"' for column in row)
    places = ", ".join("?" for _ in row)
    database.execute(f'INSERT INTO "{table}" ({columns}) VALUES ({places})', tuple(row.values()))
