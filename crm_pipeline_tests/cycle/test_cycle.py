"""One cycle of one account, from the warehouse to the org."""

from collections import Counter
from datetime import timedelta

from sqlalchemy import Connection, Executable, event, text

from crm_pipeline.accounts.store import (
    FieldMapping,
    add_filter,
    push_session,
    set_field_mapping,
    unpush_session,
)
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.flows.webinars.warehouse import (
    LONG_AGO,
    add_person,
    answer_poll,
    attend,
    chat,
    register,
)


def test_a_registration_becomes_a_lead_with_an_activity(bench: Bench) -> None:
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    report = bench.cycle()
    assert (report.state, report.reason) == ("Complete", "")
    [lead] = bench.records("Lead")
    assert lead["Email"] == "p1@example.com"
    assert lead["Company"] == "Company 1"
    assert lead["LeadSource"] == "Webinar"
    [event] = bench.records("Event")
    assert event["WhoId"] == lead["Id"]
    assert event["Subject"] == "Webinar Registration"
    assert event["ActivityDateTime"] == "2026-03-01T12:00:00.000+0000"
    assert event["DurationInMinutes"] == 0
    assert report.tally.overall("leads_created") == 1
    assert report.tally.overall("activities_created") == 1
    assert report.counts.api_calls == 3


def test_a_cycle_without_news_asks_little_and_keeps_what_it_prepared(bench: Bench) -> None:
    for _ in range(8):
        bench.cycle()
    database, asked = bench.connection.engine, Counter[str]()

    @event.listens_for(database, "before_execute")
    def count(_: Connection, clause: Executable, *__: object) -> None:
        asked[str(clause.get_execution_options().get("statement"))] += 1

    def prepared() -> int:
        with database.connect() as connection:
            return connection.scalar(text("SELECT count(*) FROM pg_prepared_statements")) or 0

    before = prepared()
    assert before > 30
    bench.cycle()
    assert prepared() == before
    assert (asked["inbound/is_asked"], asked["inbound/pending"]) == (2, 0)
    asked.pop("None")
    assert asked.total() < 45, f"every account pays for one more in each of its cycles: {asked}"


def test_nothing_new_costs_no_call_and_no_login(bench: Bench) -> None:
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.cycle()
    logins = bench.org.meter.calls["login"]
    report = bench.cycle()
    assert report.counts.api_calls == 0
    assert (report.tally.overall("rows_read"), report.tally.overall("known_already")) == (0, 0)
    assert (report.tally["registrations", "rows"], report.tally.overall("activities_new")) == (0, 0)
    assert bench.org.meter.calls["login"] == logins
    assert len(bench.records("Event")) == 1


def test_the_same_people_attending_write_no_person(bench: Bench) -> None:
    for number in range(1, 4):
        add_person(bench.connection, number)
        register(bench.connection, number, number)
    bench.cycle()
    for number in range(1, 4):
        attend(bench.connection, number, number, minute=60)
    report = bench.cycle()
    assert report.tally.overall("activities_created") == 3
    assert report.tally.overall("leads_updated") == report.tally.overall("leads_created") == 0
    assert report.counts.api_calls == 1
    assert len(bench.records("Lead")) == 3


def test_a_lead_that_is_there_gets_the_fields_that_differ(bench: Bench) -> None:
    lead_id = bench.seed(
        "Lead", LastName="Last 1", Company="Elsewhere", Email="P1@Example.com", Phone="1"
    )
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    report = bench.cycle()
    [lead] = bench.records("Lead")
    assert lead["Id"] == lead_id
    assert lead["Company"] == "Company 1"
    assert lead["Phone"] == "1", "what the warehouse leaves empty is never blanked"
    assert lead["Email"].casefold() == "p1@example.com"
    assert report.tally.overall("leads_updated") == 1
    assert report.tally.overall("leads_created") == 0


