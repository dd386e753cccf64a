"""The rules of aggregates: what Accounts and Opportunities are to hold. Pure (spec 3)."""

from collections.abc import Sequence

from crm_pipeline.accounts.engagement import EngagementSettings
from crm_pipeline.accounts.engagement_objects import ObjectName
from crm_pipeline.flows.engagement import topics
from crm_pipeline.flows.engagement.rules import (
    MATCH_ATTEMPTS,
    Basis,
    Wanted,
    given_fields,
    joined,
    target_of,
)
from crm_pipeline.ledger.engagement_aggregates import Aggregate, Aggregated
from crm_pipeline.ledger.records import ChildSet, RecordWant, Target

_OF: dict[str, dict[str, ObjectName]] = {
    "Account": {"tag": "account_tag", "score": "account_score"},
    "Opportunity": {"tag": "opportunity_tag", "score": "opportunity_score"},
}


def aggregate_wants(
    record: Aggregated, values: Sequence[Aggregate], basis: Basis
) -> tuple[list[Wanted], bool]:
    """Returns what an Account or Opportunity is to have, and whether it has any of it.

    What has nothing any more, be it that an option was switched off, is emptied.

    Args:
        record: the Account or Opportunity.
        values: what the Contacts of its Account have together.
        basis: what goes for all.
    """
    parent = f"aggregated:{record.salesforce_id}"
    is_wanted = record.is_there and basis.chosen.accounts and not basis.chosen.clean_up
    held = values if is_wanted else ()
    given = (_given(record, each, basis, parent) for each in held)
    wanted = {want.natural_key: want for want in given if want is not None}
    has_warmth = record.sobject == "Account" and bool(held)
    if not wanted and not has_warmth and not record.is_engaged:
        return [], False
    found: list[Wanted] = [*wanted.values()]
    found += (
        ChildSet(parent, topic, frozenset(wanted), basis.now)
        for topic in topics.AGGREGATES[record.sobject].values()
    )
    if record.sobject == "Account" and record.is_there:
        warmth = next((e.said["temperature"] for e in held if e.kind == "temperature"), None)
        found.append(_temperature(record, warmth, basis))
    return found, bool(wanted) or has_warmth


def _temperature(record: Aggregated, warmth: float | None, basis: Basis) -> RecordWant:
    return RecordWant(
        f"aggregated:{record.salesforce_id}",
        topics.AGGREGATE_TEMPERATURE,
        basis.now,
        Target("Account", salesforce_id=record.salesforce_id),
        {basis.chosen.account_temperature: warmth},
        attempts=MATCH_ATTEMPTS,
        empties=True,
    )


def _given(record: Aggregated, value: Aggregate, basis: Basis, parent: str) -> RecordWant | None:
    """The tag or score of an Account or Opportunity; None where it is not kept there."""
    of = _OF[record.sobject].get(value.kind)
    defined = (value.kind, value.given_id) in basis.definitions
    if of is None or not basis.chosen.keeps(of) or not defined:
        return None
    key = joined(record.salesforce_id, value.given_id)
    return RecordWant(
        f"{of}:{key}",
        topics.AGGREGATES[record.sobject][value.kind],
        basis.now,
        target_of(basis.names, of, key),
        given_fields(basis, of, value.kind, value.given_id, value.said),
        refs={
            basis.names.field(of, record.sobject.lower()): f"id:{record.salesforce_id}",
            basis.names.field(of, value.kind): f"{value.kind}:{value.given_id}",
        },
        parent=parent,
        attempts=MATCH_ATTEMPTS,
    )


def topics_on(sobject: str, chosen: EngagementSettings) -> list[str]:
    """The topics of which something is examined at an Account or an Opportunity."""
    kept = [
        topic
        for kind, topic in topics.AGGREGATES[sobject].items()
        if chosen.keeps(_OF[sobject][kind])
    ]
    return [*kept, topics.AGGREGATE_TEMPERATURE] if sobject == "Account" and kept else kept
