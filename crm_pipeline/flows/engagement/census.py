"""The census: how many records of each object there are in the org, the ledger and at the source.

Where the org has another number than the ledger, the Ids are compared and the differences named.
What is not seen is not taken for deleted, and nothing is done about what is not ours.
"""

from dataclasses import asdict
from itertools import islice

from crm_pipeline.accounts.engagement import EngagementSettings
from crm_pipeline.accounts.engagement_objects import DECLARED
from crm_pipeline.delivery.desk import Desk
from crm_pipeline.flows.engagement import NAME, topics
from crm_pipeline.ledger.clock import account_clock
from crm_pipeline.ledger.engagement_census import (
    Counted,
    held_of_object,
    held_of_objects,
    is_census_requested,
    record_census,
)
from crm_pipeline.ledger.intents import record_intents
from crm_pipeline.ledger.messages import MessageWant
from crm_pipeline.salesforce.counting import count_records, read_ids
from crm_pipeline.sources.engagement import sizes_of

NAMED_AT_MOST = 100
"""Records of an object that are named in each way; the numbers tell how many there are."""


def take_census(desk: Desk, chosen: EngagementSettings) -> None:
    """Takes a census where one is asked for, keeps it, and has the source told; commits.

    Raises:
        ExtractError: the warehouse is down.
        SalesforceProblem: as `count_records`.
    """
    account_id = desk.ledger.account_id
    if not is_census_requested(desk.ledger.connection, account_id):
        return
    at_source = sizes_of(desk.account.client_id)._asdict()
    names = {chosen.names.object(each): each for each in DECLARED if chosen.keeps(each)}
    held = held_of_objects(desk.ledger.connection, account_id, topics.ALL_OF_THE_ORG, names)
    desk.ledger.connection.commit()
    desk.allowance.demand_calls()
    there = count_records(desk.org.log_in(), dict.fromkeys(names, ""))
    counted = []
    for sobject, name in names.items():
        each = Counted(sobject, at_source.get(name), held.get(sobject, 0), there[sobject])
        if each.in_org is not None and each.in_org != each.in_ledger:
            _compare(desk, each)
        counted.append(each)
    with desk.ledger.step() as connection:
        record_census(connection, account_id, counted)
        about, body = "engagement_census", {"objects": [asdict(each) for each in counted]}
        want = MessageWant(topics.CENSUS, about, account_clock(connection, account_id), body)
        record_intents(
            connection,
            account_id,
            flow=NAME,
            cycle_id=desk.ledger.cycle_id,
            intents=[want.intent],
        )
    desk.tally[topics.CENSUS, "objects"] += len(counted)
    desk.tally[topics.CENSUS, "differing"] += sum(e.in_org != e.in_ledger for e in counted)


def _compare(desk: Desk, counted: Counted) -> None:
    """Names the records that only the org, or only the ledger, has."""
    desk.allowance.demand_calls()
    held = held_of_object(
        desk.ledger.connection, desk.ledger.account_id, topics.ALL_OF_THE_ORG, counted.sobject
    )
    desk.ledger.connection.commit()
    there = read_ids(desk.org.log_in(), counted.sobject, list(held), counted.in_org or 0)
    not_seen = (key for record_id, key in held.items() if record_id not in there)
    counted.not_seen = list(islice(not_seen, NAMED_AT_MOST))
    counted.not_ours = sorted(there - held.keys())[:NAMED_AT_MOST]
