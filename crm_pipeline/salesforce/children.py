"""Records that belong to others: what goes along when those are deleted, or loses them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from crm_pipeline.salesforce.composite import SubAnswer, described, query_all
from crm_pipeline.salesforce.connection import Org
from crm_pipeline.salesforce.soql import packed_in_queries

LOOKED_AT = frozenset(
    (
        "Asset",
        "Attachment",
        "Campaign",
        "CampaignMember",
        "Case",
        "Contact",
        "ContentDocumentLink",
        "Contract",
        "Event",
        "Note",
        "Opportunity",
        "OpportunityContactRole",
        "Task",
    )
)
"""Standard objects whose records are somebody's work; further ones are those of the client's own
(`__c`). Salesforce also lists feeds, histories and shares as children, most of which no query may
name."""


class ChildField(NamedTuple):
    """A field by which records of an object belong to others."""

    sobject: str
    field: str


def child_fields_of(sobject: str, answer: SubAnswer) -> list[ChildField]:
    """The fields by which something belongs to records of an object, by its describe.

    Raises:
        SalesforceProblem: as `described`.
    """
    return [
        ChildField(each["childSObject"], each["field"])
        for each in described(sobject, answer)["childRelationships"]
        if each["childSObject"] in LOOKED_AT or each["childSObject"].endswith("__c")
    ]


def children_of(
    org: Org, child_fields: Sequence[ChildField], record_ids: Collection[str]
) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Object and Id of what belongs to some records, by their Ids; five queries are a call.

    Args:
        org: theirs.
        child_fields: of their object.
        record_ids: of one object.

    Raises:
        SalesforceProblem: as `query_all`.
    """
    queries = [
        (each, query)
        for each in child_fields
        for query in packed_in_queries(("Id", each.field), each.sobject, each.field, record_ids)
    ]
    if not queries:
        return {}
    children: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    pages = query_all(org, [query for _, query in queries]).records
    for (each, _), rows in zip(queries, pages, strict=True):
        for row in rows:
            children[row[each.field]].append((each.sobject, row["Id"]))
    return children
