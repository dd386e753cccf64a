"""An org that has the small flow's objects."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.small_flow.badges import OBJECTS

REFUSED = [
    {"object": "Badge__c", "when": "Holder__c = 'Refused'", "error": "Not this holder"},
    {"object": "Line__c", "when": "Text__c = 'refused'", "error": "Not this text"},
]
"""Rules of the org, for holders and texts that it does not take."""


def org_of_badges(**more: Any) -> dict[str, Any]:
    """The description of an org with the small flow's objects and `REFUSED`."""
    rules = [*ORG["validation_rules"], *REFUSED]
    return {"name": ACCOUNT, **ORG, "objects": OBJECTS, "validation_rules": rules, **more}


@pytest.fixture
def bench(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_of(org_of_badges(), pipeline, monkeypatch) as made:
        yield made
