"""What registrations and attendances say beside who and when: answers, sources, consent, deeds."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.store import FieldMapping, set_field_mapping
from crm_pipeline.database.statements import statement
from crm_pipeline.settings import settings
from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.campaigns.scenes import event_id, switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.flows.webinars.warehouse import (
    CLIENT,
    LONG_AGO,
    add_person,
    answer_poll,
    attend,
    chat,
    insert,
    register,
)

__all__ = ["run"]

TEXT = {"type": "string", "length": 80}
NUMBER = {"type": "double", "scale": 0}
TIME = {"type": "datetime"}

FIELDS: dict[str, dict[str, Any]] = {
    "Lead": {
        "Budget__c": TEXT,
        "First_Utm__c": TEXT,
        "Registered__c": NUMBER,
        "Attended__c": NUMBER,
        "Minutes__c": NUMBER,
        "Last__c": TIME,
    },
    "CampaignMember": {
        "Registered__c": TIME,
        "Attended__c": TIME,
        "Left__c": TIME,
        "Percent__c": NUMBER,
        "Live__c": NUMBER,
        "Replay__c": NUMBER,
        "Asked__c": NUMBER,
        "Polls__c": NUMBER,
        "Surveys__c": NUMBER,
        "Downloads__c": NUMBER,
        "Clicks__c": NUMBER,
        "Rating__c": NUMBER,
        "Certificate__c": TIME,
        "Utm__c": TEXT,
    },
}


@pytest.fixture
def bench(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    objects = {sobject: {"fields": fields} for sobject, fields in FIELDS.items()}
    with bench_of({"name": ACCOUNT, **ORG, "objects": objects}, pipeline, monkeypatch) as made:
        yield made


def maps(bench: Bench, *sources: str) -> None:
    """Each is OBJECT.FIELD=column."""
    for each in sources:
        field, _, column = each.partition("=")
        sobject, _, name = field.partition(".")
        mapping = FieldMapping(sobject, name, source=column)
        set_field_mapping(bench.connection, ACCOUNT, mapping)
    bench.connection.commit()


def changes(bench: Bench, table: str, number: int, *, minute: float = 0, **columns: Any) -> None:
    names = ", ".join(f"{name} = :{name}" for name in columns)
    bench.connection.execute(
        text(f"UPDATE warehouse.{table} SET {names}, shipped_at = :at WHERE {table}_id = :number"),
        {**columns, "number": number, "at": LONG_AGO + timedelta(minutes=minute)},
    )


def does(bench: Bench, number: int, attendance: int, kind: str, **said: Any) -> None:
    at = LONG_AGO + timedelta(minutes=number)
    ids = {"interaction_id": number, "client_id": CLIENT, "attendance_id": attendance}
    insert(bench.connection, "interaction", kind=kind, at=at, shipped_at=at, **ids, **said)


def session_lasts(bench: Bench, minutes: int) -> None:
    bench.connection.execute(
        text("UPDATE warehouse.event_session SET ends_at = :at"),
        {"at": LONG_AGO + timedelta(minutes=minutes)},
    )


def descriptions(bench: Bench) -> dict[str, str]:
    return {each["Subject"]: each.get("Description") or "" for each in bench.records("Event")}


def link_told(bench: Bench) -> list[str]:
    found = [each for each in bench.records("Event") if each["Subject"] == "Webinar Attendance"]
    found.sort(key=lambda each: each["ActivityDateTime"])
    return [each.get("Description") or "" for each in found]


def notes(bench: Bench) -> str:
    return bench.cycle().notes


def test_answers_and_sources_fill_fields(bench: Bench) -> None:
    maps(
        bench,
        "Lead.Budget__c=answers.budget",
        "Lead.LeadSource=utm_source",
        "Lead.First_Utm__c=utm_campaign",
        "CampaignMember.Utm__c=utm_campaign",
    )
    bench.settings(person_field_policies={"First_Utm__c": "when_empty"}, campaigns={})
    add_person(bench.connection, 1)
    add_person(bench.connection, 2)
    register(bench.connection, 1, 1)
    register(bench.connection, 2, 2)
    changes(
        bench,
        "registration",
        1,
        utm_source="newsletter",
        utm_campaign="spring",
        answers='{"budget": "10k to 50k", "team": 4}',
    )
    bench.cycle()
    one, other = bench.records("Lead")
    assert (one.get("Budget__c"), one["LeadSource"]) == ("10k to 50k", "newsletter")
    assert (other.get("Budget__c"), other["LeadSource"]) == (None, "Webinar")
    register(bench.connection, 3, 1, session=2, minute=5)
    changes(bench, "registration", 3, minute=5, utm_campaign="summer")
    bench.cycle()
    [one, _] = bench.records("Lead")
    assert (one["First_Utm__c"], one["LeadSource"]) == ("spring", "newsletter")
    assert [each.get("Utm__c") for each in bench.records("CampaignMember")] == ["summer", None]


def test_an_answer_that_nobody_gives_is_told(bench: Bench) -> None:
    maps(bench, "Lead.Budget__c=answers.bugdet")
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    assert "answers" not in notes(bench), "no registration has any answer yet"
    changes(bench, "registration", 1, minute=1, answers='{"budget": "10k"}')
    assert "Lead.Budget__c from 'bugdet'; there are: 'budget'" in notes(bench)
    assert "Lead.Budget__c from 'bugdet'" in notes(bench), "as long as it is so"
    maps(bench, "Lead.Budget__c=answers.budget")
    assert "bugdet" not in notes(bench)


def test_what_somebody_did_is_said_and_counted_once(bench: Bench) -> None:
    """Two visits of 20 minutes, overlapping by 10, to a session of an hour, and a replay."""
    switch_on(bench)
    maps(
        bench,
        "CampaignMember.Registered__c=registered_at",
        "CampaignMember.Attended__c=first_attended_at",
        "CampaignMember.Left__c=last_left_at",
        "CampaignMember.Percent__c=percent_attended",
        "CampaignMember.Live__c=minutes_live",
        "CampaignMember.Replay__c=minutes_on_demand",
        "CampaignMember.Asked__c=questions_asked",
        "CampaignMember.Polls__c=questions_answered",
        "CampaignMember.Surveys__c=surveys_answered",
        "CampaignMember.Downloads__c=resources_downloaded",
        "CampaignMember.Clicks__c=links_clicked",
        "CampaignMember.Rating__c=rating",
        "CampaignMember.Certificate__c=certificate_at",
    )
    bench.settings(
        activity_text=["minutes", "questions", "surveys", "resources", "links"],
    )
    session_lasts(bench, 60)
    add_person(bench.connection, 1)
    register(bench.connection, 2, 1, session=2, minute=3)
    register(bench.connection, 1, 1, minute=1)
    attend(bench.connection, 1, 1, minute=10)
    attend(bench.connection, 2, 1, minute=20)
    attend(bench.connection, 3, 1, minute=100)
    for number in (1, 2):
        changes(bench, "attendance", number, minute=30, minutes_attended=20)
    changes(bench, "attendance", 3, minute=30, minutes_attended=15, kind="on_demand")
    does(bench, 41, 1, "question", label="What does it cost?")
    does(bench, 42, 2, "question", label="And a year?")
    does(bench, 43, 2, "survey", label="Useful?", value="Very")
    does(bench, 44, 1, "resource", label="Price list", url="https://example.com/p.pdf")
    does(bench, 45, 1, "link", url="https://example.com/book")
    does(bench, 46, 1, "rating", value="5")
    does(bench, 47, 1, "certificate")
    does(bench, 48, 2, "link", url="https://example.com/book")
    answer_poll(bench.connection, 1, 1)
    bench.cycle()
    assert descriptions(bench)["Webinar Attendance"].splitlines()[1:] == [
        "Question: What does it cost?",
        "Question: And a year?",
        "Survey: Useful?: Very",
        "Downloaded: Price list",
        *2 * ["Clicked: https://example.com/book"],
    ]
    [member] = bench.records("CampaignMember")
    told = {name: member[f"{name}__c"] for name in ("Percent", "Live", "Replay", "Asked")}
    assert told == {"Percent": 50, "Live": 30, "Replay": 15, "Asked": 2}
    deeds = ("Polls", "Surveys", "Downloads", "Clicks", "Rating")
    assert [member[f"{name}__c"] for name in deeds] == [1, 1, 1, 2, 5]
    assert member["Certificate__c"][11:16] == "12:47"
    assert [member[f"{name}__c"][11:16] for name in ("Registered", "Attended", "Left")] == [
        "12:01",
        "12:10",
        "13:55",
    ]
    # A late question, and a row read again, count once each.
    does(bench, 50, 2, "question", label="One more")
    report = bench.cycle()
    [member] = bench.records("CampaignMember")
    assert (member["Asked__c"], member["Percent__c"]) == (3, 50)
    assert report.tally["attendances", "rows"] > 0
    assert bench.cycle().counts.api_calls == 0


def test_a_missed_interaction_is_found_by_the_daily_count(bench: Bench) -> None:
    bench.settings(activity_text=["links"])
    add_person(bench.connection, 1)
    attend(bench.connection, 1, 1, minute=1)
    register(bench.connection, 1, 1, minute=600)
    attend(bench.connection, 2, 1, session=2, minute=600)
    bench.cycle()
    does(bench, 1, 1, "link", url="https://example.com/late")
    bench.connection.execute(text("UPDATE warehouse.interaction SET shipped_at = '2020-01-01'"))
    bench.cycle()
    assert link_told(bench) == ["", ""]
    bench.connection.execute(
        text("UPDATE crm.source_count SET counted_at = counted_at - interval '2 days'")
    )
    bench.cycle()
    assert link_told(bench) == ["Clicked: https://example.com/late", ""]


def test_a_substitute_comes_in_somebodys_place(bench: Bench) -> None:
    switch_on(bench, substituted={"label": "Substituted", "priority": 2.5})
    for person in (1, 2):
        add_person(bench.connection, person)
        register(bench.connection, person, person, minute=person)
    bench.cycle()
    changes(bench, "registration", 1, minute=5, replaced_by=2)
    bench.cycle()
    statuses = [each["Status"] for each in bench.records("CampaignMember")]
    assert statuses == ["Substituted", "Registered"]
    said = [each["Description"].splitlines()[0] for each in bench.records("Event")]
    assert said == ["Somebody else comes instead", "Event: Expo"]


def test_without_a_label_a_substituted_person_has_cancelled(bench: Bench) -> None:
    switch_on(bench)
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    changes(bench, "registration", 1, replaced_by=2)
    bench.cycle()
    assert [each["Status"] for each in bench.records("CampaignMember")] == ["Cancelled"]


@pytest.mark.deep
@pytest.mark.parametrize(("clears", "after"), [(False, True), (True, False)])
def test_consent_sets_and_clears_as_chosen(bench: Bench, clears: bool, after: bool) -> None:
    maps(bench, "Lead.HasOptedOutOfEmail=opted_out")
    bench.settings(consent_clears_opt_out=clears)
    bench.seed("Lead", LastName="L", Company="C", Email="p1@example.com")
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    changes(bench, "registration", 1, consent="maybe")
    bench.cycle()
    assert bench.records("Lead")[0]["HasOptedOutOfEmail"] is False, "not a clear word"
    changes(bench, "registration", 1, minute=1, consent="No")
    bench.cycle()
    assert bench.records("Lead")[0]["HasOptedOutOfEmail"] is True
    register(bench.connection, 2, 1, session=2, minute=2)
    changes(bench, "registration", 2, minute=2, consent="yes")
    bench.cycle()
    assert bench.records("Lead")[0]["HasOptedOutOfEmail"] is after


def test_a_no_stays_one_in_whatever_order_it_is_read(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two versions that were not sent yet the newer one counts: not so of a clear no."""
    maps(bench, "Lead.HasOptedOutOfEmail=opted_out")
    for person, words in ((1, ("no", "yes")), (2, ("yes", "no"))):
        add_person(bench.connection, person)
        for place, word in enumerate(words):
            register(bench.connection, 2 * person + place, person, minute=place)
            changes(bench, "registration", 2 * person + place, minute=place, consent=word)
    add_person(bench.connection, 3)
    register(bench.connection, 8, 3, minute=9)
    changes(bench, "registration", 8, minute=9, consent="yes")
    monkeypatch.setenv("CHUNK_ROWS", "1")
    settings.cache_clear()
    bench.cycle()
    # What is older comes late.
    register(bench.connection, 9, 3, minute=5, shipped_at=LONG_AGO + timedelta(minutes=20))
    bench.connection.execute(
        text("UPDATE warehouse.registration SET consent = 'no' WHERE registration_id = 9")
    )
    bench.cycle()
    assert [each["HasOptedOutOfEmail"] for each in bench.records("Lead")] == [True] * 3


