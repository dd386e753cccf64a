"""Tracked leads become people with their attribution."""

from typing import Any

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.store import get_account
from crm_pipeline.inbound.asking import ask_for_removal
from crm_pipeline.inbound.scanning import places_of
from crm_pipeline.inbound.tombstones import hasher_of
from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.attribution.conftest import ATTRIBUTION, SHOP_ORG
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench, bench_of
from crm_pipeline_tests.flows.webinars.warehouse import LONG_AGO, add_person, register, track

__all__ = ["run"]

ADA: dict[str, Any] = {
    "contact_name": "Ada Lovelace",
    "email": "ada@example.com",
    "company_name": "Engines",
}
GOOGLE: dict[str, Any] = {
    "source": "google",
    "medium": "cpc",
    "campaign": "Spring",
    "gclid": "Cj0K",
}


def test_a_new_lead_becomes_a_lead_with_its_details_and_both_touches(shop: Bench) -> None:
    track(shop.connection, 4711, phone="030 901820", **ADA, **GOOGLE)
    report = shop.cycle()
    assert report.state == "Complete", report.reason
    [lead] = shop.records("Lead")
    assert {name: lead[name] for name in ("FirstName", "LastName", "Company", "Email")} == {
        "FirstName": "Ada",
        "LastName": "Lovelace",
        "Company": "Engines",
        "Email": "ada@example.com",
    }
    assert (lead["Phone"], lead["LeadSource"]) == ("+4930901820", "Web")
    assert (lead["Tracker_Id__c"], lead["Tracker_Kind__c"]) == ("4711", "form")
    for touch in ("First", "Last"):
        assert lead[f"{touch}_Source__c"] == "google"
        assert lead[f"{touch}_Gclid__c"] == "Cj0K"
        assert lead.get(f"{touch}_Keyword__c") is None
    assert report.tally["tracked_leads", "leads_new"] == 1
    assert shop.cycle().counts.api_calls == 0


def test_leads_of_before_the_start_are_kept_and_come_when_it_moves(shop: Bench) -> None:
    shop.settings(attribution=ATTRIBUTION, start_at=LONG_AGO.isoformat())
    track(shop.connection, 4710, minute=-5, email="early@example.com", **GOOGLE)
    track(shop.connection, 4711, **ADA, **GOOGLE)
    report = shop.cycle()
    assert [lead["Email"] for lead in shop.records("Lead")] == ["ada@example.com"]
    assert report.tally["tracked_leads", "rejected"] == 1
    shop.settings(attribution=ATTRIBUTION, start_at=None)
    shop.cycle()
    assert len(shop.records("Lead")) == 2


def test_what_somebody_typed_is_redacted_before_it_is_kept(shop: Bench) -> None:
    card = "4111 1111 1111 1111"
    shop.settings(redaction=["cards", "phones"])
    track(shop.connection, 4711, phone="030 901820", keyword=f"pay {card}", **ADA, **GOOGLE)
    report = shop.cycle()
    [lead] = shop.records("Lead")
    assert [lead[f"{touch}_Keyword__c"] for touch in ("First", "Last")] == 2 * ["pay [removed]"]
    assert lead["Phone"] == "+4930901820", "in the column that is for it"
    assert report.tally["tracked_leads", "redacted"] == 1
    assert "Taken out of what people wrote: 1 of cards" in report.notes
    assert list(places_of(shop.connection.engine, card)) == []


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"is_spam": True, **ADA}, "spam"),
        ({"is_duplicate": True, **ADA}, "duplicate"),
        ({"kind": "fax", **ADA}, "unknown kind"),
        ({"contact_name": "Nobody"}, "no email and no valid phone number"),
        ({"email": "nobody@", "phone": "0000000000"}, "no email and no valid phone number"),
        ({"happened_at": "infinity", **ADA}, "happened_at is no usable time"),
    ],
)
def test_what_is_not_sent_is_counted_with_its_reason(
    shop: Bench, columns: dict[str, Any], reason: str
) -> None:
    track(shop.connection, 1, **columns)
    report = shop.cycle()
    assert (report.state, shop.records("Lead")) == ("Complete", [])
    assert report.tally["tracked_leads", f"rejected: {reason}"] == 1
    assert report.tally["tracked_leads", "rejected"] == 1


