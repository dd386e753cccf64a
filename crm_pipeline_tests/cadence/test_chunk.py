"""The accounts of a run go through their cycles side by side."""

import pytest
import requests
from sqlalchemy import text

from crm_pipeline.cadence import chunk
from crm_pipeline.cadence.chunk import sync_accounts
from crm_pipeline.cycle.attempts import PipelineDatabaseError
from crm_pipeline.flows.registry import ALL_TOPICS
from crm_pipeline.local_org.server import LocalOrgServer
from crm_pipeline_tests.cycle.conftest import ORG, account_of
from crm_pipeline_tests.flows.webinars.warehouse import add_person, add_sessions, register


def accounts_with_a_registration(connection, orgs, *names: str) -> None:
    for number, name in enumerate(names, start=1):
        client = f"client-{name}"
        account_of(connection, orgs, name, client)
        add_sessions(connection, number, client=client)
        add_person(connection, number, client=client)
        register(connection, number, number, number, client=client)
    connection.commit()


def test_a_slow_org_delays_nobody_else(connection, monkeypatch):
    monkeypatch.setattr(chunk, "_TOGETHER_SECONDS", 0.05)
    names = ("slow", "b", "c", "d")
    with LocalOrgServer(*({"name": name, **ORG} for name in names)) as orgs:
        accounts_with_a_registration(connection, orgs, *names)
        faults = f"{orgs.url_of('slow')}/_admin/faults"
        hang = {"kind": "composite", "action": "hang", "seconds": 60}
        requests.post(faults, json=hang, timeout=30).raise_for_status()

        ended = []
        for reports in sync_accounts(names, run_id="run", steps=ALL_TOPICS):
            ended += [report.account_id for report in reports]
            if len(ended) == 3:
                requests.delete(faults, timeout=30).raise_for_status()

    assert sorted(ended[:3]) == ["b", "c", "d"]
    assert ended[3] == "slow"


def test_when_the_pipelines_database_fails_the_run_fails(connection):
    names = ("a", "b")
    with LocalOrgServer(*({"name": name, **ORG} for name in names)) as orgs:
        accounts_with_a_registration(connection, orgs, *names)
        connection.execute(text("ALTER TABLE crm.source_position RENAME TO gone"))
        connection.commit()
        try:
            with pytest.raises(PipelineDatabaseError, match="PIPELINE_DATABASE_URL"):
                list(sync_accounts(names, run_id="run", steps=ALL_TOPICS))
        finally:
            connection.rollback()
            connection.execute(text("ALTER TABLE crm.gone RENAME TO source_position"))
            connection.commit()