def test_a_mapping_is_tried_before_it_is_made(run: Run, bench: Bench) -> None:
    maps(bench, "Lead.Budget__c=answers.budget")
    for person in (1, 2, 3):
        add_person(bench.connection, person, county=None if person == 3 else f"Kent {person}")
        register(bench.connection, person, person)
        attend(bench.connection, person, person, minute=1)
    changes(bench, "registration", 1, answers='{"budget": "10k"}')
    add_person(bench.connection, 4, "no address", county="Kent")
    register(bench.connection, 4, 4)
    bench.connection.commit()

    def tried(field: str, *how: str, fails: int = 0) -> str:
        said = run("account", "mapping", "what-if", ACCOUNT, field, *how, fails=fails)
        return " ".join((said.stderr if fails else said.stdout).replace("│", " ").split())

    said = tried("lead.budget__c", "--source", "county")
    assert "gets a value 1 aaaa 9 gets another value 1 aaaa 9 has no value 1" in said
    assert "2 records of 3 would get another Lead.Budget__c: about 1 API call" in said
    assert "Kent" not in said
    said = tried("Lead.Budget__c", "--nothing")
    assert "keeps what is there, unfilled 1" in said
    assert "0 records of 3" in said
    assert "6 records of 6" in tried("Event.Location", "--constant", "Online")
    assert "3 records of 3" in tried("CampaignMember.Utm__c", "--source", "surname")
    assert "1 record of 1" in tried("Campaign.Series__c", "--source", "name")
    assert "no column 'countie'" in tried("Lead.Budget__c", "--source", "countie", fails=1)
    assert "did you mean Lead?" in tried("Leed.Budget__c", "--source", "county", fails=1)
    assert "Say one of" in tried("Lead.Budget__c", fails=1)
    listed = run("account", "mapping", "list", ACCOUNT).stdout
    assert "answers.budget" in listed
    assert "county" not in listed