def test_a_contact_is_updated_where_there_is_no_lead(bench: Bench) -> None:
    contact_id = bench.seed("Contact", LastName="Old", Email="p1@example.com")
    add_person(bench.connection, 1, city="Paris")
    register(bench.connection, 1, 1)
    report = bench.cycle()
    [contact] = bench.records("Contact")
    assert (contact["LastName"], contact["MailingCity"]) == ("Last 1", "Paris")
    assert bench.records("Lead") == []
    assert bench.records("Event")[0]["WhoId"] == contact_id
    assert report.tally.overall("contacts_updated") == 1


def test_a_lead_comes_before_a_contact_and_the_oldest_before_the_others(bench: Bench) -> None:
    bench.seed("Contact", LastName="C", Email="p1@example.com")
    newer = {"CreatedDate": "2026-02-02T00:00:00.000+0000"}
    older = {"CreatedDate": "2026-01-01T00:00:00.000+0000"}
    bench.seed("Lead", LastName="B", Company="B", Email="p1@example.com", **newer)
    oldest = bench.seed("Lead", LastName="A", Company="A", Email="p1@example.com", **older)
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.cycle()
    assert [event["WhoId"] for event in bench.records("Event")] == [oldest]
    reason = bench.connection.scalar(text("SELECT reason FROM crm.identity"))
    assert reason == "the oldest of 2 leads with this email"


def test_a_person_without_a_name_or_company_is_a_lead_all_the_same(bench: Bench) -> None:
    add_person(bench.connection, 1, surname="", company_name=None)
    register(bench.connection, 1, 1)
    assert bench.cycle().state == "Complete"
    [lead] = bench.records("Lead")
    assert (lead["LastName"], lead["Company"]) == ("[not provided]", "[not provided]")


def test_a_placeholder_never_replaces_what_the_org_knows(bench: Bench) -> None:
    bench.seed("Lead", LastName="Real", Company="Real Inc.", Email="p1@example.com")
    add_person(bench.connection, 1, surname="", company_name="")
    register(bench.connection, 1, 1)
    bench.cycle()
    [lead] = bench.records("Lead")
    assert (lead["LastName"], lead["Company"]) == ("Real", "Real Inc.")


def test_what_a_salesperson_edited_is_not_overwritten_by_old_data(bench: Bench) -> None:
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.cycle()
    [lead] = bench.records("Lead")
    lead["Company"] = "Corrected by sales"
    change_person(bench, 1, job_title="CTO")
    bench.cycle()
    [lead] = bench.records("Lead")
    assert lead["Company"] == "Corrected by sales"
    assert lead["Title"] == "CTO"


def test_a_filtered_address_never_reaches_the_org(bench: Bench) -> None:
    add_filter(bench.connection, "acme", "@Example.COM")
    add_person(bench.connection, 1)
    add_person(bench.connection, 2, "ada@elsewhere.org")
    register(bench.connection, 1, 1)
    register(bench.connection, 2, 2)
    report = bench.cycle()
    assert report.tally.overall("rejected: filtered") == 1
    assert [lead["Email"] for lead in bench.records("Lead")] == ["ada@elsewhere.org"]


def test_only_sessions_to_push_are_pushed_and_an_added_one_from_its_start(bench: Bench) -> None:
    push_session(bench.connection, "acme", 1)
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1, session=1)
    register(bench.connection, 2, 1, session=2, minute=1)
    assert bench.cycle().tally["registrations", "rows"] == 1
    push_session(bench.connection, "acme", 2)
    assert bench.cycle().tally.overall("activities_created") == 1
    assert len(bench.records("Event")) == 2


def test_when_no_session_is_listed_any_more_all_that_was_not_pushed_comes(bench: Bench) -> None:
    push_session(bench.connection, ACCOUNT, 1)
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1, session=1)
    register(bench.connection, 2, 1, session=2)
    attend(bench.connection, 1, 1, session=1, minute=300)
    bench.cycle()
    assert len(bench.records("Event")) == 2
    unpush_session(bench.connection, ACCOUNT, 1, may_push_all=True)
    report = bench.cycle()
    assert (report.state, report.notes, len(bench.records("Event"))) == ("Complete", "", 3)
    assert bench.cycle().counts.api_calls == 0


