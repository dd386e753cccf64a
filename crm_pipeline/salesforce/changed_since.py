"""Records that somebody has changed or deleted since a moment."""

from collections.abc import Collection, Mapping
from datetime import datetime

from crm_pipeline.salesforce.composite import query_all
from crm_pipeline.salesforce.connection import Org
from crm_pipeline.salesforce.soql import packed_in_queries


def changed_since(
    org: Org, moment: datetime, record_ids: Mapping[str, Collection[str]]
) -> frozenset[str]:
    """Returns those of some records that were changed since, or are gone; a call for 10,000.

    Args:
        org: theirs.
        moment: by the org's clock (UTC), whole seconds of which count.
        record_ids: by object, each of which has a SystemModstamp.

    Raises:
        SalesforceProblem: as `query_all`.
    """
    queries = [
        query
        for sobject, ids in record_ids.items()
        for query in packed_in_queries(("Id", "SystemModstamp"), sobject, "Id", dict.fromkeys(ids))
    ]
    pages = query_all(org, queries).records if queries else []
    stamps = {
        row["Id"]: datetime.fromisoformat(row["SystemModstamp"]) for page in pages for row in page
    }
    return frozenset(
        record_id
        for ids in record_ids.values()
        for record_id in ids
        if record_id not in stamps or stamps[record_id] >= moment
    )
