"""Each statement gives what the class of its rows takes, also where there is no row."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection

from crm_pipeline.accounts.orgs import org_of
from crm_pipeline.ledger import anew, campaigns, copies, due, incidents, messages, records
from crm_pipeline_tests.ledger.conftest import ACCOUNT

READERS: list[Callable[..., Any]] = [
    partial(due.due_people, limit=1),
    partial(due.due_updates, limit=1),
    partial(due.due_activities, limit=1),
    partial(due.lost_operations, grace_seconds=0, limit=1),
    due.due_volumes,
    partial(campaigns.due_campaigns, limit=1),
    partial(campaigns.due_members, limit=1),
    partial(campaigns.due_gone_members, limit=1),
    copies.activities_to_create,
    incidents.open_incidents,
    anew.volume_to_start_anew,
    anew.standing_of_client,
    partial(messages.due_messages, limit=1),
    lambda connection, account_id: records.due_records(
        connection, account_id, "badges", absent=False, along=[], limit=1
    ),
    org_of,
]


@pytest.mark.parametrize("read", READERS)
def test_columns_and_fields_agree(ledger: Connection, read: Callable[..., Any]) -> None:
    assert not read(ledger, ACCOUNT) or read in (
        due.due_volumes,
        anew.volume_to_start_anew,
        anew.standing_of_client,
    )
