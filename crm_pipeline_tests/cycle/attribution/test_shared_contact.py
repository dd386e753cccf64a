"""Two people of ours are one Contact: one of them counts no more, and it shows the other one."""

from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.accounts.inbound import InOrg
from crm_pipeline.cadence.due import read_standings
from crm_pipeline.cycle.plan import planned
from crm_pipeline.cycle.planning import Planning
from crm_pipeline.ledger.account_ledger import AccountLedger
from crm_pipeline.ledger.outcomes import Done, Emptied, let_others_fill, record_done
from crm_pipeline_tests.cycle.attribution.conftest import ATTRIBUTION
from crm_pipeline_tests.cycle.attribution.deals import cycle, deal
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench, account_of
from crm_pipeline_tests.cycle.test_removals import (
    CANARY,
    WORDS,
    ask,
    done_at,
    receipt_of,
    traces,
)
from crm_pipeline_tests.flows.webinars.warehouse import add_sessions, track

SHOWN = ("Tracker_Id__c", "First_Source__c", "Last_Source__c", "Last_Keyword__c")
FOLLOWING = {**ATTRIBUTION, "first_touch_policy": "unless_edited"}


def shown(shop: Bench) -> tuple[str | None, ...]:
    """The attribution of the one Contact, once nothing more is to come."""
    report = shop.cycle()
    assert report.state == "Complete", report.reason
    [contact] = shop.records("Contact")
    return tuple(contact.get(field) for field in SHOWN)


@pytest.mark.deep
def test_who_is_left_is_shown_when_another_one_of_the_contact_counts_no_more(shop: Bench) -> None:
    shop.settings(attribution=FOLLOWING, read_back_minutes=0)
    ada: dict[str, Any] = {"email": "ada@example.com", "contact_name": "Ada"}
    bob: dict[str, Any] = {"email": "bob@example.com", "contact_name": "Bob"}
    track(shop.connection, 1, **ada, source="google", keyword="engines")
    track(shop.connection, 2, **bob, source="bing")
    shop.cycle()
    ids = {lead["Email"]: lead["Id"] for lead in shop.records("Lead")}
    contact = shop.admin("convert", lead_id=ids["ada@example.com"])["contact_id"]
    shop.admin("convert", lead_id=ids["bob@example.com"], contact_id=contact)
    assert shown(shop) == ("1", "google", "google", "engines")

    # Ada's newest touch has no keyword: Bob's is not mixed into it.
    track(shop.connection, 2, minute=5, source="ads", keyword="looms")
    assert shown(shop) == ("1", "google", "ads", "looms")
    track(shop.connection, 1, minute=10, source="mail")
    track(shop.connection, 3, minute=10, **ada, source="fair")
    shown(shop)
    track(shop.connection, 1, minute=20, is_spam=True)
    track(shop.connection, 3, minute=20, is_spam=True)
    # In the same cycle Bob's lead says something else.
    track(shop.connection, 2, minute=21, contact_name="Robert")
    assert shown(shop) == ("2", "ads", "ads", "looms")
    assert shop.cycle().counts.api_calls == 1

    # She comes back, and a lead of hers that says nothing of where it came from stays.
    track(shop.connection, 1, minute=30, is_spam=False, source="mail")
    track(shop.connection, 4, minute=31, **ada)
    assert shown(shop)[2] == "mail"
    track(shop.connection, 1, minute=40, is_spam=True)
    assert shown(shop)[2:] == ("ads", "looms")

    # Nobody is left.
    for number in (2, 4):
        track(shop.connection, number, minute=50, is_spam=True)
    assert shown(shop)[2:] == (None, None)
    assert shop.cycle().counts.api_calls == 1


