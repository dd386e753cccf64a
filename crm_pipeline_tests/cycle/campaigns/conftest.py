"""An org that has fields of its own for campaigns."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of

FIELDS = {
    "Campaign": {
        "fields": {
            "Event_Key__c": {"type": "string", "external_id": True},
            "Plain__c": {"type": "string"},
        }
    },
    "CampaignMember": {"fields": {"Minutes__c": {"type": "double", "scale": 0}}},
}


@pytest.fixture
def bench(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """The bench of all cycles, with an org that has fields of its own for campaigns."""
    with bench_of({"name": ACCOUNT, **ORG, "objects": FIELDS}, pipeline, monkeypatch) as made:
        yield made
