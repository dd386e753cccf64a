"""Deleting all records of an object, a part at a time."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from crm_pipeline.salesforce.composite import query_all
from crm_pipeline.salesforce.limits import QUERY_PAGE
from crm_pipeline.salesforce.outcomes import Write
from crm_pipeline.salesforce.soql import quote, select
from crm_pipeline.salesforce.writes import send_by_composite

if TYPE_CHECKING:
    from crm_pipeline.salesforce.connection import Org

DELETED = "deleted"


def delete_all(connection: "Org", sobject: str) -> Iterator[Counter[str]]:
    """Deletes all records of an object, in the order of their Ids; for good after 15 days.

    Args:
        connection: the org.
        sobject: the object.

    Yields:
        After each part, how many were deleted (`DELETED`), and how many were not, by the org's
        code for the reason.

    Raises:
        QueryRefused: the org does not have the object, or hides it.
        SalesforceProblem: as `Org.request`; what was yielded is deleted.
    """
    last = ""
    while True:
        above = f"Id > {quote(last)}" if last else ""
        query = f"{select(['Id'], sobject, above)} ORDER BY Id LIMIT {QUERY_PAGE}"
        ids = [each["Id"] for page in query_all(connection, [query]).records for each in page]
        if not ids:
            return
        last = ids[-1]
        writes = [Write(n, sobject, "delete", {}, salesforce_id=i) for n, i in enumerate(ids)]
        came_of_it: Counter[str] = Counter()
        for outcomes in send_by_composite(connection, writes):
            for each in outcomes:
                reason = each.errors[0].code if each.errors else each.status
                came_of_it[DELETED if each.status == "ok" else reason] += 1
        yield came_of_it
