"""Fields of a person who is there, by policy, and what becomes of one who is not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.accounts.store import FieldMapping, set_field_mapping
from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.cycle.test_people_who_change import emails, hand_over, ship, whose
from crm_pipeline_tests.depth import deep_but_first
from crm_pipeline_tests.flows.webinars.warehouse import LONG_AGO, add_person, attend, chat, register

ROUTES = pytest.mark.parametrize("route", ["composite", "bulk"])


def arrives(bench: Bench, **columns: Any) -> None:
    add_person(bench.connection, 1, **columns)
    register(bench.connection, 1, 1)
    assert bench.cycle().state == "Complete"


def tell(bench: Bench, **columns: object) -> None:
    changes = ", ".join(f"{column} = :{column}" for column in columns)
    statement = f"UPDATE warehouse.person SET {changes}, shipped_at = now()"
    bench.connection.execute(text(statement), columns)


def says(bench: Bench, column: str, value: object) -> None:
    tell(bench, **{column: value})
    assert bench.cycle().state == "Complete"


def reasons(bench: Bench) -> dict[str, str]:
    """Why something is left out, by kind."""
    rows = bench.connection.execute(
        text("SELECT kind, reason_code FROM crm.operation WHERE reason_code IS NOT NULL")
    )
    return {row.kind: row.reason_code for row in rows}


def lead(bench: Bench) -> dict[str, Any]:
    [only] = bench.records("Lead")
    return only


@ROUTES
@pytest.mark.parametrize(("there", "then"), [("Trade Show", "Trade Show"), (None, "Webinar")])
def test_a_first_match_leaves_where_the_person_came_from(
    bench: Bench, route: str, there: str | None, then: str
) -> None:
    bench.settings(route=route)
    bench.seed("Lead", LastName="Old", Company="x", Email="p1@example.com", LeadSource=there)
    arrives(bench)
    assert (lead(bench)["LeadSource"], lead(bench)["LastName"]) == (then, "Last 1")


def test_a_setting_s_new_lead_source_does_not_go_over_another_one(bench: Bench) -> None:
    arrives(bench)
    lead(bench)["LeadSource"] = "Trade Show"
    bench.settings(lead_source="Talk")
    says(bench, "job_title", "CTO")
    assert (lead(bench)["LeadSource"], lead(bench)["Title"]) == ("Trade Show", "CTO")


@ROUTES
@pytest.mark.parametrize("clears", [False, True])
def test_an_opt_out_is_set_by_a_clear_no_and_never_cleared(
    bench: Bench, route: str, clears: bool
) -> None:
    bench.settings(route=route, consent_clears_opt_out=clears)
    fields = ("HasOptedOutOfEmail", "HasOptedOutOfFax", "DoNotCall")
    for field in fields:
        mapping = FieldMapping("Lead", field, source="county")
        set_field_mapping(bench.connection, "acme", mapping)

    def noes() -> list[bool]:
        return [lead(bench)[field] for field in fields]

    # A yes to emails clears none but theirs, and that only where the account says so.
    kept = [not clears, True, True]
    there = {"LastName": "Old", "Company": "x", "Email": "p1@example.com"}
    bench.seed("Lead", **there, **dict.fromkeys(fields, True))
    arrives(bench, county="false")
    assert noes() == kept, "a first match"
    says(bench, "county", "true")
    assert noes() == [True] * 3
    says(bench, "county", "false")
    assert noes() == kept
    lead(bench).update(dict.fromkeys(fields, False))
    says(bench, "county", "true")
    assert noes() == [True] * 3


@ROUTES
def test_what_people_edited_stays_where_the_account_says_so(bench: Bench, route: str) -> None:
    bench.settings(route=route, person_fields="unless_edited")
    bench.seed("Lead", LastName="Real", Company="x", Email="p1@example.com")
    arrives(bench, job_title="CTO", city="Rome")
    found = lead(bench)
    assert (found["LastName"], found["Title"], found["City"]) == ("Real", "CTO", "Rome")
    found["City"] = "Bonn"
    says(bench, "job_title", "CEO")
    says(bench, "city", "Paris")
    assert (lead(bench)["Title"], lead(bench)["City"]) == ("CEO", "Bonn")


@pytest.mark.deep
@pytest.mark.parametrize("policy", ["unless_edited", "ask"])
@pytest.mark.parametrize("action", deep_but_first(1, ["reset_after", "reset_before"]))
@pytest.mark.parametrize("is_known", [True, False])
def test_values_of_lost_updates_are_ours_and_not_people_s(
    bench: Bench, policy: str, action: str, is_known: bool
) -> None:
    """What stood there after a lost answer was taken for people's edit, and stayed for good."""
    bench.settings(person_fields=policy)
    add_person(bench.connection, 1, job_title="CTO", city="Rome")
    register(bench.connection, 1, 1)
    if is_known:
        assert bench.cycle().state == "Complete"
    else:
        bench.seed("Lead", LastName="Last 1", Company="x", Email="p1@example.com")
    for title in ("CEO", "CFO"):
        bench.fault("collections.update", action, nth=1)
        tell(bench, job_title=title, city=f"{title} town")
        bench.cycle()
    lead(bench)["City"] = "Bonn"
    tell(bench, job_title="CTO", city="Rome")
    assert [bench.cycle().state for _ in range(3)][-1] == "Complete"
    assert (lead(bench)["Title"], lead(bench)["City"]) == ("CTO", "Bonn")
    assert len(bench.records("Lead")) == 1
    assert set(bench.states().values()) == {"done"}


