"""People around opportunities become others while an opportunity is away."""

from typing import Any

import pytest

from crm_pipeline_tests.cycle.attribution.deals import cycle, deal, deals, of_lead
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.flows.webinars.warehouse import track

__all__ = ["deals"]

ADA: dict[str, Any] = {"contact_name": "Ada Lovelace", "email": "ada@example.com"}


@pytest.mark.parametrize(("was_read", "merges"), [(True, 1), (False, 2)])
def test_an_opportunity_in_the_bin_whose_contact_is_merged(
    deals: Bench, was_read: bool, merges: int
) -> None:
    """A merge moves no roles out of the bin: an undeleted one names a contact that is gone."""
    track(deals.connection, 1, **ADA)
    ada = deals.seed("Contact", LastName="Ada", Email="ada@example.com")
    contacts = [deals.seed("Contact", LastName=f"Alias {each}") for each in range(merges)]
    made = deal(deals, contacts[0])
    if was_read:
        cycle(deals)
    deals.admin("delete", ids=[made])
    cycle(deals)
    for loser, winner in zip(contacts, [*contacts[1:], ada], strict=True):
        deals.admin("merge", object="Contact", master_id=winner, ids=[loser])
        cycle(deals)
    deals.admin("undelete", ids=[made])
    cycle(deals)
    cycle(deals)
    body = of_lead(deals, 1, made)
    assert (body["standing"], body["amount"]) == ("open", "100.00")
    assert body["match"]["because"] == f"primary contact {ada}"
