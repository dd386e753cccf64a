"""One odd value among good ones: the good ones arrive, the odd one has its reason."""

from typing import Any

import pytest
from sqlalchemy import text

from crm_pipeline.accounts.store import FieldMapping, set_field_mapping
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.depth import deep_rows_but_for
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

ODD_TIMES = (
    "infinity",
    "-infinity",
    "0044-03-15 00:00:00+00 BC",
    "0001-01-01 00:00:00+00",
    "24989-01-01 00:00:00+00",
    "9999-12-31 23:59:59+00",
    None,
)

TIMES = {
    "event": ("starts_at", "ends_at", "shipped_at"),
    "event_session": ("starts_at", "ends_at", "shipped_at"),
    "person": ("shipped_at",),
    "registration": ("registered_at", "cancelled_at", "shipped_at"),
    "attendance": ("attended_at", "shipped_at"),
    "poll_question": ("shipped_at",),
    "poll_answer": ("answered_at", "shipped_at"),
    "chat_message": ("sent_at", "shipped_at"),
}


def change(bench: Bench, statement: str, **values: Any) -> None:
    bench.connection.execute(text(statement), values)


def good_and_odd(bench: Bench, **odd: Any) -> None:
    """Registration 1 is of an odd person, 2 of a good one."""
    add_person(bench.connection, 1, **odd)
    add_person(bench.connection, 2)
    register(bench.connection, 1, 1)
    register(bench.connection, 2, 2)


def mapped(bench: Bench, sobject: str, field: str, source: str) -> None:
    set_field_mapping(bench.connection, ACCOUNT, FieldMapping(sobject, field, source))


@pytest.mark.deep
def test_an_odd_time_in_any_column_keeps_nothing_else_from_arriving(bench: Bench):
    """Each is of an event, a session, a person and rows of its own."""
    bench.settings(campaigns={})
    at = {"client_id": CLIENT, "starts_at": LONG_AGO, "ends_at": LONG_AGO, "shipped_at": LONG_AGO}
    odd = [(t, c, value) for t, columns in TIMES.items() for c in columns for value in ODD_TIMES]
    for table, columns in TIMES.items():
        for column in columns:
            change(bench, f"ALTER TABLE warehouse.{table} ALTER {column} DROP NOT NULL")
    for number, (table, column, value) in enumerate(odd, 100):
        insert(bench.connection, "event", event_id=number, name=f"Event {number}", **at)
        of_event = {"event_id": number, "event_session_id": number, "title": "Session"}
        insert(bench.connection, "event_session", **of_event, **at)
        add_person(bench.connection, number)
        register(bench.connection, number, number, number)
        attend(bench.connection, number, number, number)
        answer_poll(bench.connection, number, number, number)
        chat(bench.connection, number, number)
        change(
            bench,
            f"UPDATE warehouse.{table} SET {column} = CAST(:value AS timestamptz)"
            f" WHERE {table}_id = :number",
            value=value,
            number=number,
        )

    report = bench.cycle()

    assert report.state == "Complete"
    states = bench.states()
    assert {about for about, state in states.items() if state != "done"} == {
        f"{table}:{number}"
        for number, (table, column, _) in enumerate(odd, 100)
        if column in ("registered_at", "attended_at")
    }
    assert len(bench.records("Lead")) == len(bench.records("CampaignMember")) == len(odd)


@pytest.mark.parametrize(
    ("at", "reason"),
    [("infinity", "registered_at is no usable time"), (None, "no registered_at")],
)
def test_a_registration_at_no_usable_time_is_rejected_alone(
    bench: Bench, at: str | None, reason: str
):
    good_and_odd(bench)
    change(bench, "ALTER TABLE warehouse.registration ALTER registered_at DROP NOT NULL")
    change(
        bench,
        "UPDATE warehouse.registration SET registered_at = CAST(:at AS timestamptz)"
        " WHERE registration_id = 1",
        at=at,
    )

    report = bench.cycle()

    assert report.state == "Complete"
    assert report.tally.overall("rejected") == report.tally.overall(f"rejected: {reason}") == 1
    assert [lead["Email"] for lead in bench.records("Lead")] == ["p2@example.com"]
    assert bench.states()["registration:1"] == "rejected"

    change(
        bench,
        "UPDATE warehouse.registration SET registered_at = :at, shipped_at = now()"
        " WHERE registration_id = 1",
        at=LONG_AGO,
    )
    assert bench.cycle().state == "Complete"
    assert len(bench.records("Event")) == 2, "once it is mended in the source, it goes"


