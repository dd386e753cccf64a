"""`crm-pipeline undo` says what it comes to, asks, and does that."""

import re

from sqlalchemy import Engine, text

from crm_pipeline.local_org.seeding import seed
from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.cycle.test_removals import ask
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register


def test_a_cycle_is_shown_agreed_to_and_taken_back(run: Run, org: Org, pipeline: Engine) -> None:
    seed(org, {"Lead": [{"LastName": "Old", "Company": "x", "Email": "p1@example.com"}]})
    with pipeline.begin() as connection:
        for person in (1, 2):
            add_person(connection, person)
            register(connection, person, person)
    run("cycle", "acme")
    with pipeline.connect() as connection:
        number = connection.scalar(text("SELECT max(cycle_id) FROM crm.cycle"))
    unknown = run("undo", "acme", "--cycle=999", fails=1).stderr
    assert "no cycle 999 that can be taken back" in unknown
    misspelt = run("undo", "acme", f"--cycle={number}", "--field=Titel", fails=1).stderr
    assert f"Cycle {number} replaced no value of a field Titel" in misspelt
    unasked = run("undo", "acme", f"--cycle={number}", fails=1)
    assert "--yes agrees" in unasked.stderr
    refused = run("undo", "acme", f"--cycle={number}", typed="n\n", fails=1)
    assert "Nothing is changed" in refused.stderr
    assert len(org.table("Lead").rows) == 2
    done = run("undo", "acme", f"--cycle={number}", typed="y\n").stdout
    assert "Last 1\tOld" in done
    assert "1 record restored, 3 deleted" in done
    reach = r"Cycles of the last 30 days can be taken back .*; replaced values are known since 20"
    assert re.match(reach, done), "it is the first line"
    ask(address="p2@example.com")
    run("cycle", "acme")
    again = run("undo", "acme", f"--cycle={number}", "--yes").stdout
    assert re.search(r"people\t.*\d operations about people who were removed on request", again)
    assert again.count("removed on request;") == 1
    assert "Nothing of cycle" in again
    told = run("find", "acme", "p1@example.com").stdout
    assert f"cycle {number} was taken back by" in told
