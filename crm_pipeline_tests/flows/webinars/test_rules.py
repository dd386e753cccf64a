"""The webinar cycle's rules: filter, map, merge."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.accounts.store import FieldMapping
from crm_pipeline.flows.webinars import rules
from crm_pipeline.flows.webinars.rules import Choices, person_fields
from crm_pipeline.ledger.intents import Intent
from crm_pipeline.sources.mapping import FieldMap, field_maps, rejection
from crm_pipeline.sources.participations import ExtractName, Participation
from crm_pipeline_tests.flows.people import people_of

UNKNOWN_STATUS = "nobody has said what its status means (stage_of)"
TOO_SHORT = "there for fewer minutes than count as attended"
NO_MINUTES = "a visit of no minutes"
BEFORE_START = "a visit that was over before the session began (early_visits_count)"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MAPS = field_maps(AccountSettings(), [])

ADA = {
    "person_id": 1,
    "email": " Ada@Example.com ",
    "first_name": "Ada",
    "surname": "Lovelace",
    "title": "Ms",
    "job_title": "Analyst",
    "company_name": "Engines",
    "street": "1 Mill Lane",
    "city": "London",
    "county": "",
    "postal_code": "N1",
    "country_code": "GB",
    "phone_1": None,
}


def participation(
    number: int = 1, source: ExtractName = "registrations", *, minute: int = 0, **columns: Any
) -> Participation:
    happened = NOON + timedelta(minutes=minute)
    return Participation(
        source, number, 7, happened, happened + timedelta(hours=1), {**ADA, **columns}
    )


def intents(
    rows: Sequence[Participation], maps: Mapping[str, FieldMap], filter_strings: Sequence[str]
) -> list[Intent]:
    chosen = Choices(maps, filter_strings)
    refused = rules.refusals(rows, chosen)
    return rules.intents(rows, chosen, people_of(rows, filter_strings), refused)


def refused_for(status: str | None, **settings: Any) -> str | None:
    """Why a registration of this status has no activity."""
    chosen = rules.choices(AccountSettings(**settings), [], [])
    return rules.refusal(participation(status=status), chosen)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (None, None),
        ("Registered", None),
        ("approved", None),
        ("cancelled", None),
        ("no-show", None),
        ("waitlisted", "waitlisted"),
        ("Wait_Listed", "waitlisted"),
        ("pending", "pending"),
        ("denied", "declined"),
        ("declined", "declined"),
        ("invited", "invited"),
        ("quizás", UNKNOWN_STATUS),
        (7, UNKNOWN_STATUS),
        (["registered"], UNKNOWN_STATUS),
    ],
)
def test_a_status_that_is_no_registration_has_no_activity(status: Any, reason: str | None) -> None:
    assert refused_for(status) == reason


def test_the_account_says_whose_rows_become_people_and_what_its_words_mean() -> None:
    assert refused_for("waitlisted", people_from_stages=["waitlisted"]) is None
    assert refused_for("registered", people_from_stages=["waitlisted"]) == "registered"
    assert refused_for("Quizás", stage_of={"quizás": "registered"}) is None
    assert refused_for("quizás", stage_of={"QUIZÁS": "pending"}) == "pending"
    assert refused_for("quizás", unknown_stage="registered") is None
    chosen = rules.choices(AccountSettings(people_from_stages=["registered"]), [], [])
    assert rules.refusal(participation(source="attendances"), chosen) == "attended"


def test_an_attendance_of_no_minutes_is_none_and_one_of_unknown_minutes_is_one() -> None:
    chosen = rules.choices(AccountSettings(), [], [])
    reasons = [
        rules.refusal(participation(source="attendances", minutes_attended=minutes), chosen)
        for minutes in (0, None, 1)
    ]
    assert reasons == [NO_MINUTES, None, None]


@pytest.mark.parametrize(
    ("early", "columns", "settings", "reason"),
    [
        (30, {"minutes_attended": 29}, {}, BEFORE_START),
        (30, {"minutes_attended": 30}, {}, BEFORE_START),
        (30, {"minutes_attended": 31}, {}, None),
        (30, {"minutes_attended": 30.5}, {}, TOO_SHORT),
        (30, {"minutes_attended": 40}, {"attended_at_least_minutes": 15}, TOO_SHORT),
        (30, {"minutes_attended": 45}, {"attended_at_least_minutes": 15}, None),
        (30, {"minutes_attended": 0}, {}, NO_MINUTES),
        (30, {"minutes_attended": None}, {}, None),
        (30, {"minutes_attended": 29, "kind": "replay"}, {}, None),
        (30, {"minutes_attended": 29, "kind": "simulive"}, {}, BEFORE_START),
        (30, {"minutes_attended": 29}, {"early_visits_count": True}, None),
        (0, {"minutes_attended": 1}, {}, None),
    ],
)
def test_a_visit_that_is_over_before_the_session_begins_is_no_attendance(
    early: int, columns: dict[str, Any], settings: dict[str, Any], reason: str | None
) -> None:
    chosen = rules.choices(AccountSettings(**settings), [], [])
    row = participation(source="attendances", **columns)
    row.early = timedelta(minutes=early)
    refused = rules.refusals([row], chosen)
    [*_, activity] = rules.intents([row], chosen, people_of([row]), refused)
    assert activity.rejected_because == reason


def test_a_registration_that_is_held_says_its_word_and_undoes_nothing() -> None:
    chosen = rules.choices(AccountSettings(vanished="delete"), [], [])
    rows = [participation(1, status="quizás"), participation(2, status="waitlisted")]
    held, waits = rules.intents(rows, chosen, {}, rules.refusals(rows, chosen))
    assert (held.fields, held.memory) == (
        {"status": "quizás"},
        {"status": "quizás", "unknown": "quizás"},
    )
    assert (waits.fields, waits.memory) == ({"status": "waitlisted"}, {"status": "waitlisted"})
    assert (held.undoes, waits.undoes) == (False, True)


def by_kind(given: list[Intent]) -> tuple[list[Intent], list[Intent]]:
    people = [intent for intent in given if intent.kind == "person"]
    return people, [intent for intent in given if intent.kind == "activity"]


def test_a_registration_asks_for_the_person_and_an_activity() -> None:
    (person,), (activity,) = by_kind(intents([participation()], MAPS, []))
    assert person.natural_key == "person:1"
    assert person.fields["Lead"] == {
        "FirstName": "Ada",
        "LastName": "Lovelace",
        "Salutation": "Ms",
        "Title": "Analyst",
        "Company": "Engines",
        "Street": "1 Mill Lane",
        "City": "London",
        "PostalCode": "N1",
        "Country": "GB",
        "Email": "Ada@Example.com",
        "LeadSource": "Webinar",
    }
    assert "Company" not in person.fields["Contact"]
    assert person.fields["Contact"]["MailingCity"] == "London"
    assert activity.natural_key == "registration:1"
    assert activity.person_key == 1
    assert activity.fields == {
        "Subject": "Webinar Registration",
        "ActivityDateTime": "2026-03-01T12:00:00.000+0000",
        "DurationInMinutes": 0,
    }


def test_an_attendance_brings_polls_and_chat_in_its_description() -> None:
    attendance = participation(
        source="attendances",
        polls=[{"question": "Ready?", "answer": "Yes"}],
        chats=[{"message": "Hello\nall", "replies": ["Hi 👋", "Welcome"]}],
    )
    _, (activity,) = by_kind(intents([attendance], MAPS, []))
    assert activity.natural_key == "attendance:1"
    assert activity.fields["Subject"] == "Webinar Attendance"
    assert activity.fields["Description"] == (
        "Poll: Ready?\nAnswer: Yes\nChat: Hello\nall\nReply: Hi 👋\nReply: Welcome"
    )


@pytest.mark.parametrize(
    ("email", "reason"),
    [
        (None, "no email"),
        ("  ", "no email"),
        ("nobody", "invalid email"),
        ("ada@competitor.com", "filtered"),
        ("ADA@COMPETITOR.COM ", "filtered"),
        ("ada@example.com", None),
    ],
)
def test_who_cannot_or_must_not_be_a_lead_is_rejected_with_a_reason(
    email: str | None, reason: str | None
) -> None:
    assert rejection(participation(email=email), [" @Competitor."]) == reason


def test_a_rejected_one_leaves_no_trace_of_the_person() -> None:
    people, (activity,) = by_kind(
        intents([participation(email="x@filtered.com")], MAPS, ["filtered"])
    )
    assert people == []
    assert activity.rejected_because == "filtered"
    assert activity.fields == {}


def test_the_same_person_in_another_case_is_one_and_the_newest_row_wins() -> None:
    rows = [
        participation(2, minute=5, email="ADA@example.com", surname="King", phone_1=""),
        participation(1, minute=1, surname="Byron", phone_1="123"),
    ]
    (person,), activities = by_kind(intents(rows, MAPS, []))
    assert person.fields["Lead"]["LastName"] == "King"
    assert person.fields["Lead"]["Phone"] == "123"
    assert person.as_of == NOON + timedelta(minutes=5)
    assert len(activities) == 2


def test_an_account_overrides_adds_and_takes_out_fields() -> None:
    maps = field_maps(
        AccountSettings(),
        [
            FieldMapping("Lead", "Title", source="session_title"),
            FieldMapping("Lead", "Region__c", constant="EMEA"),
            FieldMapping("Lead", "LeadSource"),
            FieldMapping("Event", "Location", source="session_title"),
        ],
    )
    (person,), (activity,) = by_kind(
        intents([participation(session_title="Engines 101")], maps, [])
    )
    assert person.fields["Lead"]["Title"] == "Engines 101"
    assert person.fields["Lead"]["Region__c"] == "EMEA"
    assert "LeadSource" not in person.fields["Lead"]
    assert person.fields["Contact"]["Title"] == "Analyst"
    assert activity.fields["Location"] == "Engines 101"


def test_a_row_dated_in_the_future_does_not_win_for_ever() -> None:
    future = Participation("registrations", 1, 7, NOON + timedelta(days=365), NOON, ADA)
    (person,), _ = by_kind(intents([future], MAPS, []))
    assert person.as_of == NOON


values = st.one_of(st.none(), st.text(max_size=5))
rows = st.lists(st.dictionaries(st.sampled_from(["first_name", "surname", "city"]), values))


@given(rows)
def test_merging_keeps_the_newest_value_that_says_something(given: list[Mapping[str, Any]]) -> None:
    applied = [MAPS["Lead"].apply(row) for row in given]
    result = person_fields(Choices(MAPS))(given)["Lead"]
    for field in ("FirstName", "LastName", "City"):
        said = [row[field] for row in applied if field in row]
        assert result.get(field) == (said[-1] if said else None)


@given(st.lists(st.builds(participation, st.integers(1, 5), email=values), max_size=8))
def test_every_row_is_accounted_for_once(given: list[Participation]) -> None:
    _, activities = by_kind(intents(given, MAPS, ["a"]))
    assert {a.natural_key for a in activities} == {
        f"registration:{row.participation_id}" for row in given
    }


def test_a_no_to_emails_stays_one_whatever_a_newer_row_says() -> None:
    maps = {
        sobject: FieldMap({"HasOptedOutOfEmail": "no_emails", "Title": "no_emails"}, {})
        for sobject in MAPS
    }
    fields_of = person_fields(Choices(maps))
    said = [{"no_emails": each} for each in ("yes", "no")]
    assert fields_of(said)["Lead"] == {"HasOptedOutOfEmail": True, "Title": "no"}
    assert fields_of(said[1:])["Contact"] == {"HasOptedOutOfEmail": "no", "Title": "no"}
    assert fields_of([{}, {"city": "Rome"}]) == {"Lead": {}, "Contact": {}}
    clears = person_fields(Choices(maps, clears_opt_out=True))
    assert clears(said)["Lead"]["HasOptedOutOfEmail"] == "no"
