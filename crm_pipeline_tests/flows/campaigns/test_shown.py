"""The campaigns' steps, as the UI shows them."""

from crm_pipeline.declaration import shown
from crm_pipeline.flows.campaigns.flow import CAMPAIGNS
from crm_pipeline.report import CycleReport, Tally

CAMPAIGN_TOPIC, *_ = CAMPAIGNS.topics


def test_what_is_still_to_be_read_again_is_shown_with_what_it_costs_at_most() -> None:
    tally = Tally(
        {
            ("campaigns", "events_to_read_again"): 2,
            ("campaigns", "rows_to_read_again"): 10_000,
            ("campaigns", "campaigns_created"): 1,
        }
    )
    on = frozenset((CAMPAIGNS.name,))
    assert shown(CAMPAIGN_TOPIC, CycleReport("acme", "Acme", "run", flows=on, tally=tally)) == {
        "campaigns": "on",
        "campaigns_created": 1,
        "campaigns_linked": 0,
        "events_to_read_again": 2,
        "rows_to_read_again": 10_000,
        "failed": 0,
        "api_calls_to_read_again_at_most": 15,
    }


def test_an_account_that_has_campaigns_off_shows_zeros() -> None:
    report = CycleReport("acme", "Acme", "run")
    for topic in CAMPAIGNS.topics:
        said = dict(shown(topic, report))
        assert said.pop("campaigns") == "off"
        assert set(said.values()) == {0}


def test_an_outcome_that_no_topic_declares_is_shown_all_the_same() -> None:
    report = CycleReport("acme", "Acme", "run", tally=Tally({("campaigns", "looked_up"): 1}))
    assert shown(CAMPAIGN_TOPIC, report)["looked_up"] == 1
