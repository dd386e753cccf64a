"""Once a day the tracked leads in the warehouse are counted: none is overlooked for good."""

from typing import Any

from sqlalchemy import text

from crm_pipeline.database.statements import statement
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.flows.webinars.warehouse import track


def a_day_later(bench: Bench) -> str:
    """A cycle that counts; returns what it tells people."""
    bench.connection.execute(
        text("UPDATE crm.lead_count SET counted_at = counted_at - interval '2 days'")
    )
    bench.connection.commit()
    report = bench.cycle()
    assert report.state == "Complete", report.reason
    return report.notes


def check(bench: Bench) -> Any:
    """The promise that no lead is unread."""
    asked = {"account_ids": [ACCOUNT]}
    row = bench.connection.execute(statement("checks/no_tracked_lead_is_unread"), asked).one()
    bench.connection.rollback()
    return row


def known(bench: Bench) -> dict[str, str | None]:
    """The cities of the leads that were read, by id."""
    rows = bench.connection.execute(
        text("SELECT lead_id, columns ->> 'city' AS city FROM crm.tracked_lead ORDER BY lead_id")
    )
    found = {row.lead_id: row.city for row in rows}
    bench.connection.rollback()
    return found


def test_what_no_cycle_reads_is_found_by_counting(shop: Bench) -> None:
    ada: dict[str, Any] = {"contact_name": "Ada Lovelace", "email": "ada@example.com"}
    bob: dict[str, Any] = {"contact_name": "Bob Babbage", "email": "bob@example.com"}
    track(shop.connection, 1, **ada)
    track(shop.connection, 2, minute=600, **bob)
    assert shop.cycle().state == "Complete"
    assert (check(shop).passed, check(shop).leads_counted) == (True, 2)

    # Both commit hours after the time of their shipping: a new one, and another word of one.
    track(shop.connection, 3, minute=5, contact_name="Cy", email="cy@example.com")
    track(shop.connection, 1, minute=30, city="Berlin", **ada)
    assert shop.cycle().state == "Complete"
    assert known(shop) == {"1": None, "2": None}
    assert "2 tracked leads that no cycle had read" in a_day_later(shop)
    assert known(shop) == {"1": "Berlin", "2": None, "3": None}
    assert {each["Email"] for each in shop.records("Lead")} >= {"cy@example.com"}
    assert (check(shop).passed, check(shop).leads_found_unread) == (False, 2)
    assert "tracked leads" not in a_day_later(shop)
    assert check(shop).passed

    # Shipped again without another word: nothing to tell.
    track(shop.connection, 1, minute=40, **ada)
    assert "tracked leads" not in a_day_later(shop)
    assert check(shop).passed

    # No reading can ever see one without a time of shipping.
    shop.connection.execute(
        text("UPDATE warehouse.tracked_lead SET shipped_at = '-infinity' WHERE lead_id = 2")
    )
    assert "1 tracked leads cannot be read" in a_day_later(shop)
    assert (check(shop).passed, check(shop).leads_without_a_time_of_shipping) == (False, 1)
