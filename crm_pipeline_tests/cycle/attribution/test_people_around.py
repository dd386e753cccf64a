"""People around opportunities become others while an opportunity is away."""

from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline_tests.cycle.attribution.deals import choose, cycle, deal, deals, of_lead, waits
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


def test_another_phone_region_has_the_contacts_numbers_read_anew(deals: Bench) -> None:
    """Written without a country code they are other numbers in another country."""
    choose(deals, phone_region=None)
    track(deals.connection, 1, kind="call", phone="+49 30 901820")
    cycle(deals)
    made = deal(deals, deals.seed("Contact", LastName="Cy", Phone="030 901820"))
    cycle(deals)
    assert waits(deals, made) == "nobody around it is a tracked lead"
    choose(deals, phone_region="DE")
    for _ in range(2):
        # Changes of the last minutes would be read again anyway.
        later = "UPDATE crm.org_position SET covered = now() + interval '1 hour'"
        deals.connection.execute(text(later))
        cycle(deals)
    assert of_lead(deals, 1, made)["match"]["rule"] == "phone"