def test_the_first_touch_stays_and_the_last_one_is_replaced_as_a_whole(shop: Bench) -> None:
    track(shop.connection, 1, **ADA, **GOOGLE)
    shop.cycle()
    track(shop.connection, 2, minute=60, **ADA, source="bing")
    track(shop.connection, 3, minute=90, **ADA)
    shop.cycle()
    [lead] = shop.records("Lead")
    assert (lead["First_Source__c"], lead["First_Campaign__c"]) == ("google", "Spring")
    assert (lead["Last_Source__c"], lead["Last_Campaign__c"], lead["Last_Gclid__c"]) == (
        "bing",
        None,
        None,
    )
    assert lead["Tracker_Id__c"] == "1"


def test_a_click_id_that_is_too_long_for_its_field_is_left_out_and_never_cut(shop: Bench) -> None:
    track(shop.connection, 1, **ADA, **GOOGLE)
    shop.cycle()
    long: dict[str, Any] = {"gclid": "G" * 300, "campaign": "c" * 300}
    track(shop.connection, 2, minute=60, **ADA, **long)
    track(shop.connection, 3, email="bob@example.com", **long)
    report = shop.cycle()
    assert "Last_Gclid__c (2)" in report.notes
    ada, bob = shop.records("Lead")
    assert (ada["Last_Gclid__c"], bob.get("Last_Gclid__c")) == (None, None)
    assert ada["Last_Campaign__c"] == bob["Last_Campaign__c"] == "c" * 255
    assert ada["First_Gclid__c"] == "Cj0K"
    assert shop.cycle().counts.api_calls == 0
    # Where the field is empty already, nothing is written for another one that is too long.
    longer = {**long, "gclid": "H" * 300}
    for number, address in ((4, ADA["email"]), (5, "bob@example.com")):
        track(shop.connection, number, minute=90, **longer, email=address)
    report = shop.cycle()
    assert "Last_Gclid__c (2)" in report.notes
    assert report.counts.api_calls == 0


def test_a_registrant_who_also_called_is_one_person_with_what_both_say(shop: Bench) -> None:
    """Both are read in one cycle, and neither takes the place of what the other wants."""
    add_person(shop.connection, 1, "ada@example.com", job_title="Countess", phone_1="1")
    register(shop.connection, 1, 1, minute=30)
    track(shop.connection, 1, **{**ADA, "contact_name": "A. King"}, **GOOGLE)
    shop.cycle()
    [lead] = shop.records("Lead")
    said = ("FirstName", "Title", "Phone", "First_Source__c", "LeadSource")
    assert [lead[name] for name in said] == ["First 1", "Countess", "1", "google", "Webinar"]
    assert len(shop.records("Event")) == 1
    track(shop.connection, 1, minute=60, contact_name="Ada King", source="bing")
    add_person_again(shop, job_title="Lady")
    shop.cycle()
    [lead] = shop.records("Lead")
    assert [lead[name] for name in ("FirstName", "Title", "Last_Source__c")] == [
        "First 1",
        "Lady",
        "bing",
    ]


def test_details_of_a_record_that_is_there_are_filled_and_not_overwritten(shop: Bench) -> None:
    shop.seed("Contact", LastName="Byron", Email="ada@example.com")
    track(shop.connection, 1, phone="030 901820", **ADA)
    shop.cycle()
    [contact] = shop.records("Contact")
    assert (contact["FirstName"], contact["LastName"]) == ("Ada", "Byron")
    assert contact["Phone"] == "+4930901820"
    track(shop.connection, 1, minute=60, phone="030 901821", contact_name="Augusta King")
    shop.cycle()
    [contact] = shop.records("Contact")
    assert (contact["FirstName"], contact["LastName"]) == ("Augusta", "Byron")
    assert contact["Phone"] == "+4930901821"