@pytest.mark.deep
@pytest.mark.parametrize("typed", ["Phone", "phone"])
@pytest.mark.parametrize(
    ("policy", "phone"), [("never", "0"), ("source", "1"), ("when_empty", "0")]
)
def test_a_policy_holds_for_the_contact_that_a_lead_became(
    bench: Bench, policy: str, phone: str, typed: str
) -> None:
    bench.settings(person_field_policies={typed: policy})
    arrives(bench, phone_1="0")
    bench.admin("convert", lead_id=lead(bench)["Id"])
    says(bench, "phone_1", "1")
    attend(bench.connection, 1, 1, minute=60)
    assert bench.cycle().state == "Complete"
    assert [contact["Phone"] for contact in bench.records("Contact")] == [phone]


@pytest.mark.parametrize("campaigns", [None, {}])
@pytest.mark.parametrize("again", ["Lead", "Contact"])
def test_who_was_left_out_comes_with_all_activities_when_the_setting_changes(
    bench: Bench, campaigns: dict[str, Any] | None, again: str
) -> None:
    """They never became Leads, and what came of them was rejected for good."""
    bench.settings(unknown_email="neither", campaigns={})
    arrives(bench)
    assert bench.records("Lead") == bench.records("Event") == []
    assert set(bench.states().values()) == {"done", "left_out"}, "the campaign is there"
    assert reasons(bench) == {
        "person": "UNKNOWN_PERSON",
        "activity": "REFERENCE_LEFT_OUT",
        "member": "REFERENCE_LEFT_OUT",
    }
    bench.settings(unknown_email="neither", campaigns=campaigns)
    attend(bench.connection, 1, 1, minute=60)
    assert bench.cycle().state == "Complete"
    assert "rejected" not in bench.states().values()
    bench.settings(unknown_email=again, campaigns=campaigns)
    assert bench.cycle().state == "Complete"
    [person] = bench.records(again)
    assert [event["WhoId"] for event in bench.records("Event")] == [person["Id"]] * 2
    bench.settings(campaigns={})
    assert bench.cycle().state == "Complete"
    assert len(bench.records("CampaignMember")) == 1
    assert set(bench.states().values()) == {"done"}
    assert reasons(bench) == {}
    assert bench.cycle().counts.api_calls == 0


def test_who_is_somebody_known_now_brings_along_what_was_left_out(bench: Bench) -> None:
    bench.settings(unknown_email="neither")
    arrives(bench)
    lead_id = bench.seed("Lead", LastName="L", Company="C", Email="p2@example.com")
    add_person(bench.connection, 2)
    register(bench.connection, 2, 2)
    ship(bench, 1, p1="p2@example.com")
    assert bench.cycle().state == "Complete"
    assert [event["WhoId"] for event in bench.records("Event")] == [lead_id] * 2


@pytest.mark.deep
def test_what_changed_meanwhile_about_those_left_out_comes_once(bench: Bench) -> None:
    bench.settings(unknown_email="neither")
    arrives(bench)
    attend(bench.connection, 1, 1, minute=60)
    bench.cycle()
    chat(bench.connection, 1, 1, minute=70)
    add_person(bench.connection, 2)
    hand_over(bench, 1, person=2)
    ship(bench, p1="new@example.com")
    bench.cycle()
    bench.settings(unknown_email="Lead")
    assert bench.cycle().state == "Complete"
    assert emails(bench) == ["new@example.com", "p2@example.com"]
    assert sorted(whose(bench)) == ["new@example.com", "p2@example.com"]
    assert bench.cycle().counts.api_calls == 0


def change(record: dict[str, Any], at: datetime, **fields: Any) -> None:
    """As people do in the org, at this time."""
    record.update(fields, LastModifiedDate=f"{at:%Y-%m-%dT%H:%M:%S}.000+0000")


@ROUTES
def test_the_newest_word_stands_as_far_as_the_record_tells_its_time(
    bench: Bench, route: str
) -> None:
    bench.settings(route=route, person_fields="newest")
    arrives(bench, job_title="CTO", city="Rome")
    change(lead(bench), datetime.now(UTC) - timedelta(hours=1), Title="Boss")
    says(bench, "job_title", "CEO")
    assert lead(bench)["Title"] == "CEO", "said after that"
    bench.admin("settings", maintenance="down")
    bench.connection.execute(
        text("UPDATE warehouse.person SET job_title = 'Head', city = 'Bonn', shipped_at = now()")
    )
    bench.cycle()
    change(lead(bench), datetime.now(UTC) + timedelta(hours=1), Title="Chair")
    bench.admin("settings", maintenance="none")
    assert bench.cycle().state == "Complete"
    found = lead(bench)
    assert (found["Title"], found["City"]) == ("Chair", "Bonn"), "the city is ours"


@ROUTES
def test_at_a_first_match_the_newest_word_is_the_record_s_unless_it_was_changed_before(
    bench: Bench, route: str
) -> None:
    bench.settings(route=route, person_fields="newest")
    for number in (1, 2):
        email = f"p{number}@example.com"
        bench.seed("Contact", LastName="Old", Email=email, Title="Boss", MailingCity=None)
        add_person(bench.connection, number, job_title="CTO", city="Rome")
        register(bench.connection, number, number)
    change(bench.records("Contact")[0], LONG_AGO - timedelta(days=1))
    assert bench.cycle().state == "Complete"
    found = [(each["Title"], each["MailingCity"]) for each in bench.records("Contact")]
    assert found == [("CTO", "Rome"), ("Boss", "Rome")]