def test_what_another_one_empties_while_an_update_is_on_its_way_is_filled_after_it(
    shop: Bench,
) -> None:
    track(shop.connection, 2, email="bob@example.com", source="bing", keyword="looms")
    cycle_id = int(shop.cycle().cycle_id or 0)
    [lead] = [each["Id"] for each in shop.records("Lead")]
    [number] = shop.connection.scalars(text("SELECT operation_id FROM crm.operation"))

    def answered(**sent: str) -> tuple[int, str, list[str] | None]:
        done = Done(number, "Lead", "update", lead, sent=sent)
        reopened = record_done(shop.connection, cycle_id, [done])
        known = text("SELECT o.state, i.left_behind FROM crm.operation AS o, crm.identity AS i")
        state, left = shop.connection.execute(known).one()
        return reopened, state, left

    shop.connection.execute(text("UPDATE crm.operation SET state = 'pending'"))
    fields = ["Last_Source__c", "Last_Keyword__c"]
    ledger = AccountLedger(shop.connection, ACCOUNT, cycle_id)
    let_others_fill(ledger, [Emptied(None, lead, fields)], ())
    # Decided before, it brings one of them.
    assert answered(Last_Source__c="bing") == (1, "pending", ["Last_Keyword__c"])
    shop.org.table("Lead").rows[lead]["Last_Keyword__c"] = None
    assert shop.cycle().state == "Complete"
    [row] = shop.records("Lead")
    assert (row["Last_Source__c"], row["Last_Keyword__c"]) == ("bing", "looms")
    assert answered(Last_Source__c="bing") == (0, "done", None)
    shop.connection.rollback()


@pytest.mark.deep
def test_a_removal_spares_whom_another_client_knows_in_the_same_contact(shop: Bench) -> None:
    """Spared are others' values; whoever has the removed address is not written again."""
    other, client = "second", "client-2"
    add_sessions(shop.connection, 9, client=client)
    settings = {"attribution": ATTRIBUTION, "read_back_minutes": 0}
    account_of(shop.connection, shop.server, other, client, org=ACCOUNT, **settings)
    shop.settings(read_back_minutes=0)
    canary: dict[str, Any] = {"email": CANARY, "contact_name": "Canarina Birdcage"}
    bob: dict[str, Any] = {"email": "bob@example.com", "contact_name": "Bob Holder"}
    track(shop.connection, 1, **canary, keyword="cages")
    track(shop.connection, 2, **bob, client=client, source="bing")
    track(shop.connection, 3, **canary, client=client, source="mail")
    for account in (ACCOUNT, other):
        assert shop.cycle(account=account).state == "Complete"
    ids = {lead["Email"]: lead["Id"] for lead in shop.records("Lead")}
    assert len(ids) == 2
    contact = shop.admin("convert", lead_id=ids[CANARY])["contact_id"]
    shop.admin("convert", lead_id=ids["bob@example.com"], contact_id=contact)
    for account in (ACCOUNT, other):
        assert shop.cycle(account=account).state == "Complete"

    asked = ask(in_org="delete")
    assert shop.cycle().state == "Complete"
    told = "anonymized; another known person has it to themselves"
    assert done_at(receipt_of(asked), "org/Contact") == {told: 1}
    assert shop.cycle(account=other).state == "Complete"
    [left] = shop.records("Contact")
    assert (left["Id"], left["FirstName"], left["LastName"]) == (contact, "Bob", "Holder")
    assert (left["Email"], left["Last_Source__c"]) == ("bob@example.com", "bing")
    assert not any(word in str(value) for word in WORDS for value in left.values())
    for account in (ACCOUNT, other):
        assert shop.cycle(account=account).counts.api_calls == 1

    # A lead of the one client that counts no more leaves the other's to the contact.
    track(shop.connection, 3, minute=1, client=client, is_spam=True)
    assert shop.cycle(account=other).state == "Complete"
    track(shop.connection, 4, email="eve@example.com", source="fair")
    shop.cycle()
    [eve] = [each["Id"] for each in shop.records("Lead") if each["Email"] == "eve@example.com"]
    shop.admin("convert", lead_id=eve, contact_id=contact)
    track(shop.connection, 5, minute=1, email="eve@example.com", source="stall")
    assert shown(shop)[2] == "stall"
    for number in (4, 5):
        track(shop.connection, number, minute=5, is_spam=True)
    shop.connection.commit()
    with planned(ACCOUNT, Planning(), run_id="plan"):
        for table in ("operation", "identity"):
            of_other = f"SELECT FROM crm.{table} WHERE account_id = :other FOR UPDATE NOWAIT"
            shop.connection.execute(text(of_other), {"other": other})
        shop.connection.rollback()
    with shop.connection.engine.connect() as busy:
        # The other account is in the middle of something: nobody waits for it.
        for table in ("operation", "identity"):
            of_other = f"SELECT FROM crm.{table} WHERE account_id = :other FOR UPDATE NOWAIT"
            busy.execute(text(of_other), {"other": other})
        assert shown(shop)[2] is None
    shop.connection.execute(text("UPDATE crm.sync_state SET sendable = false"))
    assert [each.account_id for each in read_standings(shop.connection)[1] if each.unfinished] == [
        other
    ]
    assert shop.cycle(account=other).state == "Complete"
    assert shown(shop)[2] == "bing"
    assert not any(each.unfinished for each in read_standings(shop.connection)[1])


