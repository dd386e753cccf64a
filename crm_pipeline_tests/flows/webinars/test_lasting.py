"""What rows say of a person counts in whatever order, and in how many parts, they are read."""

from datetime import UTC, datetime
from typing import Any

import pytest

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.accounts.store import FieldMapping
from crm_pipeline.flows.webinars.lasting import joined
from crm_pipeline.flows.webinars.rules import choices
from crm_pipeline.ledger.intents import Intent

EARLY, LATE = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
CHOSEN = choices(
    AccountSettings(),
    [
        FieldMapping("Lead", "Budget__c", "answers.budget"),
        FieldMapping("Lead", "LeadSource", "utm_source"),
        FieldMapping("Lead", "HasOptedOutOfEmail", "opted_out"),
    ],
    (),
)
NO: dict[str, Any] = {"HasOptedOutOfEmail": True}
YES: dict[str, Any] = {"HasOptedOutOfEmail": False}


@pytest.mark.parametrize(
    ("older", "newer", "together"),
    [
        ({"Budget__c": "10k"}, {}, {"Budget__c": "10k"}),
        ({"Budget__c": "10k"}, {"Budget__c": "20k"}, {"Budget__c": "20k"}),
        ({"LeadSource": "ads"}, {"LeadSource": "Webinar"}, {"LeadSource": "ads"}),
        ({"LeadSource": "Webinar"}, {"LeadSource": "ads"}, {"LeadSource": "ads"}),
        ({"Gone__c": "not mapped any more"}, {"Title": "Dr"}, {"Title": "Dr"}),
        (NO, YES, NO),
        (YES, NO, NO),
        (NO, {}, NO),
    ],
)
@pytest.mark.parametrize("older_comes_late", [False, True])
def test_the_newer_counts_and_what_it_does_not_say_stays(
    older: dict[str, Any],
    newer: dict[str, Any],
    together: dict[str, Any],
    *,
    older_comes_late: bool,
) -> None:
    first, second = (LATE, newer), (EARLY, older)
    if not older_comes_late:
        first, second = second, first
    intent = Intent("person:1", "person", 1, second[0], {"Lead": second[1], "Contact": {}})
    said = joined(intent, first[0], {"Lead": first[1], "Contact": {}}, CHOSEN)
    assert (said.as_of, said.fields["Lead"]) == (LATE, together)
