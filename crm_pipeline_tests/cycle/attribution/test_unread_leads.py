"""Once a day the tracked leads in the warehouse are counted: none is overlooked for good."""

from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.database.statements import statement
from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.flows.webinars.warehouse import track

__all__ = ["run"]


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


@pytest.mark.deep
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


def vanish(shop: Bench, first: int, last: int | None = None) -> None:
    """Leads are not in the warehouse any more."""
    shop.connection.execute(
        text("DELETE FROM warehouse.tracked_lead WHERE lead_id BETWEEN :first AND :last"),
        {"first": first, "last": last or first},
    )


def last_touches(shop: Bench) -> dict[str, str | None]:
    return {each["Email"]: each.get("Last_Source__c") for each in shop.records("Lead")}


@pytest.mark.deep
def test_leads_that_vanish_count_on_or_no_more_as_the_account_says(shop: Bench, run: Run) -> None:
    ada: dict[str, Any] = {"contact_name": "Ada Lovelace", "email": "ada@example.com"}
    track(shop.connection, 1, **ada, source="google")
    track(shop.connection, 2, minute=600, **ada, source="bing")
    for number in range(1000, 1120):
        track(shop.connection, number, is_spam=True, email="spam@example.com")
    shop.cycle()
    shop.fault("composite", "error", status=500)
    track(shop.connection, 3, minute=610, email="new@example.com")
    shop.cycle()
    shop.org.weather.faults.clear()

    # Kept: what was sent counts, what was not is not sent; it is told once.
    vanish(shop, 2, 3)
    told = a_day_later(shop)
    assert "2 tracked leads that were read are not in the warehouse any more; 1 of them" in told
    assert last_touches(shop) == {"ada@example.com": "bing"}
    assert (check(shop).passed, check(shop).leads_vanished_from_the_warehouse) == (True, 2)
    assert "tracked leads" not in a_day_later(shop)
    assert check(shop).leads_vanished_from_the_warehouse == 1

    # Deleted: it counts no more. People's records stay.
    shop.settings(vanished="delete")
    assert "1 tracked leads that were read are not in the warehouse any more" in a_day_later(shop)
    assert last_touches(shop) == {"ada@example.com": "google"}
    assert "tracked leads" not in a_day_later(shop)
    assert check(shop).leads_vanished_from_the_warehouse == 0
    track(shop.connection, 2, minute=600, **ada, source="bing")
    a_day_later(shop)
    assert last_touches(shop) == {"ada@example.com": "bing"}, "it came back"

    # So many at once are believed only if a person says so.
    vanish(shop, 1000, 1110)
    assert "loaded badly rather than deleted" in a_day_later(shop)
    assert (
        "111 tracked leads that were read"
        in run("account", "believe-vanished", "acme", "--yes").stdout
    )
    assert "111 of them count no more" in shop.cycle().notes
    assert last_touches(shop) == {"ada@example.com": "bing"}
