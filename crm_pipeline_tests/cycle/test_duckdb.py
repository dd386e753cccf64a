"""A warehouse in a file of DuckDB: what is delivered is the same as out of PostgreSQL."""

from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import Engine

from crm_pipeline.local_org.store import Org
from crm_pipeline.sample.accounts import clients
from crm_pipeline.sample.export import export
from crm_pipeline.sample.later import add_traffic
from crm_pipeline.sample.warehouse import create
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, account_of, bench_of
from crm_pipeline_tests.databases import settings_of

CLIENTS = clients(1)
[CLIENT] = CLIENTS
DUCK, POSTGRES = "duck", "postgres"

SENT = ("lead", "event", "campaign", "campaignmember", "campaignmemberstatus")
OF_EACH_ORG = ("Id", "OwnerId", "CreatedDate", "LastModifiedDate", "SystemModstamp")


def said(org: Org) -> dict[str, Counter[str]]:
    """What an org's records say, by object; other records by the address or name that they have."""
    known = {
        str(row["Id"]): str(row.get("Email") or row.get("Name"))
        for table in org.tables.values()
        for row in table.rows.values()
    }
    return {
        sobject: Counter(
            repr(
                {
                    field: known.get(str(value), value)
                    for field, value in sorted(row.items())
                    if field not in OF_EACH_ORG
                }
            )
            for row in org.tables[sobject].rows.values()
        )
        for sobject in SENT
    }


@pytest.mark.deep
@pytest.mark.parametrize("times", [1, 3])
def test_what_is_delivered_is_the_same(
    times: int, pipeline: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    orgs = {"name": ACCOUNT, **ORG}, {"name": DUCK, **ORG}
    with bench_of(orgs[0], pipeline, monkeypatch, orgs[1]) as bench:
        create(pipeline, CLIENTS, 60, replace=True)
        for account, org in ((POSTGRES, ACCOUNT), (DUCK, DUCK)):
            account_of(bench.connection, bench.server, account, CLIENT, org=org, campaigns={})
        for number in range(times):
            if number:
                add_traffic(pipeline, 15, registrations=30)
            file = tmp_path / f"{number}.duckdb"
            export(pipeline, file)
            one = bench.cycle(account=POSTGRES)
            with settings_of(WAREHOUSE_URL=f"duckdb:///{file}"):
                other = bench.cycle(account=DUCK)
                nothing_new = bench.cycle(account=DUCK)

            assert (one.state, other.state) == ("Complete", "Complete")
            assert one.tally == other.tally
            assert other.tally.overall("activities_created") > 0
            assert nothing_new.tally.overall("rows_read") == 0
            assert said(bench.org) == said(bench.server.org(DUCK))
