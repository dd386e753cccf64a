"""Calls that a few records fill, so that a few records make many calls."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch


@contextmanager
def small_calls(*, collections: int = 2, records: int = 2) -> Iterator[None]:
    """Composite calls take so many collections of so many records, as long as the block lasts."""
    a_call = collections * records
    sizes = {
        "salesforce.packing.COLLECTION_RECORDS": records,
        "salesforce.writes.COMPOSITE_QUERIES_OR_COLLECTIONS": collections,
        "salesforce.budget.COLLECTION_RECORDS": records,
        "salesforce.budget.COMPOSITE_QUERIES_OR_COLLECTIONS": collections,
        "delivery.sending.RECORDS_PER_CALL": a_call,
        "delivery.activities.RECORDS_PER_CALL": a_call,
        "delivery.people.RECORDS_PER_CALL": a_call,
    }
    with ExitStack() as stack:
        for name, size in sizes.items():
            stack.enter_context(patch(f"crm_pipeline.{name}", size))
        yield