def test_a_name_that_comes_later_takes_the_place_of_none(shop: Bench) -> None:
    track(shop.connection, 1, email="ada@example.com")
    shop.cycle()
    [lead] = shop.records("Lead")
    assert (lead["LastName"], lead["Company"]) == ("[not provided]", "[not provided]")
    track(shop.connection, 1, minute=60, **ADA)
    shop.cycle()
    [lead] = shop.records("Lead")
    assert (lead["FirstName"], lead["LastName"], lead["Company"]) == ("Ada", "Lovelace", "Engines")


def test_a_field_that_is_named_later_is_filled_for_everybody(shop: Bench) -> None:
    shop.settings(attribution={**ATTRIBUTION, "first_touch": {}})
    track(shop.connection, 1, **ADA, **GOOGLE, recording_url="https://calls.example/1")
    shop.cycle()
    assert not shop.records("Lead")[0].get("First_Source__c")
    shop.settings(attribution={**ATTRIBUTION, "further_fields": {"Recording__c": "recording_url"}})
    report = shop.cycle()
    [lead] = shop.records("Lead")
    assert (lead["First_Source__c"], lead["Recording__c"]) == ("google", "https://calls.example/1")
    assert report.tally["tracked_leads", "leads_new"] == 0
    assert shop.cycle().counts.api_calls == 0


def test_a_further_field_may_be_made_by_a_template_of_the_newest_lead_that_it_takes(
    run: Run, shop: Bench
) -> None:
    """And where no lead says anything of use, there is the default, which `find` tells."""
    table = {"source": "medium", "lookup": {"CPC": "Paid"}, "default": "Other"}
    shop.settings(attribution={**ATTRIBUTION, "further_fields": {"Recording__c": table}})
    track(shop.connection, 1, **ADA, **GOOGLE)
    track(shop.connection, 2, minute=60, **ADA, medium="strange")
    track(shop.connection, 3, email="bob@example.com", contact_name="Bob", medium="strange")
    # The two strange ones; and shown by their words.
    missed = "templates of these fields make nothing of: Lead.Recording__c (2)"
    assert missed in str(shop.cycle().notes)
    shown = run("account", "mapping", "missed", ACCOUNT).stdout
    assert "Lead.Recording__c\tstrange\t2" in shown
    made = {lead["Email"]: lead["Recording__c"] for lead in shop.records("Lead")}
    assert made == {"ada@example.com": "Paid", "bob@example.com": "Other"}
    template = "medium by a table of 1 row"
    assert f"Recording__c\tPaid\t{template}" in run("find", ACCOUNT, "ada@example.com").stdout
    told = run("find", ACCOUNT, "bob@example.com").stdout
    assert f"Recording__c\tOther\tdefault, as nothing came of {template}" in told
    quiet = shop.cycle()
    assert quiet.counts.api_calls == 0
    assert "make nothing" not in str(quiet.notes)
    table["lookup"] = {"CPC": "Paid", "strange": "Odd"}
    shop.settings(attribution={**ATTRIBUTION, "further_fields": {"Recording__c": table}})
    assert "make nothing" not in str(shop.cycle().notes)
    assert "make something of" in run("account", "mapping", "missed", ACCOUNT).stdout


def test_the_last_touch_that_turns_out_to_be_spam_counts_no_more(shop: Bench) -> None:
    """Although what is left is older; nor is one lost that was shipped before that was known."""
    track(shop.connection, 1, **ADA, source="google")
    shop.cycle()
    track(shop.connection, 2, minute=60, **ADA, source="spam")
    shop.cycle()
    assert shop.records("Lead")[0]["Last_Source__c"] == "spam"
    track(shop.connection, 2, minute=90, is_spam=True)
    shop.cycle()
    assert shop.records("Lead")[0]["Last_Source__c"] == "google"
    track(shop.connection, 3, minute=70, **ADA, source="bing")
    shop.cycle()
    assert shop.records("Lead")[0]["Last_Source__c"] == "bing"


