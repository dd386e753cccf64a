"""`crm-pipeline warehouse check`: how it tells what it found, and how it ends."""

import json
from pathlib import Path

from sqlalchemy import Engine

from crm_pipeline.sample.accounts import clients
from crm_pipeline.sample.warehouse import create
from crm_pipeline.sources.contracts import CONTRACTS
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.databases import settings_of


def test_what_fits_and_what_does_not(pipeline: Engine, run: Run, tmp_path: Path) -> None:
    assert "has no client yet" in run("warehouse", "check", fails=1).stderr
    create(pipeline, clients(2), 100)
    [largest, other] = clients(2)

    named = largest.replace("-", "_")
    told = json.loads(run("warehouse", "check", "--since=2100-01-01", "--json").stdout)
    rows = told[f"client_{named}"]
    readings = told[f"first_reading_of_{named}"]
    assert [each["of"] for each in readings] == ["registrations", "attendances"]
    assert all(each["rows"] and not each["sent_at_most"] for each in readings)
    [sending] = told[f"first_sending_of_{named}_at_most"]
    assert (sending["activities"], sending["api_calls"]) == (0, 0)
    assert {row["extract"] for row in rows} == CONTRACTS.keys()
    assert "@" not in str(rows)

    assert "no client nobody" in run("warehouse", "check", "--client=nobody", fails=1).stderr
    (tmp_path / "people.sql").write_text("SELECT 'ann@example.com'::bigint WHERE :client_id <> ''")
    with settings_of(EXTRACT_DIR=str(tmp_path)):
        done = run("warehouse", "check", f"--client={other}", fails=1)
    assert f"client {other}" in done.stdout
    assert "people.sql does not fit the warehouse" in done.stdout
    assert "first reading" not in done.stdout
    assert "ann@" not in done.output
    assert done.stderr.startswith("1 fault: mend the statements")
