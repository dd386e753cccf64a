"""Settings change, the process dies once their first batch is committed, and they go back."""

from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline_tests.cycle.attribution.conftest import ATTRIBUTION
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.flows.webinars.warehouse import track


def rename(shop: Bench, before: str, after: str) -> None:
    """Reading leads fails while the table has another name: what was committed before, stays."""
    shop.connection.execute(text(f"ALTER TABLE warehouse.{before} RENAME TO {after}"))


def last_touch(shop: Bench) -> tuple[str | None, str | None]:
    """The source and the medium that Ada's Lead shows."""
    [lead] = [each for each in shop.records("Lead") if each["Email"] == "ada@example.com"]
    return lead.get("Last_Source__c"), lead.get("Last_Medium__c")


@pytest.mark.parametrize(
    ("choice", "shown"),
    [
        ({"kinds": ["form"]}, ("google", None)),
        ({"last_touch": {"source": "Last_Medium__c"}}, ("bing", "bing")),
    ],
    ids=["judged again", "said again"],
)
def test_nothing_is_left_half(
    shop: Bench, choice: dict[str, Any], shown: tuple[str | None, str | None]
) -> None:
    track(shop.connection, 1, email="ada@example.com", source="google")
    track(shop.connection, 2, minute=1, email="ada@example.com", kind="call", source="bing")
    track(shop.connection, 3, minute=600, email="late@example.com")  # The others are read no more.
    shop.cycle()
    assert last_touch(shop) == ("bing", None)
    shop.settings(attribution={**ATTRIBUTION, **choice})
    rename(shop, "tracked_lead", "elsewhere")
    assert shop.cycle().state == "Failed"
    assert last_touch(shop) == shown, "the batch is committed"
    rename(shop, "elsewhere", "tracked_lead")
    shop.settings(attribution=ATTRIBUTION)
    assert shop.cycle().state == "Complete"
    assert last_touch(shop) == ("bing", None)
    assert shop.cycle().counts.api_calls == 0
