"""The rules of campaigns: which campaign, which status, what of it is new."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_pipeline.accounts.account import AccountError, AccountSettings
from crm_pipeline.accounts.campaigns import CampaignSettings
from crm_pipeline.accounts.store import FieldMapping
from crm_pipeline.flows.campaigns import rules
from crm_pipeline.flows.campaigns.rules import (
    Choices,
    fingerprint,
    member_map,
)
from crm_pipeline.flows.campaigns.wanted import campaign_intent
from crm_pipeline.ledger.campaigns import Said
from crm_pipeline.ledger.intents import Intent
from crm_pipeline.sources.events import Event
from crm_pipeline.sources.participations import ExtractName, Participation
from crm_pipeline_tests.flows.people import people_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MAP = member_map(
    [
        FieldMapping("CampaignMember", "Source__c", source="source"),
        FieldMapping("CampaignMember", "Minutes__c", source="minutes_attended"),
        FieldMapping("Lead", "Title", constant="not a member's"),
    ]
)


def chosen(filters: tuple[str, ...] = (), links: dict[str, str] | None = None, **settings: Any):
    return Choices(CampaignSettings(**settings), MAP, links or {}, filter_strings=filters)


def row(
    source: ExtractName = "registrations", *, minute: int = 0, session: int = 70, **columns: Any
) -> Participation:
    known = {"person_id": 1, "email": "Ada@example.com", "event_id": 7, "status": "registered"}
    shipped = NOON + timedelta(minutes=minute)
    return Participation(source, minute + 1, session, NOON, shipped, known | columns)


def member_intents(
    rows: Sequence[Participation], choices: Choices, known: Mapping[str, Said]
) -> list[Intent]:
    people = people_of(rows, choices.filter_strings)
    return rules.member_intents(rows, choices, people, known)


def test_one_membership_for_each_person_and_event_with_one_status() -> None:
    rows = [row(source="registrations"), row("attendances", minute=5), row(event_id=8)]
    first, second = member_intents(rows, chosen(), {})
    assert (first.natural_key, first.person_key) == ("member:7:1", 1)
    assert (first.fields["Status"], first.as_of) == ("Attended", NOON + timedelta(minutes=5))
    assert (second.natural_key, second.fields["Status"]) == (
        "member:8:1",
        "Registered",
    )


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_attended_stays_attended_in_whatever_order_rows_come(order: tuple[int, ...]) -> None:
    rows = [
        row(),
        row(status="cancelled", minute=10),
        row("attendances", minute=5),
        row(status="no_show", minute=60),
    ]
    known: dict[str, Said] = {}
    for place in order:
        [member] = member_intents([rows[place]], chosen(), known)
        known = {member.natural_key: Said(member.as_of, member.fields, member.memory)}
    assert member.fields["Status"] == "Attended"
    assert member.as_of == NOON + timedelta(minutes=60)


def test_a_stage_without_a_status_makes_no_member() -> None:
    choices = chosen(cancelled=None)
    [member] = member_intents([row(status="cancelled")], choices, {})
    assert member.rejected_because is not None
    [member] = member_intents([row(status="cancelled"), row(minute=1)], choices, {})
    assert (member.rejected_because, member.fields["Status"]) == (None, "Registered")


def test_further_fields_keep_their_newest_values_and_are_never_blanked() -> None:
    [member] = member_intents([row(source="registrations")], chosen(), {})
    assert member.fields["fields"] == {}
    rows = [row(minute=0), row(minute=1)]
    rows[0].columns["source"], rows[1].columns["source"] = "email", ""  # type: ignore[index]
    [member] = member_intents(rows, chosen(), {})
    said = {member.natural_key: Said(member.as_of, member.fields, member.memory)}
    [member] = member_intents([row("attendances", minute=9, minutes_attended=30)], chosen(), said)
    assert member.fields["fields"] == {"Source__c": "email", "Minutes__c": 30}


def test_minutes_are_summed_over_the_sessions_of_an_event_each_attendance_once() -> None:
    first, second = (
        row("attendances", minute=n, session=n, minutes_attended=30 + n) for n in (1, 2)
    )
    longer = row("attendances", minute=2, session=2, minutes_attended=45)
    known: dict[str, Said] = {}
    for rows, total in (([second], 32), ([first], 63), ([first, second], 63), ([longer], 76)):
        [member] = member_intents(rows, chosen(), known)
        assert member.fields["fields"]["Minutes__c"] == total
        known = {member.natural_key: Said(member.as_of, member.fields, member.memory)}


def test_minutes_of_visits_to_one_session_count_once_each_and_once_only() -> None:
    at_once = row("attendances", minute=1, minutes_attended=30)
    longer = row("attendances", minute=2, minutes_attended=45)
    known: dict[str, Said] = {}
    for rows in ([at_once], [longer], [at_once, longer]):
        [member] = member_intents(rows, chosen(), known)
        known = {member.natural_key: Said(member.as_of, member.fields, member.memory)}
    assert member.fields["fields"]["Minutes__c"] == 45
    nothing = row("attendances", minute=2, minutes_attended=0)
    [member] = member_intents([nothing], chosen(), known)
    assert member.fields["fields"]["Minutes__c"] == 30


def test_who_is_at_two_sessions_at_once_was_at_each_for_its_minutes() -> None:
    percent = FieldMapping("CampaignMember", "Percent__c", source="percent_attended")
    minutes = FieldMapping("CampaignMember", "Minutes__c", source="minutes_attended")
    choices = replace(chosen(grain="both"), members=member_map([percent, minutes]))
    hour = {"session_starts_at": NOON, "session_ends_at": NOON + timedelta(hours=1)}
    visits = [
        row("attendances", minute=each, session=session, minutes_attended=30, **hour)
        for each, session in ((0, 70), (1, 71), (2, 71))
    ]
    said = {each.natural_key: each.fields["fields"] for each in member_intents(visits, choices, {})}
    # Each minute of a session once: its two visits were one; half of each of two hours.
    assert said == {
        "member:7:1": {"Minutes__c": 60, "Percent__c": 50},
        "member:session:70:1": {"Minutes__c": 30, "Percent__c": 50},
        "member:session:71:1": {"Minutes__c": 30, "Percent__c": 50},
    }


VISIT = st.tuples(st.integers(1, 3), st.integers(0, 80), st.integers(1, 90))
"""A visit: of which session, the minute in which it begins, and how many it takes."""


@given(st.lists(VISIT, min_size=1, max_size=6), st.data())
def test_minutes_and_percent_are_those_of_brute_force_in_any_order_and_never_over_100(
    visits: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    """Late, twice, one by one: each minute of a session of an hour once."""
    names = {"Percent__c": "percent_attended", "Minutes__c": "minutes_attended"}
    fields = [FieldMapping("CampaignMember", field, source=of) for field, of in names.items()]
    choices = replace(chosen(), members=member_map(fields))
    hour = {"session_starts_at": NOON, "session_ends_at": NOON + timedelta(hours=1)}
    who = {"person_id": 1, "email": "ada@example.com", "event_id": 7}
    rows = [
        Participation(
            "attendances",
            number,
            session,
            NOON + timedelta(minutes=begins),
            NOON + timedelta(hours=number),
            {**who, **hour, "minutes_attended": minutes},
        )
        for number, (session, begins, minutes) in enumerate(visits, 1)
    ]
    known: dict[str, Said] = {}
    again = data.draw(st.lists(st.sampled_from(rows), max_size=3))
    for each in data.draw(st.permutations([*rows, *again])):
        [member] = member_intents([each], choices, known)
        known = {member.natural_key: Said(member.as_of, member.fields, member.memory)}
    there: dict[int, set[int]] = {}
    for session, begins, minutes in visits:
        there.setdefault(session, set()).update(range(begins, begins + minutes))
    share = Fraction(sum(min(len(each), 60) for each in there.values()), 60 * len(there))
    assert member.fields["fields"] == {
        "Minutes__c": sum(map(len, there.values())),
        "Percent__c": round(100 * share),
    }
    assert member.fields["fields"]["Percent__c"] <= 100


@pytest.mark.parametrize(
    ("says", "zone", "ends"),
    [
        ("2026-03-01 00:00", "UTC", "2026-03-01T00:00"),
        (NOON.replace(tzinfo=None), "Asia/Tokyo", "2026-03-01T03:00"),
        ("2026-03-01 00:00", "America/New_York", "2026-03-01T05:00"),
        ("2026-03-01 00:00", "Pacific/Kiritimati", "2026-02-28T10:00"),
        (datetime(2026, 3, 1, 0, 0, tzinfo=UTC), "America/New_York", "2026-03-01T00:00"),
        # A clock that goes forward, and one that goes back: the first of the two hours.
        ("2026-03-29 02:30", "Europe/Berlin", "2026-03-29T01:30"),
        ("2026-10-25 02:30", "Europe/Berlin", "2026-10-25T00:30"),
        ("2026-03-01 00:00:00+09:00", "UTC", "2026-02-28T15:00"),
        # A day is over at its end, where that is, though it has 23 hours.
        (date(2026, 3, 1), "UTC", "2026-03-02T00:00"),
        ("2026-03-29", "Europe/Berlin", "2026-03-29T22:00"),
        # Not known, or known no more: nobody is a no-show of it.
        (None, "UTC", "9999-12-31T00:00"),
        ("soon", "UTC", "9999-12-31T00:00"),
    ],
)
def test_sessions_end_when_and_where_the_warehouse_says(says: Any, zone: str, ends: str) -> None:
    [end] = rules.session_ends([row(session_ends_at=says)], zone).values()
    assert end.astimezone(UTC).isoformat(timespec="minutes") == f"{ends}+00:00"


def test_a_warehouse_that_tells_no_ends_has_none() -> None:
    assert rules.session_ends([row()], "UTC") == {}


def test_who_saw_the_recording_is_as_registered_as_before_where_that_is_not_sent() -> None:
    seen = row("attendances", minute=1, kind="on_demand")
    [member] = member_intents([row(), seen], chosen(), {})
    assert member.fields["Status"] == "Attended On-demand"
    for settings in ({"attended_on_demand": None}, {"unknown_status": "report"}):
        [member] = member_intents([row(), seen], chosen(**settings), {})
        assert member.fields["Status"] == "Registered"
        [member] = member_intents([seen], chosen(**settings), {})
        assert member.rejected_because == "the account sends no status for this stage"
    untold = replace(chosen(), recordings=False)
    assert "attended_on_demand" not in untold.statuses
    own = {"label": "Saw it", "priority": 9}
    told = replace(chosen(attended_on_demand=own, unknown_status="report"), recordings=False)
    assert told.statuses["attended_on_demand"].label == "Saw it"


def test_filtered_addresses_are_no_members() -> None:
    rows = [row(), row(email=""), row(email="x@rival.example")]
    assert len(member_intents(rows, chosen(("rival",)), {})) == 1


def test_an_event_that_nobody_linked_is_said_to_be_so_until_somebody_does() -> None:
    [member] = member_intents([row()], chosen(create_campaigns=False), {})
    assert member.rejected_because == "no campaign is linked to the event"
    linked = chosen(links={"7": "701000000000001AAA"}, create_campaigns=False)
    [member] = member_intents(
        [row()], linked, {member.natural_key: Said(NOON, member.fields, member.memory)}
    )
    assert member.rejected_because is None
    assert member.fields["link"] == "701000000000001AAA"


def test_a_campaign_has_the_event_s_name_type_days_and_statuses() -> None:
    event = Event(7, "x" * 90, date(2026, 3, 1), date(2026, 3, 2), (70,))
    intent = campaign_intent(event, chosen(), NOON)
    assert intent.natural_key == "campaign:7"
    campaign = intent.fields["campaign"]
    assert (len(campaign["Name"]), campaign["Type"]) == (80, "Webinar")
    assert (campaign["StartDate"], campaign["EndDate"]) == ("2026-03-01", "2026-03-02")
    labels = [status["Label"] for status in intent.fields["statuses"]]
    assert labels == ["Registered", "Cancelled", "No Show", "Attended On-demand", "Attended"]
    assert [status["HasResponded"] for status in intent.fields["statuses"]][-1] is True


def test_an_event_of_whose_name_nobody_sees_anything_is_told_by_its_number() -> None:
    for name in ("", " ", "\x01", "\u200b \ufeff"):
        event = Event(7, name, date(2026, 3, 1), date(2026, 3, 2), (70,))
        assert campaign_intent(event, chosen(), NOON).fields["campaign"]["Name"] == "Event 7"


def test_what_is_sent_of_members_has_a_fingerprint() -> None:
    same = fingerprint(Choices(CampaignSettings(), MAP, {}))
    assert fingerprint(Choices(CampaignSettings(campaign_type="Talk"), MAP, {})) == same
    renamed = CampaignSettings(attended={"label": "Was there", "priority": 4})
    assert fingerprint(Choices(renamed, MAP, {})) != same
    assert fingerprint(Choices(CampaignSettings(), member_map([]), {})) != same
    assert fingerprint(Choices(CampaignSettings(external_id_field="Key__c"), MAP, {})) != same


def test_campaigns_are_off_by_default_and_may_be_given_as_json() -> None:
    assert AccountSettings().campaigns is None
    settings = AccountSettings.parse("acme", {"campaigns": '{"campaign_type": "Talk"}'})
    assert settings.campaigns == CampaignSettings(campaign_type="Talk")


def test_what_is_expected_is_said() -> None:
    pardot = {"business_unit": "x", "extension": "E", "types": {"attended": "A"}, "most_per_day": 1}
    with pytest.raises(AccountError, match="the Id of a unit is expected, such as 0Uv"):
        AccountSettings.parse("acme", {"campaigns": {"account_engagement": pardot}})
    with pytest.raises(AccountError, match="stage_of is one of the account itself"):
        AccountSettings.parse("acme", {"campaigns": {"stage_of": {}}})
    with pytest.raises(
        AccountError, match=r"'Atendee' would let nobody in; did you mean attendee\?$"
    ):
        AccountSettings.parse("acme", {"roles": '["Atendee"]'})
    assert AccountSettings.parse("acme", {"roles": '["Attendees", "Referent"]'}).roles


@pytest.mark.parametrize(
    "campaigns",
    ["yes", '{"attended": {"label": "registered", "priority": 9}}', '{"registered": null}', "[]"],
)
def test_impossible_settings_are_refused_in_one_line(campaigns: str) -> None:
    with pytest.raises(AccountError, match=r"^Account acme: setting campaigns"):
        AccountSettings.parse("acme", {"campaigns": campaigns})