CANARIES = {
    "cards": "4111 1111 1111 1111",
    "phones": "+44 20 7946 0018",
    "national_ids": "078-05-1120",
    "postal_addresses": "221B Baker Street",
    "link_secrets": "?token=s3cr3tk3y",
    "emails": "private.ann@elsewhere.example",
}


@pytest.mark.deep
def test_what_is_not_to_leave_is_nowhere(
    run: Run, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """In whatever somebody wrote it, it comes to no record, ledger, log, number or command."""
    caplog.set_level("DEBUG")
    wrote = "; ".join(f"https://x.example/{c}" if "?" in c else c for c in CANARIES.values())
    maps(bench, "Lead.Budget__c=answers.budget", "Lead.First_Utm__c=referrer")
    maps(bench, "CampaignMember.Utm__c=answers.budget")
    switch_on(bench)
    every = ["event", "session", "minutes", "polls", "questions", "chats"]
    bench.settings(redaction=[*CANARIES], activity_text=[*every, "surveys", "resources", "links"])
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    answers = json.dumps({"budget": wrote, "else": [wrote]})
    changes(bench, "registration", 1, answers=answers, referrer=f"https://x.example/{wrote}")
    attend(bench.connection, 1, 1, minute=1)
    for number, kind in enumerate(("question", "survey", "resource", "link"), 1):
        does(bench, number, 1, kind, label=f"{number} {wrote}", value=wrote, url=wrote)
    answer_poll(bench.connection, 1, 1)
    chat(bench.connection, 1, 1, wrote, replies=1)
    for table, column in (("poll_answer", "answer"), ("chat_reply", "reply")):
        bench.connection.execute(text(f"UPDATE warehouse.{table} SET {column} = :w"), {"w": wrote})
    report = bench.cycle()
    [attendance] = [e for e in bench.records("Event") if e["Subject"] == "Webinar Attendance"]
    [lead], [member] = bench.records("Lead"), bench.records("CampaignMember")
    assert attendance["Description"].count("[removed]") > len(CANARIES) * 8
    assert "[removed]" in lead["Budget__c"]
    assert "[removed]" in member["Utm__c"]
    assert report.tally["filtered_leads", "redacted"] > len(CANARIES) * 10
    for kind in CANARIES:
        assert f" of {kind}" in report.notes
    bench.connection.commit()
    tables = bench.connection.scalars(
        text("SELECT format('crm.%I', tablename) FROM pg_tables WHERE schemaname = 'crm'")
    ).all()
    ledger = "".join(
        str(bench.connection.scalars(text(f"SELECT t::text FROM {each} AS t")).all())
        for each in tables
    )
    org = str([table.rows for table in bench.org.tables.values()])
    bench.connection.commit()
    said = [
        run(*command).output
        for command in (
            ("campaign", "explain", ACCOUNT, event_id(bench), "p1@example.com"),
            ("campaign", "rehearse", ACCOUNT, event_id(bench)),
            ("operations", "list", ACCOUNT, "--state", "done"),
            ("operations", "show", 2),
            ("account", "dictionary", ACCOUNT),
            ("state", ACCOUNT),
        )
    ]
    for place in (ledger, org, report.notes, str(report), caplog.text, *said):
        assert not [kind for kind, canary in CANARIES.items() if canary in place]


def test_who_asks_to_be_called_is_a_follow_up(bench: Bench) -> None:
    switch_on(bench, follow_up_when=[{"in": "surveys", "label": "Call me?", "value": "yes"}])
    for person, said in ((1, "Yes"), (2, "No")):
        add_person(bench.connection, person)
        attend(bench.connection, person, person, minute=person)
        does(bench, person, person, "survey", label="Call me?", value=said)
    bench.cycle()
    found = [(each["Status"], each["HasResponded"]) for each in bench.records("CampaignMember")]
    assert found == [("Follow Up Requested", True), ("Attended", True)]


def test_two_short_visits_make_one_long_enough(bench: Bench) -> None:
    switch_on(bench)
    bench.settings(attended_at_least_minutes=10)
    for person in (1, 2):
        add_person(bench.connection, person)
        register(bench.connection, person, person)
    attend(bench.connection, 1, 1, minute=10)
    attend(bench.connection, 2, 1, minute=30)
    attend(bench.connection, 3, 2, minute=10)
    for number in (1, 2, 3):
        changes(bench, "attendance", number, minute=31, minutes_attended=6)
    bench.cycle()
    subjects = sorted(each["Subject"] for each in bench.records("Event"))
    assert subjects == ["Webinar Attendance", *2 * ["Webinar Registration"]]
    statuses = [each["Status"] for each in bench.records("CampaignMember")]
    assert statuses == ["Attended", "No Show"]
    # The second person comes back for as long as it takes.
    attend(bench.connection, 4, 2, minute=40)
    changes(bench, "attendance", 4, minute=41, minutes_attended=5)
    bench.cycle()
    assert [each["Status"] for each in bench.records("CampaignMember")] == 2 * ["Attended"]
    assert len(bench.records("Event")) == 4


@pytest.mark.parametrize(
    ("chosen", "subjects"), [("attendance", ["Webinar Attendance"]), ("none", [])]
)
def test_an_account_may_have_people_without_activities(
    bench: Bench, chosen: str, subjects: list[str]
) -> None:
    bench.settings(activities=chosen)
    switch_on(bench)
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    attend(bench.connection, 1, 1, minute=1)
    report = bench.cycle()
    assert len(bench.records("Lead")) == len(bench.records("CampaignMember")) == 1
    assert [each["Subject"] for each in bench.records("Event")] == subjects
    reason = "rejected: the account has no activities of such rows"
    assert report.tally["filtered_leads", reason] == 2 - len(subjects)
    asked = {"account_ids": [ACCOUNT], "freshness_minutes": 60}
    [verdict] = bench.connection.execute(statement("checks/every_row_is_accounted_for"), asked)
    assert verdict.passed
    bench.settings(activities="all")
    bench.cycle()
    assert len(bench.records("Event")) == 2


def test_people_come_without_activities_though_the_org_was_down_before(bench: Bench) -> None:
    bench.fault("*", "html_503", times=20)
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.cycle()
    bench.settings(activities="none")
    bench.connection.execute(text("UPDATE warehouse.registration SET shipped_at = now()"))
    bench.cycle()
    bench.org.weather.faults.clear()
    bench.forget_usage()
    bench.cycle()
    bench.cycle()
    assert (len(bench.records("Lead")), len(bench.records("Event"))) == (1, 0)


def test_figures_of_people_count_all_webinars(bench: Bench) -> None:
    fields = ("Registered", "Attended", "Minutes", "Last")
    sources = ("webinars_registered", "webinars_attended", "minutes_total", "last_attended_at")
    maps(bench, *(f"Lead.{f}__c={s}" for f, s in zip(fields, sources, strict=True)))
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    register(bench.connection, 2, 1, session=2, minute=1)
    attend(bench.connection, 1, 1, minute=10)
    attend(bench.connection, 2, 1, minute=20)
    bench.cycle()

    def figures() -> list[Any]:
        [lead] = bench.records("Lead")
        return [lead.get(f"{name}__c") for name in fields[:3]] + [lead["Last__c"][11:16]]

    assert figures() == [2, 1, 40, "12:20"]
    attend(bench.connection, 3, 1, session=2, minute=600)
    changes(bench, "registration", 2, minute=600, status="cancelled")
    bench.cycle()
    assert figures() == [1, 2, 70, "22:00"]
    # An earlier visit comes late, and one that is too short, to a third session.
    bench.settings(attended_at_least_minutes=5)
    bench.connection.execute(
        text(
            "INSERT INTO warehouse.event_session SELECT 3, event_id, client_id, title, starts_at,"
            " ends_at, shipped_at FROM warehouse.event_session WHERE event_session_id = 1"
        )
    )
    attend(bench.connection, 4, 1, minute=5)
    changes(bench, "attendance", 4, minute=700, minutes_attended=30)
    attend(bench.connection, 5, 1, session=3, minute=600)
    changes(bench, "attendance", 5, minute=701, minutes_attended=4)
    bench.cycle()
    assert figures() == [1, 2, 75, "22:00"]
    assert bench.cycle().counts.api_calls == 0