@pytest.mark.deep
def test_of_a_person_whose_only_touch_was_spam_no_last_touch_stays(shop: Bench) -> None:
    """The record and its first touch do: people may have worked with it. Nobody is made of spam."""
    bob: dict[str, Any] = {
        "contact_name": "Bob Babbage",
        "email": "bob@example.com",
        "company_name": "Engines",
    }
    track(shop.connection, 1, **ADA, **GOOGLE)
    track(shop.connection, 2, **bob, **GOOGLE)
    track(shop.connection, 3, minute=1, **bob)
    shop.cycle()
    shop.fault("composite", "error", status=500)
    track(shop.connection, 4, email="new@example.com", source="google")
    shop.cycle()
    shop.org.weather.faults.clear()
    for number in (1, 2, 4):
        track(shop.connection, number, minute=60, is_spam=True)
    for _ in range(2):
        assert shop.cycle().state == "Complete"
    there = {lead["Email"]: lead for lead in shop.records("Lead")}
    assert there.keys() == {"ada@example.com", "bob@example.com"}
    for lead in there.values():
        assert (lead["First_Source__c"], lead.get("Last_Source__c")) == ("google", None)
    # Deleted by people, it is not made anew for what counts no more; for what does, it is.
    shop.admin("delete", ids=[there["ada@example.com"]["Id"]])
    track(shop.connection, 5, minute=90, **ADA, source="bing")
    shop.cycle()
    there = {lead["Email"]: lead for lead in shop.records("Lead")}
    assert there["ada@example.com"]["Last_Source__c"] == "bing"
    shop.admin("delete", ids=[there["ada@example.com"]["Id"]])
    track(shop.connection, 5, minute=95, is_spam=True)
    for _ in range(2):
        shop.cycle()
    assert [lead["Email"] for lead in shop.records("Lead")] == ["bob@example.com"]
    assert shop.cycle().counts.api_calls == 0


@pytest.mark.deep
@pytest.mark.parametrize("action", ["reset_before", "reset_after"])
def test_what_is_to_be_emptied_is_emptied_though_the_answer_was_lost(
    shop: Bench, run: Run, action: str
) -> None:
    """Unknown and nothing were the same: the values of a lead that counts no more stayed."""
    track(shop.connection, 1, **ADA, **GOOGLE)
    track(shop.connection, 2, email="bob@example.com", **GOOGLE)
    assert shop.cycle().state == "Complete"
    track(shop.connection, 1, minute=60, is_spam=True)
    shop.fault("collections.update", action, times=1)
    for _ in range(2):
        shop.cycle()
    emptied = ("Last_Source__c", "Last_Medium__c", "Last_Gclid__c")

    def last_touches() -> list[Any]:
        leads = sorted(shop.records("Lead"), key=lambda lead: str(lead["Email"]))
        return [lead.get(field) for lead in leads for field in emptied]

    assert last_touches() == [None] * 3 + ["google", "cpc", "Cj0K"]
    # Nor does sending again leave what people put there.
    for lead in shop.records("Lead"):
        lead["Last_Source__c"] = "typed"
    run("account", "send-again", ACCOUNT, "Last_Source__c", "--yes")
    assert shop.cycle().state == "Complete"
    assert last_touches() == [None] * 3 + ["google", "cpc", "Cj0K"]
    assert shop.cycle().counts.api_calls == 0


def test_a_field_of_a_column_that_the_tracker_lacks_is_an_error(shop: Bench) -> None:
    shop.settings(attribution={**ATTRIBUTION, "further_fields": {"Recording__c": "recordings"}})
    track(shop.connection, 1, **ADA)
    report = shop.cycle()
    assert report.state == "Failed"
    assert "'recordings'" in (report.reason or "")


def add_person_again(shop: Bench, **columns: Any) -> None:
    """The person says something else now."""
    changes = ", ".join(f"{name} = :{name}" for name in columns)
    shop.connection.execute(
        text(f"UPDATE warehouse.person SET shipped_at = now(), {changes}"), columns
    )


