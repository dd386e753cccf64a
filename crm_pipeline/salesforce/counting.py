"""Counting an org's records, and reading all Ids of an object: what there is, not what it says."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from crm_pipeline.salesforce.composite import Subrequest, composite, query_all, query_path
from crm_pipeline.salesforce.errors import OrgUnavailable
from crm_pipeline.salesforce.limits import COMPOSITE_QUERIES_OR_COLLECTIONS, QUERY_PAGE
from crm_pipeline.salesforce.soql import count, quote, select

if TYPE_CHECKING:
    from crm_pipeline.salesforce.connection import Org

_NOT_THERE = "INVALID_TYPE"


def count_records(connection: "Org", conditions: Mapping[str, str]) -> dict[str, int | None]:
    """Counts the records of objects, five of these in an API call.

    Args:
        connection: the org.
        conditions: by object, which records count; empty: all of them.

    Returns:
        The numbers; None of an object that the org does not have, or hides.

    Raises:
        OrgUnavailable: the org cannot count them now.
        SalesforceProblem: as `Org.request`.
    """
    asked = list(conditions.items())
    found: dict[str, int | None] = {}
    for start in range(0, len(asked), COMPOSITE_QUERIES_OR_COLLECTIONS):
        some = asked[start : start + COMPOSITE_QUERIES_OR_COLLECTIONS]
        queries = [
            Subrequest(f"count{number}", "GET", query_path(count(*of)), kind="query")
            for number, of in enumerate(some)
        ]
        for (sobject, _), answer in zip(some, composite(connection, queries), strict=True):
            if answer.error is None:
                found[sobject] = int(answer.body["totalSize"])
            elif answer.error[0] == _NOT_THERE:
                found[sobject] = None
            else:
                reason = f"The org's {sobject} records cannot be counted now: {answer.error[0]}"
                raise OrgUnavailable(reason)
    return found


def read_ids(connection: "Org", sobject: str, known: Sequence[str], number: int) -> set[str]:
    """Reads the Ids of all records of an object, ten thousand to a call.

    Args:
        connection: the org.
        sobject: the object.
        known: Ids that are thought to be there, in their order: by them the questions are cut.
        number: how many there are.

    Raises:
        QueryRefused: the org does not have the object, or hides it.
        SalesforceProblem: as `Org.request`.
    """
    others = max(0, number - len(known))
    cuts = list(known)[:: max(1, QUERY_PAGE - others)][1:]
    bounds = [None, *cuts, None]
    queries = []
    for low, high in pairwise(bounds):
        above = f"Id >= {quote(low)}" if low else ""
        below = f"Id < {quote(high)}" if high else ""
        queries.append(select(["Id"], sobject, above, below))
    return {record["Id"] for page in query_all(connection, queries).records for record in page}