@pytest.mark.deep
@pytest.mark.parametrize("in_org", ["anonymize", "delete"])
@pytest.mark.parametrize("is_read", [True, False])
def test_who_is_left_keeps_the_contact_when_another_one_of_it_is_removed(
    shop: Bench, in_org: InOrg, is_read: bool
) -> None:
    shop.settings(read_back_minutes=0)
    track(shop.connection, 1, email=CANARY, contact_name="Canarina Birdcage", keyword="cages")
    bob: dict[str, Any] = {
        "email": "bob@example.com",
        "contact_name": "Bob Holder",
        "phone": "030 901820",
    }
    track(shop.connection, 2, **bob, source="bing")
    shop.cycle()
    ids = {lead["Email"]: lead["Id"] for lead in shop.records("Lead")}
    contact = shop.admin("convert", lead_id=ids[CANARY])["contact_id"]
    shop.admin("convert", lead_id=ids["bob@example.com"], contact_id=contact)
    bobs_lead = shop.org.table("Lead").rows[ids["bob@example.com"]]
    bobs_lead_before = dict(bobs_lead)
    call = shop.seed("Task", WhoId=contact, Subject="Call")
    if is_read:
        shop.cycle()
    asked = ask(in_org=in_org)
    report = shop.cycle()
    assert report.state == "Complete", report.reason
    receipt = receipt_of(asked)
    assert traces(shop) == []
    [left] = shop.records("Contact")
    assert not any(word in str(value) for word in WORDS for value in left.values())
    assert left["Id"] == contact
    assert (left["FirstName"], left["LastName"]) == ("Bob", "Holder")
    assert (left["Email"], left["Phone"]) == ("bob@example.com", "+4930901820")
    assert (left["Tracker_Id__c"], left["Last_Source__c"]) == ("2", "bing")
    assert left["Last_Keyword__c"] is None
    told = "anonymized; another known person has it to themselves"
    assert done_at(receipt, "org/Contact") == {told: 1}
    assert [each["Id"] for each in shop.records("Task")] == [call]
    assert done_at(receipt, "org/Task") == {"left: under a record that is another person's too": 1}
    assert bobs_lead == bobs_lead_before
    hers = shop.org.table("Lead").rows[ids[CANARY]]
    assert hers["IsDeleted"] is (in_org == "delete"), "a converted lead cannot be changed"
    assert shop.cycle().counts.api_calls == 1

    # What is read back of the contact is Bob's.
    made = deal(shop, contact, CurrencyIsoCode=None)
    assert cycle(shop)[f"lead:2:opportunity:{made}"]["match"]["rule"] == "contact_role"
