"""What `deploy/` says: its files fit their schemas, our commands and settings; the launcher."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from celery.contrib.testing.worker import start_worker
from dagster import DagsterInstance, DagsterRun
from dagster._core.launcher import WorkerStatus
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG
from sqlalchemy import Engine

from crm_pipeline.cli.app import app
from crm_pipeline.fleet import launcher as module
from crm_pipeline.fleet.launcher import WatchedCeleryRunLauncher
from crm_pipeline.settings import PROJECT, Settings
from crm_pipeline_tests.dagster_instances import make_home

DEPLOY = PROJECT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
KUBERNETES = [
    each
    for file in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for each in yaml.safe_load_all(file.read_text(encoding="utf-8"))
]
BROKER = {"CELERY_BROKER_URL": "memory://", "CELERY_RESULT_BACKEND": "cache+memory://"}


def everything(value: Any) -> Iterator[tuple[str, Any]]:
    """All keys with their values, at every depth."""
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        yield str(key), each
        if isinstance(each, (dict, list)):
            yield from everything(each)


def test_the_compose_file_fits_the_specification():
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    subprocess.run([*check, str(DEPLOY / "compose.yaml")], check=True)


def test_compose_sets_nothing_that_nobody_reads():
    known = {(field.alias or name).upper() for name, field in Settings.model_fields.items()}
    for name, service in COMPOSE["services"].items():
        if service.get("image", "").startswith("crm-pipeline"):
            assert set(service["environment"]) - known == {"DAGSTER_HOME", *BROKER}, name


@pytest.mark.parametrize(
    "command",
    [
        command
        for where in (COMPOSE["services"], KUBERNETES)
        for key, command in everything(where)
        if key == "command" and command[0] == "crm-pipeline"
    ],
    ids=" ".join,
)
def test_every_command_of_ours_exists(command: list[str]):
    found: Any = typer.main.get_command(app)
    words = command[1:]
    while words and hasattr(found, "commands"):
        found = found.commands[words.pop(0)]
    options = {option for each in found.params for option in each.opts}
    assert {word for word in words if word.startswith("--")} <= options


def test_the_image_copies_what_its_context_has():
    kept = re.findall(
        r"^!(.+)$", (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [each for each in kept if not (PROJECT / each).exists()] == []
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    (copied,) = re.findall(r"^COPY (?!--from|\. )(.+) \./$", dockerfile, re.MULTILINE)
    assert set(copied.split()) <= set(kept)
    (user,) = re.findall(r"^USER (.+)$", dockerfile, re.MULTILINE)
    assert user == "10001:10001"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pipeline: Engine) -> Path:
    """A DAGSTER_HOME with workers, made as the image makes it."""
    made = make_home(tmp_path / "home")
    with (made / "dagster.yaml").open("a", encoding="utf-8") as file:
        file.write((DEPLOY / "celery.yaml").read_text(encoding="utf-8"))
    for name, value in BROKER.items():
        monkeypatch.setenv(name, value)
    return made


def test_a_worker_takes_runs_from_the_launchers_broker(home: Path):
    shown = "from crm_pipeline.fleet.worker import app; print(app.conf.broker_url, *app.tasks)"
    done = subprocess.run(
        [sys.executable, "-c", shown],
        env={**os.environ, "DAGSTER_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    broker, *tasks = done.stdout.split()
    assert broker == BROKER["CELERY_BROKER_URL"]
    assert {"execute_job", "resume_job"} <= set(tasks)


@pytest.mark.deep
def test_a_run_has_failed_when_no_worker_is_at_it_any_more(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    with DagsterInstance.from_config(str(home)) as instance:
        launcher = instance.run_launcher
        assert isinstance(launcher, WatchedCeleryRunLauncher)
        monkeypatch.setattr(module, "_ASK_SECONDS", 0)
        monkeypatch.setattr(module, "_ANSWER_SECONDS", 1.5)
        begun, may_end = threading.Event(), threading.Event()

        def long() -> None:
            begun.set()
            may_end.wait()

        task = launcher.celery.task(long, track_started=True)
        with start_worker(launcher.celery, perform_ping_check=False, pool="threads"):
            sent = task.apply_async()
            run = DagsterRun("cycle", tags={DAGSTER_CELERY_TASK_ID_TAG: sent.id})
            assert begun.wait(20)
            monkeypatch.setattr(module, "PATIENCE_SECONDS", 0)
            # Redis was emptied: the worker is believed, which is at it.
            sent.forget()
            assert launcher.check_run_worker_health(run).status == WorkerStatus.RUNNING
            may_end.set()

        monkeypatch.setattr(module, "PATIENCE_SECONDS", 60)
        assert launcher.check_run_worker_health(run).status == WorkerStatus.RUNNING
        monkeypatch.setattr(module, "PATIENCE_SECONDS", 0)
        told = launcher.check_run_worker_health(run)
        assert told.status == WorkerStatus.FAILED
        assert "No worker has been at this run" in str(told.msg)
