"""The end of a contract: an account goes, and what it made in the org stays."""

import csv
import re
from pathlib import Path

import yaml
from sqlalchemy import Engine, text

from crm_pipeline.settings import PROJECT
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.cycle.campaigns.scenes import switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench, account_of, bench
from crm_pipeline_tests.cycle.test_removals import REMOVALS, ask
from crm_pipeline_tests.flows.webinars.warehouse import add_person, attend, register

__all__ = ["bench"]

_TABLES = (
    "SELECT table_schema || '.' || table_name FROM information_schema.columns"
    " INNER JOIN information_schema.tables USING (table_schema, table_name)"
    " WHERE column_name = 'account_id' AND table_type = 'BASE TABLE'"
)


_WITH_THEIR_ACCOUNT = (
    "SELECT DISTINCT split_part(CAST(CAST(conrelid AS regclass) AS text), '.', 2)"
    " FROM pg_constraint WHERE contype = 'f' AND confdeltype = 'c'"
    " AND confrelid = CAST('crm.account' AS regclass)"
)


def test_each_table_goes_with_its_account_or_is_emptied_by_its_removal(pipeline: Engine):
    with pipeline.connect() as connection:
        tables = connection.scalars(text(f"{_TABLES} AND table_schema = 'crm'")).all()
        cascading = connection.scalars(text(_WITH_THEIR_ACCOUNT)).all()
    statement = (PROJECT / "sql" / "accounts" / "remove_account.sql").read_text(encoding="utf-8")
    emptied = re.findall(r"DELETE FROM crm\.(\w+) WHERE account_id = :account_id", statement)
    of_accounts = {each.removeprefix("crm.") for each in tables}
    # Keys of requests go with these, and an alert is told to be over.
    others = {"request_key", "alert"}
    staying = of_accounts - {*cascading, *emptied} - others
    assert staying == {"client_in_org", "console_log", "erased"}
    assert {*emptied, *cascading} <= of_accounts
    assert len(emptied) == len(set(emptied))
    assert set(emptied).isdisjoint(cascading)


def left_of(pipeline: Engine, account: str) -> dict[str, int]:
    """How many rows each table has of an account, where it has any."""
    with pipeline.connect() as connection:
        tables = connection.scalars(text(_TABLES)).all()
        assert len(tables) > 70
        found = {
            table: connection.scalar(
                text(f"SELECT count(*) FROM {table} WHERE account_id = :account"),
                {"account": account},
            )
            for table in tables
        }
    return {table: number for table, number in found.items() if number}


def test_an_account_goes_with_all_that_is_kept_of_it_and_the_org_keeps_its_records(
    bench: Bench, run: Run, pipeline: Engine, tmp_path: Path
):
    account_of(bench.connection, bench.server, "beta", "client-2")
    switch_on(bench)
    for person in (1, 2):
        add_person(bench.connection, person)
        register(bench.connection, person, person)
    attend(bench.connection, 1, 1)
    assert bench.cycle().state == "Complete"
    ask(address="p2@example.com")
    assert bench.cycle(REMOVALS).state == "Complete"
    before = {sobject: bench.records(sobject) for sobject in ("Lead", "Event", "CampaignMember")}
    beta = left_of(pipeline, "beta")
    ended = tmp_path / "ended"
    to = f"--to={ended}"
    active = run("account", "remove", ACCOUNT, to, "--yes", fails=1).stderr
    assert "`crm-pipeline account disable acme` ends them first" in active
    run("account", "disable", ACCOUNT)
    asked = run("account", "remove", ACCOUNT, to, fails=1).stderr
    assert "stays in the org: 1 Campaign, 1 CampaignMember, 2 Event, 1 Lead" in asked
    assert left_of(pipeline, ACCOUNT)["crm.operation"] > 3, "nothing is removed yet"
    run("account", "remove", ACCOUNT, to, "--yes")
    left = left_of(pipeline, ACCOUNT)
    numbers = {table for table in left if table.startswith("daily.")}
    assert {"daily.delivery", "daily.request"} < numbers
    assert set(left) - numbers == {"crm.client_in_org", "crm.erased"}
    assert left_of(pipeline, "beta") == beta
    assert {sobject: bench.records(sobject) for sobject in before} == before
    assert "no account 'acme'" in run("account", "show", ACCOUNT, fails=1).stderr
    kept = yaml.safe_load((ended / "acme.yaml").read_text())
    assert (kept["account"], kept["client"]) == (ACCOUNT, "client-1")
    with (ended / "acme-records.csv").open(newline="", encoding="utf-8") as opened:
        records = {row["about"]: row["record"] for row in csv.DictReader(opened)}
    [lead] = [each["Id"] for each in before["Lead"] if each["Email"] == "p1@example.com"]
    assert records["person:p1@example.com"] == lead
    with (ended / "acme-receipts.csv").open(newline="", encoding="utf-8") as opened:
        [receipt] = csv.DictReader(opened)
    assert (receipt["kind"], receipt["state"]) == ("removal", "done")
    run("account", "disable", "beta")
    run("account", "remove", "beta", to, "--yes")
    assert len(list(ended.iterdir())) == 6, "no account's files take the place of another's"
    assert all(file.stat().st_mode & 0o077 == 0 for file in ended.iterdir())
