"""Ctrl-C while a cycle runs."""

import os
import signal
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from sqlalchemy import Engine, text

from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.cli.test_process import COMMAND
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

ROWS = 1000


def cycle_of_many(pipeline: Engine, *then: str) -> "subprocess.Popen[str]":
    """A cycle of account acme with a batch for each row, and of others then; it has begun."""
    with pipeline.begin() as connection:
        for number in range(1, ROWS + 1):
            add_person(connection, number)
            register(connection, number, number)
    cycle = subprocess.Popen(
        [COMMAND, "cycle", "acme", *then],
        env=os.environ | {"CHUNK_ROWS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and state_of_acme(pipeline) != "Processing":
        time.sleep(0.02)
    return cycle


def state_of_acme(pipeline: Engine) -> str | None:
    found: str | None = one_value("SELECT state FROM crm.sync_state", pipeline)
    return found


def one_value(query: str, pipeline: Engine) -> Any:
    with pipeline.connect() as connection:
        return connection.scalar(text(query))


def test_the_first_one_ends_it_after_its_batch_and_the_next_cycle_goes_on(
    run: Run, org: Org, pipeline: Engine
):
    other = ("--client=c", "--name=Beta", "--login-url=http://127.0.0.1:1")
    run("account", "add", "beta", "--yes", *other, typed="a\nb\n")
    run("account", "activate", "beta", "--yes")
    cycle = cycle_of_many(pipeline, "beta")
    cycle.send_signal(signal.SIGINT)
    stdout, stderr = cycle.communicate(timeout=60)
    assert stderr == "Ctrl-C: ending after the batch that is under way; again ends at once.\n"
    assert cycle.returncode == 130
    assert "Stopped by an operator; the next cycle goes on" in stdout
    assert "Stopped before the cycle of beta: nothing was changed there." in stdout
    assert state_of_acme(pipeline) == "Paused"
    assert len(org.table("Lead").rows) < ROWS
    run("cycle", "acme")
    assert len(org.table("Lead").rows) == ROWS


def test_a_second_one_ends_it_at_once(org: Org, pipeline: Engine):
    cycle = cycle_of_many(pipeline)
    with pipeline.connect() as connection:
        # A batch that never ends.
        connection.execute(text("LOCK TABLE crm.source_position"))
        cycle.send_signal(signal.SIGINT)
        assert cycle.stderr is not None
        assert cycle.stderr.readline().startswith("Ctrl-C: ending after the batch")
        cycle.send_signal(signal.SIGINT)
        _, stderr = cycle.communicate(timeout=60)
    assert stderr.endswith("Stopped at once; the next cycle looks up what was under way.\n")
    assert cycle.returncode == 130


def test_whatever_waits_for_the_org_says_that_it_was_stopped(run: Run):
    main = threading.get_ident()
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor() as pool:
        url = f"--login-url=http://127.0.0.1:{silent.getsockname()[1]}"
        run("account", "add", "acme", "--client=c", "--name=A", "--yes", url, typed="a\nb\n")

        def stop_at_the_first_request() -> None:
            connection, _ = silent.accept()
            with connection:
                connection.recv(1)
                signal.pthread_kill(main, signal.SIGINT)

        stopping = pool.submit(stop_at_the_first_request)
        stopped = run("account", "test-login", "acme", fails=130)
        stopping.result(timeout=60)
    assert stopped.stderr == "Stopped.\n"


def test_a_plan_and_what_applies_one_say_by_their_status_that_they_were_stopped(
    run: Run, org: Org, server: LocalOrgServer, pipeline: Engine
):
    with pipeline.begin() as connection:
        add_person(connection, 1)
        register(connection, 1, 1)
    run("plan", "acme")
    plan_id = one_value("SELECT plan_id FROM crm.plan", pipeline)
    settings = {"latency_ms": 500}
    requests.post(f"{server.url_of('acme')}/_admin/settings", json=settings, timeout=60)
    main = threading.get_ident()

    def stop_once_it_works() -> None:
        while one_value("SELECT account_id FROM crm.held_account", pipeline) is None:
            time.sleep(0.01)
        signal.pthread_kill(main, signal.SIGINT)

    with ThreadPoolExecutor() as pool:
        for command, silent in ((["plan", "acme"], False), (["apply", "acme", plan_id], True)):
            stopping = pool.submit(stop_once_it_works)
            run(*command, *(["--yes"] if silent else []), fails=130, silent=silent)
            stopping.result(timeout=20)
    assert not org.table("Lead").rows