def test_an_account_s_own_mapping_is_followed(bench: Bench) -> None:
    override = FieldMapping("Event", "Location", source="session_title")
    set_field_mapping(bench.connection, "acme", override)
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.cycle()
    assert bench.records("Event")[0]["Location"] == "Session 1"


def test_polls_and_chat_stand_in_the_description_and_more_of_them_update_it(bench: Bench) -> None:
    add_person(bench.connection, 1)
    attend(bench.connection, 1, 1)
    answer_poll(bench.connection, 1, 1)
    bench.cycle()
    [event] = bench.records("Event")
    assert event["Description"] == (
        "Event: Expo\nSession: Session 1, 2026-03-01 12:00 UTC\nAttended: 30 minutes, live\n"
        "Poll: Question 1?\nAnswer: Answer 1"
    )
    chat(bench.connection, 1, 1, replies=1, minute=90)
    report = bench.cycle()
    [event] = bench.records("Event")
    assert event["Description"].endswith("Chat: Message 1\nReply: Reply 1.0")
    assert (
        report.tally.overall("activities_updated"),
        report.tally.overall("activities_created"),
    ) == (1, 0)


def test_a_value_that_does_not_fit_is_trimmed_and_kept_as_it_was(bench: Bench) -> None:
    add_person(bench.connection, 1, city="x" * 60)
    register(bench.connection, 1, 1)
    report = bench.cycle()
    assert bench.records("Lead")[0]["City"] == "x" * 40
    assert report.tally.overall("fields_changed_to_fit") == 1
    assert "City" in report.notes
    kept = bench.connection.execute(
        text("SELECT field, old_value, new_value FROM crm.field_change")
    )
    assert [tuple(row) for row in kept] == [("City", "x" * 60, "x" * 40)]


def test_a_second_cycle_meanwhile_says_so_and_changes_nothing(bench: Bench) -> None:
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.connection.commit()
    from crm_pipeline.database.engines import engine
    from crm_pipeline.ledger.lock import account_lock

    with account_lock(engine("pipeline"), "acme"):
        report = bench.cycle()
    assert report.state == "Busy"
    assert bench.states() == {}
    assert bench.cycle().state == "Complete"


def test_looking_at_the_sources_changes_nothing(bench: Bench) -> None:
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    report = bench.cycle(frozenset(("registrations", "filtered_leads")))
    assert (report.state, report.tally["registrations", "rows"]) == ("Complete", 1)
    assert bench.states() == {}
    report = bench.cycle(frozenset(("lead_payloads",)))
    assert set(bench.states().values()) == {"pending"}
    assert bench.records("Lead") == []
    bench.cycle(frozenset(("load_results",)))
    assert set(bench.states().values()) == {"done"}


def test_a_person_with_a_new_email_keeps_the_record(bench: Bench) -> None:
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.cycle()
    change_person(bench, 1, email="new@example.com")
    attend(bench.connection, 1, 1, minute=60)
    assert bench.cycle().state == "Complete"
    [lead] = bench.records("Lead")
    assert lead["Email"] == "new@example.com"
    assert {event["WhoId"] for event in bench.records("Event")} == {lead["Id"]}
    assert len(bench.records("Event")) == 2


def test_a_new_email_that_is_in_the_org_already_is_that_record(bench: Bench) -> None:
    other = bench.seed("Contact", LastName="Last 1", Email="new@example.com")
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.cycle()
    change_person(bench, 1, email="new@example.com")
    attend(bench.connection, 1, 1, minute=60)
    bench.cycle()
    attended = [e for e in bench.records("Event") if e["Subject"] == "Webinar Attendance"]
    assert [event["WhoId"] for event in attended] == [other]


def test_an_address_that_another_person_still_has_stays_theirs(bench: Bench) -> None:
    add_person(bench.connection, 1, "team@example.com")
    add_person(bench.connection, 2, "team@example.com")
    register(bench.connection, 1, 1)
    register(bench.connection, 2, 2)
    bench.cycle()
    change_person(bench, 1, email="own@example.com")
    bench.cycle()
    emails = sorted(lead["Email"] for lead in bench.records("Lead"))
    assert emails == ["own@example.com", "team@example.com"]


