"""A plan of tracked leads, as the cycle then sends them."""

import pytest

from crm_pipeline_tests.cycle.attribution.test_tracked_leads import ADA, GOOGLE
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.cycle.plans import foresee_and_see
from crm_pipeline_tests.flows.webinars.warehouse import track


@pytest.mark.deep
def test_callers_and_forms_are_foreseen(shop: Bench) -> None:
    shop.seed("Lead", LastName="King", Company="C", Phone="030 901821")
    track(shop.connection, 4711, phone="030 901820", **ADA, **GOOGLE)
    track(shop.connection, 4712, phone="030 901821", kind="call", **GOOGLE)
    assert foresee_and_see(shop) == {"Lead create", "Lead update"}
    track(shop.connection, 4713, minute=9, source="bing", **ADA)
    assert foresee_and_see(shop) == {"Lead update"}
