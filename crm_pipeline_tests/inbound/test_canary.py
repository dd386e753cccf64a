"""A whole run, Dagster and listener and all: no file and no table keeps a canary's address or key,
and no alert, receipt or command tells it.

The server's log has the text of every statement, as pg_stat_statements would: without parameters.
"""

import json
from collections.abc import Iterator
from http.server import HTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import requests
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from crm_pipeline.alerts.watch import watch
from crm_pipeline.cadence.cycle_runs import CYCLE_JOB, CYCLE_OP
from crm_pipeline.cli.app import app
from crm_pipeline.database.embedded import EmbeddedPostgres, free_port
from crm_pipeline.definitions import defs
from crm_pipeline.inbound.compacting import compact
from crm_pipeline.inbound.keys import make_key
from crm_pipeline.inbound.scanning import places_of
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline.settings import settings
from crm_pipeline_tests.alerts.test_watch import Webhook, serving
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, account_of
from crm_pipeline_tests.dagster_instances import instance_at
from crm_pipeline_tests.databases import fresh_pipeline, make_migrated
from crm_pipeline_tests.flows.webinars.warehouse import (
    add_person,
    add_sessions,
    attend,
    chat,
    register,
)
from crm_pipeline_tests.inbound.test_compacting import files_with
from crm_pipeline_tests.listener.conftest import INBOUND
from crm_pipeline_tests.listener.test_killed import listening

CANARY = "canary-7f3b@example.com"
TALKATIVE = {
    "fsync": "off",
    "log_statement": "all",
    "log_min_messages": "debug1",
    "log_parameter_max_length": "0",
}

pytestmark = pytest.mark.waits


@pytest.fixture
def database(server_folder: Path) -> Iterator[Engine]:
    server = EmbeddedPostgres(server_folder, TALKATIVE)
    make_migrated(server, server_folder)
    with fresh_pipeline(server, server_folder / "data") as engine:
        yield engine
    server.stop()


def a_cycle(instance: dg.DagsterInstance) -> None:
    config = {"ops": {CYCLE_OP: {"config": {"account_ids": [ACCOUNT]}}}}
    job = defs.resolve_job_def(CYCLE_JOB)
    assert job.execute_in_process(instance=instance, run_config=config).success


@pytest.fixture
def alerts(database: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What was posted of alerts, each body as it came."""
    Webhook.received, Webhook.answer = [], 200
    server = HTTPServer(("127.0.0.1", 0), Webhook)
    monkeypatch.setenv("ALERT_WEBHOOK_URL", f"http://127.0.0.1:{server.server_port}/hook")
    settings.cache_clear()
    with serving(server):
        yield Webhook.received


def commands(database: Engine, exports: Path) -> Iterator[str]:
    """What the commands say that show, or write, something of the account."""
    with database.connect() as connection:
        blotted = connection.scalar(
            text("SELECT operation_id FROM crm.operation WHERE intent::text LIKE '%[removed]%'")
        )
    states = [f"--state={each}" for each in ("done", "rejected", "dropped", "superseded")]
    for said in (
        ("account", "show", ACCOUNT),
        ("account", "list"),
        ("operations", "list", ACCOUNT, *states, "--limit=1000"),
        ("operations", "show", str(blotted)),
        ("conflict", "list", ACCOUNT),
        ("listener", "show", ACCOUNT),
        ("listener", "key", "list", ACCOUNT),
        (
            "listener",
            "salesforce-project",
            "gdpr",
            "--url=https://x.example",
            f"--folder={exports}",
        ),
        ("erasure", "scan", "--erased"),
    ):
        done = CliRunner().invoke(app, said, prog_name="crm-pipeline")
        assert done.exit_code == 0, done.output
        yield done.output


@pytest.mark.deep
def test_nothing_keeps_the_address_or_the_key(
    database: Engine, server_folder: Path, alerts: list[Any]
) -> None:
    with (
        LocalOrgServer({"name": ACCOUNT, **ORG}) as org,
        instance_at(server_folder / "home") as instance,
    ):
        with database.connect() as connection:
            account_of(connection, org, ACCOUNT, inbound={**INBOUND, "keys_in_query": True})
            key = make_key(connection, ACCOUNT)
            add_sessions(connection, 1)
            for person, address in ((1, CANARY), (2, None)):
                add_person(connection, person, address)
                register(connection, person, person)
                attend(connection, person, person)
            chat(connection, 2, 2, f"Write to {CANARY}")
            # Somebody whom the org refuses: a reason is kept of that.
            connection.execute(
                text("UPDATE warehouse.person SET country_code = 'Atlantis' WHERE person_id = 1")
            )
            connection.commit()
        a_cycle(instance)
        assert "exhausted retries" in {each.cause for each in watch()}
        with database.begin() as connection:
            connection.execute(text("ANALYZE"))
        assert "pg_stats" in {place for place, _ in places_of(database, CANARY)}
        port = free_port(8470)
        url = f"http://127.0.0.1:{port}/api/v1"
        with listening(port, server_folder / "listener.log"):
            for path, status in (
                (f"externalSources/bugs?apiKey={key}", 202),
                (f"userData/plan?find={CANARY}&apiKey={key}", 422),
                (f"externalSources/none/{CANARY}?apiKey={key}", 404),
                (f"userMacroListeners/gdpr?find={CANARY}&find={CANARY}&apiKey={key}", 400),
                (f"userMacroListeners/gdpr?find={CANARY}&apiKey={key}x", 401),
                (f"userMacroListeners/gdpr?find={CANARY}&apiKey={key}", 202),
            ):
                said = {"Subject": f"From {CANARY}", "Email": CANARY}
                answer = requests.post(f"{url}/{path}", json=said, timeout=30)
                assert answer.status_code == status, answer.text
                assert CANARY not in answer.text
            a_cycle(instance)
            watch()
            receipt = requests.get(
                f"http://127.0.0.1:{port}/requests/{answer.json()['id']}",
                headers={"X-API-Key": key},
                timeout=30,
            )
        assert receipt.json()["receipt"]["places"]
        shown = [receipt.text, json.dumps(alerts), *commands(database, server_folder / "exports")]
        # Where a table broke a line is of no matter.
        squeezed = "".join("".join(shown).split())
        assert "exhaustedretries" in squeezed
        assert "[removed]" in squeezed
        assert CANARY.partition("@")[0] not in squeezed
        assert key not in squeezed
        assert list(places_of(database, CANARY)) == []
        assert list(places_of(database, key)) == []
    with database.connect() as connection:
        # What the warehouse has is the platform's.
        own = connection.execution_options(isolation_level="AUTOCOMMIT")
        for table in ("person", "chat_message"):
            own.execute(text(f"TRUNCATE warehouse.{table}"))
            statistics = f"DELETE FROM pg_statistic WHERE starelid = 'warehouse.{table}'::regclass"
            own.execute(text(statistics))
    list(compact(database))
    assert files_with(server_folder, CANARY) == []
    assert files_with(server_folder, key) == []
    assert files_with(server_folder, "canary-7f3b%40") == []
    logged = (server_folder / "listener.log").read_text(encoding="utf-8")
    assert "userMacroListeners/{name} acme 202" in logged
    asked = (server_folder / "postgres.log").read_text(encoding="utf-8")
    assert "DELETE FROM crm.person" in asked, "the server's log has what it was asked"