@pytest.mark.deep
def test_leads_of_somebody_who_was_removed_come_no_more(shop: Bench) -> None:
    track(shop.connection, 1, phone="030 901820", **ADA, **GOOGLE)
    track(shop.connection, 2, phone="030 901820", contact_name="A. Lovelace", minute=1)
    track(shop.connection, 3, email="bob@example.com", contact_name="Bob", minute=1)
    shop.cycle()
    with shop.connection.begin_nested():
        hasher = hasher_of(shop.connection, get_account(shop.connection, ACCOUNT))
        ask_for_removal(
            shop.connection, hasher, "ada@example.com", does="erase", door="command", name="test"
        )
    assert shop.cycle(frozenset(("removals",))).state == "Complete"
    track(shop.connection, 1, minute=2, contact_name="Ada Lovelace again")
    track(shop.connection, 2, minute=2, contact_name="A. Lovelace again")
    assert shop.cycle().state == "Complete"
    for said in ("ada@", "lovelace", "901820"):
        assert list(places_of(shop.connection.engine, said)) == []
    assert list(places_of(shop.connection.engine, "bob@example.com"))


def test_what_a_conversion_leaves_behind_is_written_where_the_contact_has_nothing(
    pipeline: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An admin maps each custom field by itself, or forgets to; some people convert by hand."""
    unmapped = ["first_source__c", "Last_Source__c", "Last_Campaign__c", "Tracker_Kind__c"]
    org = {"name": ACCOUNT, **SHOP_ORG, "unmapped_lead_fields": unmapped}
    with bench_of(org, pipeline, monkeypatch) as shop:
        shop.settings(
            attribution=ATTRIBUTION,
            person_field_policies={"Tracker_Kind__c": "never"},
            read_back_minutes=0,
        )
        track(shop.connection, 1, **ADA, **GOOGLE)
        shop.cycle()
        contact_id = shop.admin("convert", lead_id=shop.records("Lead")[0]["Id"])["contact_id"]
        edits = {"LastName": "King", "Last_Campaign__c": "by phone", "First_Medium__c": "fair"}
        shop.admin("edit", id=contact_id, fields=edits)
        report = shop.cycle()
        assert report.state == "Complete", report.reason
        [contact] = shop.records("Contact")
        known = ("LastName", "First_Source__c", "Last_Source__c", "First_Gclid__c")
        assert [contact[each] for each in known] == ["King", "google", "google", "Cj0K"]
        edited = ("Last_Campaign__c", "First_Medium__c", "Tracker_Kind__c")
        assert [contact.get(each) for each in edited] == ["by phone", "fair", None]
        # Looked at once: what people empty afterwards stays empty, and what the source says comes.
        shop.admin("edit", id=contact_id, fields={"First_Source__c": None})
        track(shop.connection, 2, minute=60, **ADA, source="bing", campaign="Fall")
        shop.cycle()
        [contact] = shop.records("Contact")
        touches = ("First_Source__c", "Last_Source__c", "Last_Campaign__c")
        assert [contact.get(each) for each in touches] == [None, "bing", "Fall"]
        assert shop.cycle().counts.api_calls == 1


def test_a_converted_lead_is_followed_and_the_contact_gets_both_touches(shop: Bench) -> None:
    """What was sent to the lead goes along, where the admin has mapped the fields."""
    track(shop.connection, 1, **ADA, **GOOGLE)
    shop.cycle()
    shop.admin("convert", lead_id=shop.records("Lead")[0]["Id"])
    track(shop.connection, 2, minute=60, **ADA, source="bing")
    assert shop.cycle().state == "Complete"
    [contact] = shop.records("Contact")
    assert contact["Last_Source__c"] == "bing"
    assert (contact.get("First_Source__c"), contact.get("Tracker_Id__c")) == ("google", "1")
    assert len(shop.records("Lead")) == 1