def change_person(bench: Bench, person: int, **columns: str) -> None:
    """The warehouse ships a person anew."""
    changes = ", ".join(f"{name} = :{name}" for name in columns)
    bench.connection.execute(
        text(f"UPDATE warehouse.person SET {changes}, shipped_at = :at WHERE person_id = :id"),
        {**columns, "id": person, "at": LONG_AGO + timedelta(days=1)},
    )


def test_what_went_out_is_stored_where_it_is_not_what_was_meant(bench: Bench) -> None:
    add_person(bench.connection, 1, surname="", city="x" * 60)
    add_person(bench.connection, 2)
    register(bench.connection, 1, 1)
    register(bench.connection, 2, 2)
    bench.cycle()
    rows = bench.connection.execute(
        text(
            "SELECT p.address, o.sent FROM crm.operation AS o JOIN crm.person AS p"
            " USING (person_key) WHERE o.kind = 'person'"
        )
    )
    sent = {row.address: row.sent for row in rows}
    assert sent["p1@example.com"]["LastName"] == "[not provided]"
    assert sent["p1@example.com"]["City"] == "x" * 40
    assert sent["p2@example.com"] is None


def test_rows_of_the_overlap_are_counted_once_over_all_cycles(bench: Bench) -> None:
    """Those shipped shortly before the last cycle are read again where something is new."""
    add_filter(bench.connection, "acme", "@rival.example")
    add_person(bench.connection, 1)
    add_person(bench.connection, 2, email="spy@rival.example")
    register(bench.connection, 1, 1)
    register(bench.connection, 2, 2)
    first = bench.cycle()
    assert first.tally["registrations", "rows"] == 2
    assert first.tally.by_topic["filtered_leads"] == {
        "rows_read": 2,
        "rows_in": 2,
        "rejected": 1,
        "rejected: filtered": 1,
        "accepted": 1,
    }
    attend(bench.connection, 1, 1, minute=10)
    bench.connection.execute(
        text("UPDATE warehouse.registration SET shipped_at = shipped_at + interval '1 second'")
    )
    later = [bench.cycle() for _ in range(3)]
    assert [each.tally["registrations", "rows"] for each in later] == [0, 0, 0]
    assert [each.tally["attendances", "rows"] for each in later] == [1, 0, 0]
    assert [each.tally.overall("rejected") for each in later] == [0, 0, 0]
    assert "rejected: filtered" not in later[0].tally.by_topic["filtered_leads"]
    for each in (report.tally for report in (first, *later)):
        new = each.overall("rows")
        intended = each.overall("activities_new") + each.overall("activities_changed")
        assert new == each.overall("rows_in") == intended + each.overall("rejected")
        assert each.overall("rows_read") == new + each.overall("known_already")
    assert [each.tally.overall("known_already") for each in later] == [2, 0, 0]


def test_rows_of_the_overlap_are_read_again_by_another_mapping(bench: Bench) -> None:
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.cycle()
    assert bench.cycle().tally.overall("rows_read") == 0, "nothing is new"
    mapping = FieldMapping("Lead", "Title", "company_name", None)
    set_field_mapping(bench.connection, ACCOUNT, mapping)
    bench.connection.commit()
    assert bench.cycle().tally.overall("rows_read") == 1
    [lead] = bench.records("Lead")
    assert lead["Title"] == lead["Company"]
    assert bench.cycle().tally.overall("rows_read") == 0


def test_a_row_that_says_something_else_is_counted_again(bench: Bench) -> None:
    add_person(bench.connection, 1)
    attend(bench.connection, 1, 1)
    bench.cycle()
    chat(bench.connection, 1, 1, minute=90)
    tally = bench.cycle().tally
    assert tally["attendances", "rows"] == tally.overall("activities_changed") == 1
    assert tally.overall("known_already") == 0