@pytest.mark.deep
@pytest.mark.parametrize(
    "at",
    ["infinity", "24989-01-01 00:00:00+00", "9999-12-31 23:59:59+00", "2099-01-01 00:00:00+00"],
)
def test_a_row_shipped_at_no_usable_time_goes_and_so_does_its_correction(bench: Bench, at: str):
    good_and_odd(bench)
    change(
        bench,
        "UPDATE warehouse.registration SET shipped_at = CAST(:at AS timestamptz)"
        " WHERE registration_id = 1",
        at=at,
    )
    assert bench.cycle().state == "Complete"
    assert len(bench.records("Event")) == 2

    change(
        bench,
        "UPDATE warehouse.registration SET registered_at = :at, shipped_at = now()"
        " WHERE registration_id = 1",
        at=LONG_AGO.replace(hour=3),
    )
    report = bench.cycle()

    assert (report.state, report.tally.overall("activities_updated")) == ("Complete", 1)


SOME_KINDS = ("inet", "numeric", "text []", "mood []", "pair []", "timestamptz", "json")


@pytest.mark.deep
@pytest.mark.parametrize(
    ("kind", "value", "title"),
    deep_rows_but_for(
        lambda kind, *_: kind in SOME_KINDS,
        [
            ("inet", "10.0.0.1", "10.0.0.1"),
            ("interval", "1 day 2 hours", "1 day 02:00:00"),
            ("bytea", "hi", "\\x6869"),
            ("int4range", "[1,5)", "[1,5)"),
            ("numeric", "4711", "4711"),
            ("numeric", "12345678901234567890.10", "12345678901234567890.10"),
            ("numeric", "NaN", "NaN"),
            ("double precision", "4711", "4711"),
            ("double precision", "Infinity", "Infinity"),
            ("bigint", "4711", "4711"),
            ("boolean", "true", "true"),
            ("text []", '{red,NULL," ",blue}', "red, blue"),
            ("int []", "{1,2}", "1, 2"),
            ("mood", "sad", "sad"),
            ("mood []", '{sad,NULL,"so so"}', "sad, so so"),
            ("price []", "{1.50,2}", "1.50, 2"),
            ("moods", "{sad}", "sad"),
            ("pair []", '{"(1,a)","(2,b)"}', "(1,a), (2,b)"),
            ("money", "1.5", "$1.50"),
            ("bit (4)", "1010", "1010"),
            ("date", "2026-01-05", "2026-01-05"),
            ("date", "infinity", "infinity"),
            ("time", "24:00", "24:00:00"),
            ("timestamptz", "2026-01-05 10:00+02", "2026-01-05T08:00:00.000+0000"),
            ("timestamp", "2026-01-05 10:00", "2026-01-05T10:00:00.000+0000"),
            (
                "uuid",
                "c1570044-f939-444a-9881-80e644e0bf07",
                "c1570044-f939-444a-9881-80e644e0bf07",
            ),
            ("json", '{"a": 1.50}', '{"a": 1.50}'),
            ("json", '["red", 12345678901234567890, 1.50]', "red, 12345678901234567890, 1.50"),
            ("json", '"\\u0000hi\\ud800"', "hi\N{REPLACEMENT CHARACTER}"),
            ("jsonb", '"text"', "text"),
        ],
    ),
)
def test_a_mapped_column_of_any_type_is_written_as_people_wrote_it(
    bench: Bench, kind: str, value: str, title: str
):
    own = (
        "TYPE mood AS ENUM ('sad', 'so so')",
        "DOMAIN price AS numeric",
        "DOMAIN moods AS mood []",
        "TYPE pair AS (first integer, second text)",
    )
    for each in own:
        change(bench, f"CREATE {each}")
    change(bench, "SET lc_monetary = 'C'")
    good_and_odd(bench, job_title=value)
    change(bench, "UPDATE warehouse.person SET job_title = NULL WHERE person_id = 2")
    retype = f"ALTER job_title TYPE {kind} USING CAST(job_title AS {kind})"
    change(bench, f"ALTER TABLE warehouse.person {retype}")

    report = bench.cycle()

    assert report.state == "Complete", report.reason
    leads = {lead["Email"]: lead.get("Title") for lead in bench.records("Lead")}
    assert leads == {"p1@example.com": title, "p2@example.com": None}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("NumberOfEmployees", "12345678901234567890"),
        ("NumberOfEmployees", "1e300"),
        ("NumberOfEmployees", "NaN"),
        ("NumberOfEmployees", "123456789"),
        ("AnnualRevenue", "Infinity"),
        ("AnnualRevenue", "-1e18"),
        ("AnnualRevenue", "many"),
        ("AnnualRevenue", "1_000"),
    ],
)
def test_a_number_that_the_field_cannot_hold_is_left_out_with_a_note(
    bench: Bench, field: str, value: str
):
    good_and_odd(bench, job_title=value)
    mapped(bench, "Lead", field, "job_title")

    report = bench.cycle()

    assert report.state == "Complete"
    assert len(bench.records("Event")) == 2
    assert field in report.notes
    assert report.counts.api_calls == 3, "nothing is refused, and sent once more"


