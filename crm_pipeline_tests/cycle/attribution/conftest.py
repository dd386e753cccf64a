"""An account with attribution on, and an org that has its fields."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of

PARTS = ("Source", "Medium", "Campaign", "Keyword", "Gclid")
FIELDS = {
    "Tracker_Id__c": {"type": "string", "length": 40},
    "Tracker_Kind__c": {"type": "string", "length": 40},
    "Recording__c": {"type": "string", "length": 255},
    **{
        f"{touch}_{part}__c": {"type": "string", "length": 255}
        for touch in ("First", "Last")
        for part in PARTS
    },
}
"""The fields of Lead and Contact that hold the attribution."""

ATTRIBUTION: dict[str, Any] = {
    "id_field": "Tracker_Id__c",
    "kind_field": "Tracker_Kind__c",
    "first_touch": {part.lower(): f"First_{part}__c" for part in PARTS},
    "last_touch": {part.lower(): f"Last_{part}__c" for part in PARTS},
    "phone_region": "DE",
}
"""The settings that name them."""

SHOP_ORG = {**ORG, "objects": {"Lead": {"fields": FIELDS}, "Contact": {"fields": FIELDS}}}


@pytest.fixture
def shop(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_of({"name": ACCOUNT, **SHOP_ORG}, pipeline, monkeypatch) as made:
        made.settings(attribution=ATTRIBUTION)
        yield made
