"""What the UI shows of the campaigns' steps."""

from crm_pipeline.flows.campaigns.flow import CAMPAIGNS
from crm_pipeline.report import Counts, CycleReport

SHOWS = {topic.name: topic.shows for topic in CAMPAIGNS.topics}


def test_what_is_still_to_be_read_again_is_shown_with_what_it_costs_at_most() -> None:
    counts = Counts(backfills_waiting=2, backfill_rows_waiting=10_000, campaigns_created=1)
    on = frozenset((CAMPAIGNS.name,))
    shown = SHOWS["campaigns"](CycleReport("acme", "Acme", "run", flows=on, counts=counts))
    assert shown == {
        "campaigns": "on",
        "campaigns_created": 1,
        "campaigns_linked": 0,
        "events_to_read_again": 2,
        "rows_to_read_again": 10_000,
        "api_calls_to_read_again_at_most": 15,
    }


def test_an_account_that_has_campaigns_off_shows_zeros() -> None:
    report = CycleReport("acme", "Acme", "run")
    for shows in SHOWS.values():
        shown = dict(shows(report))
        assert shown.pop("campaigns") == "off"
        assert set(shown.values()) == {0}
