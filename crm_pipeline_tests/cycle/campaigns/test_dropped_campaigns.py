"""Campaigns that an operator dropped: what becomes of their members."""

from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.campaigns.scenes import (
    event_id,
    members,
    one_registration,
    switch_on,
)
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register

__all__ = ["run"]


def fates(bench: Bench) -> list[tuple[Any, ...]]:
    """State and code of each member."""
    rows = bench.connection.execute(
        text(
            "SELECT state, reason_code FROM crm.operation WHERE kind = 'member'"
            " ORDER BY operation_id"
        )
    )
    found = [tuple(row) for row in rows]
    bench.connection.rollback()
    return found


@pytest.mark.parametrize("then", ["link", "source"])
def test_members_of_a_dropped_campaign_are_left_out_until_their_event_has_one(
    bench: Bench, run: Run, then: str
) -> None:
    """They stayed pending for ever."""
    switch_on(bench)
    one_registration(bench)
    bench.org.table("Campaign").type.describe["createable"] = False
    bench.cycle()
    run("operations", "drop", "--account", ACCOUNT, "--reason", "not this one")
    bench.cycle()
    assert fates(bench) == [("left_out", "CAMPAIGN_DROPPED")]
    add_person(bench.connection, 2)
    register(bench.connection, 2, 2)
    for _ in range(2):
        bench.cycle()
        assert fates(bench) == [("left_out", "CAMPAIGN_DROPPED")] * 2

    bench.org.table("Campaign").type.describe["createable"] = True
    if then == "link":
        campaign = bench.seed("Campaign", Name="Ours")
        run("campaign", "link", ACCOUNT, event_id(bench), campaign, "--yes")
    else:
        bench.connection.execute(
            text("UPDATE warehouse.event SET name = 'Fair', shipped_at = now()")
        )
    assert bench.cycle().state == "Complete"
    assert {state for state, _ in fates(bench)} <= {"done", "superseded"}
    assert len(members(bench)) == 2