def test_texts_are_as_long_as_salesforce_counts_them(bench: Bench):
    good_and_odd(bench, city="\N{GRINNING FACE}" * 25, job_title="e\u0301" * 100)

    report = bench.cycle()

    lead = bench.records("Lead")[0]
    assert report.state == "Complete"
    assert lead["City"] == "\N{GRINNING FACE}" * 20
    assert lead["Title"] == "e\u0301" * 64
    assert len(bench.records("Lead")) == 2


def test_no_answer_has_no_line(bench: Bench):
    add_person(bench.connection, 1)
    attend(bench.connection, 1, 1)
    answer_poll(bench.connection, 1, 1)
    answer_poll(bench.connection, 2, 1, minute=1)
    chat(bench.connection, 1, 1, replies=2)
    change(bench, "UPDATE warehouse.poll_answer SET answer = NULL WHERE poll_answer_id = 1")
    change(bench, "UPDATE warehouse.chat_reply SET reply = ' ' WHERE chat_reply_id = 100")

    bench.cycle()

    assert bench.records("Event")[0]["Description"].splitlines()[3:] == [
        "Poll: Question 1?",
        "Poll: Question 2?",
        "Answer: Answer 2",
        "Chat: Message 1",
        "Reply: Reply 1.1",
    ]


@pytest.mark.deep
@pytest.mark.parametrize("degrade", [True, False])
def test_a_constant_owner_who_is_gone_is_left_out_or_said(bench: Bench, degrade: bool):
    bench.settings(degrade_fields=degrade)
    owner = FieldMapping("Lead", "OwnerId", None, "005000000000999AAA")
    set_field_mapping(bench.connection, ACCOUNT, owner)
    bench.seed("Lead", LastName="Known", Company="Theirs", Email="p2@example.com")
    good_and_odd(bench)

    report = bench.cycle()
    again = bench.cycle()

    assert (report.state, again.state) == ("Complete", "Complete"), report.reason
    if degrade:
        assert again.tally.overall("failed") == 0
        assert "OwnerId" in report.notes
        assert len(bench.records("Lead")) == 2
        assert len(bench.records("Event")) == 2
    else:
        for _ in range(3):
            bench.cycle()
        assert bench.states()["person:p1@example.com"] == "exhausted"
        assert len(bench.records("Event")) == 1, "whom the org knows has the activity all the same"


def test_an_activity_whose_constant_owner_is_gone_goes_without(bench: Bench):
    owner = FieldMapping("Event", "OwnerId", None, "005000000000999AAA")
    set_field_mapping(bench.connection, ACCOUNT, owner)
    good_and_odd(bench)

    report = bench.cycle()

    assert report.state == "Complete", report.reason
    assert len(bench.records("Lead")) == 2
    assert len(bench.records("Event")) == 2


ODD_COLUMNS = (
    *("first_name", "surname", "title", "job_title", "company_name", "phone_1"),
    *("address_1", "city", "county", "postal_code", "country_code"),
)

ODD_TEXTS = [
    "\x01\x02\x1f\x7f",
    "@{c0.id}",
    "#N/A",
    '"; DROP TABLE --',
    "a\r\nb\rc\n",
    "\u202eabc\u202c",
    "\N{ZERO WIDTH SPACE}",
    "é" * 5_000,
    "\N{GRINNING FACE}" * 5_000,
    "a" + "\N{COMBINING ACUTE ACCENT}" * 5_000,
    "\\u0000",
    "null",
    "=1+1",
    "</script>",
    "\uffff\ufdd0",
]


@pytest.mark.parametrize("route", ["composite", "bulk"])
def test_odd_texts_in_every_column_keep_nobody_from_arriving(bench: Bench, route: str):
    bench.settings(route=route)
    for number, odd in enumerate(ODD_TEXTS, start=1):
        columns: dict[str, Any] = dict.fromkeys(ODD_COLUMNS, odd)
        add_person(bench.connection, number, **columns)
        register(bench.connection, number, number)
        attend(bench.connection, number, number)
        chat(bench.connection, number, number, replies=1)
    change(bench, "UPDATE warehouse.chat_message SET message = :odd", odd=ODD_TEXTS[9])
    good = len(ODD_TEXTS) + 1
    add_person(bench.connection, good)
    register(bench.connection, good, good)

    report = bench.cycle()

    assert report.state == "Complete", report.reason
    assert f"p{good}@example.com" in {lead["Email"] for lead in bench.records("Lead")}
    waiting = {key: state for key, state in bench.states().items() if state != "done"}
    assert waiting == {}


@pytest.mark.deep
@pytest.mark.parametrize("unseen", ["\x01", "\u200b\ufeff", " \x1b \xad "])
def test_what_nobody_sees_says_nothing(bench: Bench, unseen: str):
    """A name of control characters alone went out as the person's name."""
    good_and_odd(bench, surname=unseen, company_name=unseen, city=unseen, address_1=unseen)
    assert bench.cycle().state == "Complete"
    odd = bench.records("Lead")[0]
    assert (odd["LastName"], odd["Company"]) == ("[not provided]", "[not provided]")
    assert (odd.get("City"), odd.get("Street")) == (None, None)
