"""The database as it was a cycle ago: noticed, stopped, and adopted on a person's word."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text

from crm_pipeline.cycle.planning import Planning
from crm_pipeline.cycle.undo import CycleToUndo, plan_undo
from crm_pipeline.delivery import adoption, copies, lost
from crm_pipeline.report import CycleReport
from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.campaigns.scenes import switch_on
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.cycle.plans import applied, plan_of
from crm_pipeline_tests.cycle.test_counting import counted
from crm_pipeline_tests.cycle.test_undo import known_and_new, nothing_more_goes, undo
from crm_pipeline_tests.flows.webinars.warehouse import add_person, attend, register
from crm_pipeline_tests.restoring import empty, used, with_rows

__all__ = ["run"]


def back_up(bench: Bench) -> None:
    """Keeps the rows of the pipeline's tables, and where its numbers stand, with the connection."""
    connection = bench.connection
    connection.info["backup"] = {
        name: _copy_out(connection, name) for name in _ours(with_rows(connection))
    }
    connection.info["numbers"] = _ours(used(connection))
    connection.commit()
    the_next_second()


def restore(bench: Bench) -> None:
    """As a dump is loaded: each row by another transaction, and numbers are given once more."""
    connection = bench.connection
    numbers = used(connection)
    there = {name: last for name, last in numbers.items() if name not in _ours(numbers)}
    empty(connection, _ours(with_rows(connection)), there | connection.info["numbers"])
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    for name, rows in connection.info["backup"].items():
        with _cursor(connection) as cursor, cursor.copy(f"COPY {name} FROM STDIN") as copy:
            copy.write(rows)
    connection.commit()


def _ours(named: Mapping[str, int]) -> dict[str, int]:
    return {name: each for name, each in named.items() if name.startswith("crm.")}


def _copy_out(connection: Connection, table: str) -> bytes:
    with _cursor(connection) as cursor, cursor.copy(f"COPY {table} TO STDOUT") as copy:
        return b"".join(map(bytes, copy))


def _cursor(connection: Connection) -> psycopg.Cursor[Any]:
    session = connection.connection.driver_connection
    assert isinstance(session, psycopg.Connection)
    return session.cursor()


def the_next_second() -> None:
    """Waits until it comes: the org tells times by the second."""
    time.sleep(1.01 - time.time() % 1)


def a_day_s_work(bench: Bench) -> None:
    """A first cycle, a backup, and a cycle with a new person, a known one, and a campaign."""
    switch_on(bench)
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.cycle(frozenset(("lead_payloads", "load_results")))
    back_up(bench)
    attend(bench.connection, 1, 1, minute=60)
    add_person(bench.connection, 2)
    register(bench.connection, 2, 2, minute=61)
    assert bench.cycle().state == "Complete"


@pytest.mark.deep
def test_an_older_copy_stops_the_account_before_anything_is_doubled(bench: Bench) -> None:
    a_day_s_work(bench)
    restore(bench)
    for _ in range(2):
        report = bench.cycle()
        assert report.state == "Failed"
        assert "restored from a backup" in report.reason
        assert "`crm-pipeline account adopt acme`" in report.reason
    assert len(bench.records("Event")) == 3


def two_registrations(bench: Bench) -> None:
    for number in (1, 2):
        add_person(bench.connection, number)
        register(bench.connection, number, number)


@pytest.mark.deep
def test_a_copy_from_before_the_first_cycle_is_an_older_one_too(bench: Bench, run: Run) -> None:
    two_registrations(bench)
    back_up(bench)
    assert bench.cycle().state == "Complete"
    restore(bench)
    assert "restored from a backup" in bench.cycle().reason
    run("account", "adopt", ACCOUNT, "--yes")
    assert bench.cycle().state == "Complete"
    assert len(bench.records("Event")) == 2


@pytest.mark.deep
def test_a_copy_from_before_there_were_marks_is_looked_at(bench: Bench) -> None:
    two_registrations(bench)
    bench.cycle()
    back_up(bench)
    attend(bench.connection, 1, 1, minute=60)
    bench.cycle()
    restore(bench)
    bench.connection.execute(text("DELETE FROM crm.ledger_mark"))
    assert "restored from a backup" in bench.cycle().reason
    assert len(bench.records("Event")) == 3


@pytest.mark.deep
def test_what_the_org_has_is_adopted_and_the_rest_is_sent(bench: Bench, run: Run) -> None:
    a_day_s_work(bench)
    restore(bench)
    add_person(bench.connection, 3)
    register(bench.connection, 3, 3, minute=120)
    assert bench.cycle().state == "Failed"
    assert "3 activities are taken for sent" in run("account", "adopt", ACCOUNT, "--yes").stdout
    for _ in range(3):
        assert bench.cycle().state == "Complete"
    assert len(bench.records("Lead")) == 3
    assert len(bench.records("Event")) == 4
    assert len(bench.records("Campaign")) == 1
    assert len(bench.records("CampaignMember")) == 3
    assert set(bench.states().values()) == {"done"}
    assert bench.cycle().counts.api_calls == 0


@pytest.mark.deep
def test_what_is_adopted_goes_in_one_cycle_though_it_looks_like_others(
    bench: Bench, run: Run
) -> None:
    """Left waiting, it looked like what a copy would send again, in every cycle from then on."""
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1, minute=1)
    bench.cycle()
    back_up(bench)
    add_person(bench.connection, 2)
    register(bench.connection, 2, 2, minute=1)
    bench.cycle()
    restore(bench)
    add_person(bench.connection, 3)
    register(bench.connection, 3, 3, minute=1)
    assert bench.cycle().state == "Failed"
    run("account", "adopt", ACCOUNT, "--yes")
    assert bench.cycle().state == "Complete"
    assert len(bench.records("Event")) == 3
    assert set(bench.states().values()) == {"done"}


@pytest.mark.deep
def test_a_campaign_made_since_the_copy_is_its_event_s_though_that_has_another_name_now(
    bench: Bench, run: Run
) -> None:
    """It was sought by the name alone, and a second one was made."""
    a_day_s_work(bench)
    restore(bench)
    bench.connection.execute(
        text("UPDATE warehouse.event SET name = 'Renamed', shipped_at = now()")
    )
    assert bench.cycle().state == "Failed"
    run("account", "adopt", ACCOUNT, "--yes")
    for _ in range(3):
        assert bench.cycle().state == "Complete"
    assert [each["Name"] for each in bench.records("Campaign")] == ["Renamed"]
    assert len(bench.records("CampaignMember")) == 2
    assert len(bench.records("Event")) == 3
    assert set(bench.states().values()) == {"done"}


@pytest.mark.deep
def test_a_campaign_goes_back_to_the_name_that_the_copy_believes_it_has(
    bench: Bench, run: Run
) -> None:
    """The event had another name between the backup and now: the campaign kept that for good."""
    switch_on(bench)
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    assert bench.cycle().state == "Complete"
    back_up(bench)
    register(bench.connection, 2, 1, minute=61)
    rename = text("UPDATE warehouse.event SET name = :name, shipped_at = now()")
    bench.connection.execute(rename, {"name": "Renamed"})
    assert bench.cycle().state == "Complete"
    assert [each["Name"] for each in bench.records("Campaign")] == ["Renamed"]
    restore(bench)
    bench.connection.execute(rename, {"name": "Expo"})
    adopt(bench, run)
    assert [each["Name"] for each in bench.records("Campaign")] == ["Expo"]
    assert len(bench.records("Event")) == 2
    assert bench.cycle().counts.api_calls == 0


@pytest.mark.deep
def test_a_campaign_that_people_renamed_since_the_copy_keeps_its_name(
    bench: Bench, run: Run
) -> None:
    a_day_s_work(bench)
    [campaign] = bench.records("Campaign")
    campaign.update(Name="Theirs", LastModifiedById="005000000000001AAA")
    restore(bench)
    bench.connection.execute(
        text("UPDATE warehouse.event SET name = 'Renamed', shipped_at = now()")
    )
    bench.cycle()
    run("account", "adopt", ACCOUNT, "--yes")
    assert bench.cycle().state == "Complete"
    assert [each["Name"] for each in bench.records("Campaign")] == ["Theirs"]


CHANGES = {
    "viewed": "UPDATE warehouse.attendance SET kind = 'on_demand', shipped_at = now()",
    "at another time": "UPDATE warehouse.registration SET registered_at = registered_at"
    " + interval '5 minutes', shipped_at = now() WHERE registration_id = 2",
    "of a renamed event": "UPDATE warehouse.event SET name = 'Other', shipped_at = now()",
    "of another person": "UPDATE warehouse.registration SET person_id = 1, shipped_at = now()"
    " WHERE registration_id = 2",
    "of another address": "UPDATE warehouse.person SET email = 'new@example.com',"
    " shipped_at = now() WHERE person_id = 2",
    "of another address and at another time": "UPDATE warehouse.person SET email ="
    " 'new@example.com', shipped_at = now() WHERE person_id = 2; UPDATE warehouse.attendance"
    " SET attended_at = attended_at + interval '2 hours', shipped_at = now()",
    "all at other times": "UPDATE warehouse.registration SET registered_at = registered_at"
    " + interval '1 hour', shipped_at = now(); UPDATE warehouse.attendance"
    " SET attended_at = attended_at + interval '3 hours', shipped_at = now()",
    "cancelled": "UPDATE warehouse.registration SET status = 'cancelled', shipped_at = now()",
}
"""What the source may say since the org was told."""


@pytest.mark.deep
@pytest.mark.parametrize("change", CHANGES)
def test_what_the_source_changed_since_is_adopted_too_and_brought_up_to_date(
    bench: Bench, run: Run, change: str
) -> None:
    """It was sent again beside what was there, without a word; or there was no way on."""
    bench.settings(activity_subject="{subject}: {event}")
    a_day_s_work(bench)
    bench.cycle()
    restore(bench)
    bench.connection.execute(text(CHANGES[change]))
    assert "restored from a backup" in bench.cycle().reason
    run("account", "adopt", ACCOUNT, "--yes")
    for _ in range(3):
        report = bench.cycle()
        assert report.state == "Complete", report.reason
    event = "Other" if change == "of a renamed event" else "Expo"
    attended = "Webinar On-Demand View" if change == "viewed" else "Webinar Attendance"
    told = sorted((each["Subject"], each["Description"]) for each in bench.records("Event"))
    registered = f"Webinar Registration: {event}"
    assert [subject for subject, _ in told] == [f"{attended}: {event}", registered, registered]
    assert all(f"Event: {event}" in description for _, description in told)
    assert sum("Cancelled" in each for _, each in told) == 2 * (change == "cancelled")
    emails = {lead["Id"]: lead["Email"] for lead in bench.records("Lead")}
    second = {
        "of another person": "p1@example.com",
        "of another address": "new@example.com",
        "of another address and at another time": "new@example.com",
    }.get(change, "p2@example.com")
    whose = sorted(emails[each["WhoId"]] for each in bench.records("Event"))
    assert whose == sorted(["p1@example.com"] * 2 + [second])
    former = "p2@example.com" if change == "of another person" else second
    assert sorted(emails.values()) == sorted(["p1@example.com", former])
    assert set(bench.states().values()) == {"done"}
    assert bench.cycle().counts.api_calls == 0


@pytest.mark.deep
def test_what_people_deleted_since_the_copy_stays_gone_and_what_is_new_is_sent(
    bench: Bench, run: Run
) -> None:
    a_day_s_work(bench)
    [*_, newest] = bench.records("Event")
    bench.admin("delete", ids=[newest["Id"]])
    restore(bench)
    register(bench.connection, 40, 2, session=2, minute=100)
    assert "restored from a backup" in bench.cycle().reason
    run("account", "adopt", ACCOUNT, "--yes")
    for _ in range(3):
        assert bench.cycle().state == "Complete"
    assert len(bench.records("Event")) == 3
    assert newest["Id"] not in {each["Id"] for each in bench.records("Event")}
    assert set(bench.states().values()) == {"done"}


@pytest.mark.deep
def test_another_activity_of_the_same_person_weeks_before_is_not_adopted(
    bench: Bench, run: Run
) -> None:
    a_day_s_work(bench)
    restore(bench)
    bench.connection.execute(text("DELETE FROM warehouse.registration WHERE registration_id = 2"))
    register(bench.connection, 40, 2, session=2, minute=40 * 24 * 60)
    add_person(bench.connection, 3)
    register(bench.connection, 41, 3, minute=62)
    bench.cycle()
    run("account", "adopt", ACCOUNT, "--yes")
    for _ in range(3):
        assert bench.cycle().state == "Complete"
    assert len(bench.records("Event")) == 5


@pytest.mark.deep
def test_the_same_copy_may_be_restored_twice(bench: Bench, run: Run) -> None:
    a_day_s_work(bench)
    for number in (30, 31):
        restore(bench)
        assert "restored from a backup" in bench.cycle().reason
        run("account", "adopt", ACCOUNT, "--yes")
        add_person(bench.connection, number)
        register(bench.connection, number, number, minute=number * 10)
        for _ in range(3):
            assert bench.cycle().state == "Complete"
    assert len(bench.records("Lead")) == len(bench.records("CampaignMember")) == 4
    assert len(bench.records("Event")) == 5
    assert len(bench.records("Campaign")) == 1
    assert bench.cycle().counts.api_calls == 0


@pytest.mark.deep
def test_memberships_made_since_the_copy_are_ours_to_take_back(bench: Bench, run: Run) -> None:
    """The copy had forgotten that they were ours, and `vanished=delete` left them."""
    bench.settings(vanished="delete")
    a_day_s_work(bench)
    restore(bench)
    bench.cycle()
    run("account", "adopt", ACCOUNT, "--yes")
    assert bench.cycle().state == "Complete"
    assert len(bench.records("CampaignMember")) == 2
    bench.connection.execute(text("DELETE FROM warehouse.registration WHERE registration_id = 2"))
    assert counted(bench).state == "Complete"
    assert len(bench.records("CampaignMember")) == 1
    assert len(bench.records("Event")) == 2


def test_a_copy_that_lacks_nothing_goes_on_at_the_cost_of_a_call(bench: Bench) -> None:
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.cycle()
    back_up(bench)
    restore(bench)
    attend(bench.connection, 1, 1, minute=60)
    report = bench.cycle()
    assert (report.state, report.counts.api_calls) == ("Complete", 2)
    attend(bench.connection, 2, 1, minute=90)
    assert bench.cycle().counts.api_calls == 1


def restart(bench: Bench) -> None:
    """As the tables look after the server was restarted, or a copy of its files restored."""
    bench.connection.execute(
        text(
            "UPDATE crm.ledger_mark SET server_started_at = now(),"
            " written_by = pg_current_xact_id()::text::bigint"
        )
    )
    bench.connection.commit()


def written(report: CycleReport) -> int:
    """How many activities a cycle wrote."""
    tally = report.tally
    return tally.overall("activities_created") + tally.overall("activities_updated")


def test_what_the_ledger_knows_is_not_written_again_after_a_restart(bench: Bench) -> None:
    """Each one wrote anew all activities that were sent in the last second."""
    two_registrations(bench)
    bench.cycle()
    restart(bench)
    assert written(bench.cycle()) == 0
    assert bench.cycle().counts.api_calls == 0


def test_what_a_plan_sent_is_not_written_again_after_a_restart(bench: Bench) -> None:
    """While others wait nothing is sure, and each restart wrote anew all that ever was sent."""
    two_registrations(bench)
    restart(bench)
    assert written(applied(bench, plan_of(bench, Planning(most_people=1))).report) == 1
    the_next_second()
    restart(bench)
    assert written(bench.cycle()) == 1


@pytest.mark.parametrize("column", ["server_started_at = now()", "database_id = 1"])
def test_another_server_or_database_is_looked_at_too(bench: Bench, column: str) -> None:
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    bench.cycle()
    bench.connection.execute(
        text(
            f"UPDATE crm.ledger_mark SET {column}, written_by = pg_current_xact_id()::text::bigint"
        )
    )
    attend(bench.connection, 1, 1, minute=60)
    assert bench.cycle().counts.api_calls == 2


def test_the_time_alone_of_all_that_was_sent_since_is_another_now(bench: Bench, run: Run) -> None:
    """Nothing was noticed, and all of it was doubled without a word."""
    two_registrations(bench)
    bench.cycle()
    back_up(bench)
    attend(bench.connection, 1, 1, minute=60)
    attend(bench.connection, 2, 1, session=2, minute=90)
    bench.cycle()
    restore(bench)
    bench.connection.execute(
        text(
            "UPDATE warehouse.attendance SET attended_at = attended_at + interval '20 minutes',"
            " shipped_at = now()"
        )
    )
    attend(bench.connection, 3, 2, minute=110)
    assert "restored from a backup" in bench.cycle().reason
    run("account", "adopt", ACCOUNT, "--yes")
    assert bench.cycle().state == "Complete"
    times = sorted(each["ActivityDateTime"][11:16] for each in bench.records("Event"))
    assert times == ["12:00", "12:00", "13:20", "13:50", "13:50"]
    assert set(bench.states().values()) == {"done"}
    assert bench.cycle().counts.api_calls == 0


def person_two_has_another_address(bench: Bench, **columns: str) -> None:
    """Since the backup the org was told of the person; the source says now who it really is."""
    a_day_s_work(bench)
    restore(bench)
    changed = {"email": "new@example.com", **columns}
    names = ", ".join(f"{name} = :{name}" for name in changed)
    bench.connection.execute(
        text(f"UPDATE warehouse.person SET {names}, shipped_at = now() WHERE person_id = 2"),
        changed,
    )


def adopt(bench: Bench, run: Run) -> None:
    assert "restored from a backup" in bench.cycle().reason
    run("account", "adopt", ACCOUNT, "--yes")
    for _ in range(2):
        report = bench.cycle()
        assert report.state == "Complete", report.reason


@pytest.mark.deep
def test_a_corrected_address_is_followed_to_where_the_lead_went(bench: Bench, run: Run) -> None:
    """A second Lead was made, beside the one whose address nobody had any more."""
    person_two_has_another_address(bench)
    [_, lead] = bench.records("Lead")
    contact = bench.admin("convert", lead_id=lead["Id"])["contact_id"]
    adopt(bench, run)
    assert [each["Email"] for each in bench.records("Contact")] == ["new@example.com"]
    assert sum(each["WhoId"] == contact for each in bench.records("Event")) == 1


@pytest.mark.deep
def test_whoever_has_the_former_address_now_keeps_the_lead(bench: Bench, run: Run) -> None:
    person_two_has_another_address(bench)
    add_person(bench.connection, 9, "p2@example.com", first_name="First 2", surname="Last 2")
    register(bench.connection, 9, 9, minute=200)
    [_, lead] = bench.records("Lead")
    adopt(bench, run)
    leads = {each["Email"]: each["Id"] for each in bench.records("Lead")}
    assert set(leads) == {"p1@example.com", "p2@example.com", "new@example.com"}
    assert leads["p2@example.com"] == lead["Id"]


@pytest.mark.deep
def test_a_lead_of_another_name_is_not_taken_for_the_person_s_and_people_are_told(
    bench: Bench, run: Run
) -> None:
    person_two_has_another_address(bench, surname="Other")
    [_, lead] = bench.records("Lead")
    bench.cycle()
    run("account", "adopt", ACCOUNT, "--yes")
    report = bench.cycle()
    assert "New people (1)" in report.notes
    assert lead["Id"] in report.notes
    assert sorted(each["Email"] for each in bench.records("Lead")) == [
        "new@example.com",
        "p1@example.com",
        "p2@example.com",
    ]
    assert len(bench.records("Event")) == 3


@pytest.mark.deep
def test_an_activity_that_another_one_has_as_it_is_is_not_taken_for_a_moved_one(
    bench: Bench, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sought in parts, the first part took what the next one would have found as it was."""
    monkeypatch.setattr(lost, "LOST_AT_A_TIME", 1)
    monkeypatch.setattr(adoption, "WINDOW", 1)
    monkeypatch.setattr(copies, "AT_A_TIME", 1)
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1, minute=30)
    back_up(bench)
    bench.cycle()
    [event] = bench.records("Event")
    restore(bench)
    register(bench.connection, 2, 1, session=2, minute=20)
    register(bench.connection, 3, 1, session=2, minute=10)
    adopt(bench, run)
    times = {each["Id"]: each["ActivityDateTime"][14:16] for each in bench.records("Event")}
    assert times.pop(event["Id"]) == "30"
    assert sorted(times.values()) == ["10", "20"]


@pytest.mark.deep
def test_another_account_that_went_on_in_the_same_org_hides_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Among the newest there was nothing of this account's own."""
    monkeypatch.setattr(copies, "NEWEST", 2)
    a_day_s_work(bench)
    restore(bench)
    [user] = {each["CreatedById"] for each in bench.records("Event")}
    at = bench.records("Event")[-1]["ActivityDateTime"]
    for number in range(5):
        another = bench.seed(
            "Event", Subject="Other", ActivityDateTime=at, DurationInMinutes=1, CreatedById=user
        )
        bench.connection.execute(
            text(
                "INSERT INTO crm.operation (account_id, flow, kind, natural_key, version, as_of,"
                " content_hash, intent, state, salesforce_id) VALUES ('other', 'webinars',"
                " 'activity', :key, 1, now(), '', '{}', 'done', :id)"
            ),
            {"key": str(number), "id": another},
        )
    assert "restored from a backup" in bench.cycle().reason


@pytest.mark.deep
def test_what_was_exhausted_at_the_backup_and_sent_since_is_adopted_too(
    bench: Bench, run: Run
) -> None:
    """Tried again at some later time, it was doubled."""
    two_registrations(bench)
    bench.cycle()
    bench.connection.execute(
        text(
            "UPDATE crm.operation SET state = 'exhausted', salesforce_id = NULL"
            " WHERE kind = 'activity'"
        )
    )
    back_up(bench)
    restore(bench)
    adopt(bench, run)
    assert len(bench.records("Event")) == 2
    assert set(bench.states().values()) == {"done"}


@pytest.mark.deep
def test_people_are_told_of_what_was_sent_since_for_rows_that_are_gone(
    bench: Bench, run: Run
) -> None:
    """A restored ledger cannot know that it was its own: it stayed without a word."""
    a_day_s_work(bench)
    [*_, newest] = bench.records("Event")
    restore(bench)
    bench.connection.execute(text("DELETE FROM warehouse.registration WHERE registration_id = 2"))
    assert "restored from a backup" in bench.cycle().reason
    run("account", "adopt", ACCOUNT, "--yes")
    report = bench.cycle()
    assert report.state == "Complete"
    assert "no row's of the source now (1); delete those that no other program made: " in (
        report.notes
    )
    assert newest["Id"] in report.notes
    assert bench.cycle().notes == ""


@pytest.mark.deep
def test_a_row_that_comes_back_when_all_else_is_sure_is_sought_too(bench: Bench, run: Run) -> None:
    """Its session was gone as the copy was noticed; when it came back, all was doubled."""
    a_day_s_work(bench)
    restore(bench)
    at_source = bench.connection.execute
    at_source(text("CREATE TABLE warehouse.away AS TABLE warehouse.registration"))
    at_source(text("DELETE FROM warehouse.registration WHERE registration_id = 2"))
    adopt(bench, run)
    at_source(
        text(
            "INSERT INTO warehouse.registration SELECT * FROM warehouse.away"
            " WHERE registration_id = 2; UPDATE warehouse.registration SET shipped_at = now()"
            " WHERE registration_id = 2; DROP TABLE warehouse.away"
        )
    )
    for _ in range(2):
        assert bench.cycle().state == "Complete"
    assert len(bench.records("Event")) == 3
    assert set(bench.states().values()) == {"done"}
    assert bench.cycle().counts.api_calls == 0


_ATTENDED = (
    "INSERT INTO warehouse.attendance (attendance_id, client_id, event_session_id, person_id,"
    " attended_at, minutes_attended, shipped_at) SELECT 1, client_id, event_session_id,"
    " person_id, registered_at, 30, now() FROM warehouse.registration"
)

THERE_AND_BACK = {
    "a stage": (
        "UPDATE warehouse.registration SET status = 'cancelled', shipped_at = now()",
        "UPDATE warehouse.registration SET status = 'registered', shipped_at = now()",
    ),
    "a name": (
        "UPDATE warehouse.event SET name = 'Renamed', shipped_at = now()",
        "UPDATE warehouse.event SET name = 'Expo', shipped_at = now()",
    ),
    "an attendance": (_ATTENDED, "DELETE FROM warehouse.attendance"),
    "whose it is": (
        "UPDATE warehouse.registration SET person_id = 2, shipped_at = now()",
        "UPDATE warehouse.registration SET person_id = 1, shipped_at = now()",
    ),
}
"""What the source said after the backup, and took back before it was restored."""


def shown(bench: Bench) -> list[tuple[str, ...]]:
    """What the org shows of the campaigns, members and activities of ours."""
    return [
        *(("campaign", each["Name"]) for each in bench.records("Campaign")),
        *(("member", each["LeadId"], each["Status"]) for each in bench.records("CampaignMember")),
        *(
            ("activity", each["WhoId"], each["Subject"], each["Description"])
            for each in bench.records("Event")
        ),
    ]


@pytest.mark.deep
@pytest.mark.parametrize("change", THERE_AND_BACK)
def test_what_the_source_said_since_the_copy_and_took_back_is_taken_back_in_the_org(
    bench: Bench, change: str
) -> None:
    """The org kept it without a word; nobody is asked, as nothing is about to be sent."""
    bench.settings(vanished="delete")
    switch_on(bench)
    add_person(bench.connection, 1)
    add_person(bench.connection, 2)
    register(bench.connection, 1, 1)
    assert bench.cycle().state == "Complete"
    before = shown(bench)
    back_up(bench)
    the_next_second()
    there, back = THERE_AND_BACK[change]
    bench.connection.execute(text(there))
    assert bench.cycle().state == "Complete"
    assert shown(bench) != before
    restore(bench)
    bench.connection.execute(text(back))
    report = bench.cycle()
    assert report.state == "Complete"
    left = [each for each in shown(bench) if each not in before]
    if change == "an attendance":
        assert "no row's of the source now (1)" in report.notes
        left = [each for each in left if each[0] != "activity" or "Attendance" not in each[2]]
    if change == "whose it is":
        assert "Lead records that our user made" in report.notes
        assert "CampaignMember records that our user made" in report.notes
        left = [each for each in left if each[0] != "member"]
    assert not left
    assert bench.cycle().counts.api_calls == 0


def test_what_was_written_since_the_copy_and_is_as_it_should_be_is_not_touched(
    bench: Bench,
) -> None:
    """Of two that were cancelled since, one came back before the backup was restored, one after."""
    two_registrations(bench)
    bench.cycle()
    back_up(bench)
    there, back = THERE_AND_BACK["a stage"]
    bench.connection.execute(text(there))
    bench.cycle()
    bench.connection.execute(text(f"{back} WHERE registration_id = 1"))
    bench.cycle()
    before = {each["Id"]: each for each in bench.records("Event")}
    restore(bench)
    bench.connection.execute(text(f"{back} WHERE registration_id = 2"))
    the_next_second()
    report = bench.cycle()
    assert (written(report), report.counts.api_calls) == (1, 3)
    after = {each["Id"]: each for each in bench.records("Event")}
    same = [record_id for record_id, each in after.items() if each == before[record_id]]
    assert (len(same), len(after)) == (1, 2)
    assert not any("Cancelled" in each["Description"] for each in after.values())
    assert bench.cycle().counts.api_calls == 0


@pytest.mark.deep
def test_what_is_taken_back_after_a_restore_is_not_sent_again(bench: Bench) -> None:
    """The copy cannot know what our user wrote last; by that all of it came back."""
    _, cycle_id = known_and_new(bench)
    back_up(bench)
    restore(bench)
    foreseen = plan_undo(CycleToUndo(ACCOUNT, cycle_id or 0), run_id="plan")
    undo(bench, cycle_id, foreseen)
    assert not shown(bench)
    nothing_more_goes(bench)


@pytest.mark.deep
def test_a_lead_that_people_deleted_since_the_copy_is_made_for_news_alone(
    bench: Bench, run: Run
) -> None:
    """It came again, with the activities that had gone with it."""
    a_day_s_work(bench)
    [_, lead] = bench.records("Lead")
    bench.admin("delete", ids=[lead["Id"]])
    left = len(bench.records("Event"))
    restore(bench)
    adopt(bench, run)
    assert [each["Email"] for each in bench.records("Lead")] == ["p1@example.com"]
    assert len(bench.records("Event")) == left
    assert bench.cycle().counts.api_calls == 0
    register(bench.connection, 3, 2, session=2, minute=300)
    assert bench.cycle().state == "Complete"
    assert [each["Email"] for each in bench.records("Lead")] == [
        "p1@example.com",
        "p2@example.com",
    ]
    assert len(bench.records("Event")) == left + 1


@pytest.fixture
def bench_with_keys(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    key = {"Participation__c": {"type": "string", "length": 80, "external_id": True}}
    org = {"name": ACCOUNT, **ORG, "objects": {"Activity": {"fields": key}}}
    with bench_of(org, pipeline, monkeypatch) as made:
        made.settings(activity_external_id_field="Participation__c")
        yield made


def test_an_activity_that_bears_the_key_of_another_row_is_not_taken_for_this_one(
    bench_with_keys: Bench, run: Run
) -> None:
    """Two were alike; one of them came to bear the other's key, which then stood nowhere."""
    bench = bench_with_keys
    two_registrations(bench)
    bench.cycle()
    back_up(bench)
    register(bench.connection, 11, 1, session=2, minute=30)
    register(bench.connection, 12, 2, session=2, minute=30)
    bench.cycle()
    of_row = {each["Participation__c"]: each["Id"] for each in bench.records("Event")}
    assert len(of_row) == 4
    restore(bench)
    bench.connection.execute(
        text(
            "DELETE FROM warehouse.registration WHERE registration_id = 12;"
            " UPDATE warehouse.registration SET person_id = 2, shipped_at = now()"
            " WHERE registration_id = 11"
        )
    )
    adopt(bench, run)
    now = {each["Participation__c"]: each["Id"] for each in bench.records("Event")}
    assert now == of_row


def titles(bench: Bench) -> list[str]:
    return [each["Title"] for each in bench.records("Lead")]


@pytest.mark.deep
@pytest.mark.parametrize("policy", ["source", "unless_edited", "ask"])
def test_people_decide_about_a_field_that_the_source_changed_there_and_back(
    bench: Bench, run: Run, policy: str
) -> None:
    """The org kept what was said in between, and nobody could know."""
    bench.settings(person_field_policies={"Title": policy})
    add_person(bench.connection, 1, job_title="Before")
    register(bench.connection, 1, 1)
    bench.cycle()
    back_up(bench)
    change = text("UPDATE warehouse.person SET job_title = :title, shipped_at = now()")
    bench.connection.execute(change, {"title": "Between"})
    the_next_second()
    assert bench.cycle().state == "Complete"
    assert titles(bench) == ["Between"]
    restore(bench)
    bench.connection.execute(change, {"title": "Before"})
    report = bench.cycle()
    assert report.state == "Complete"
    assert "differ from the source: Title (1)" in report.notes
    assert titles(bench) == ["Between"]
    assert "Between" in run("conflict", "list").stdout
    run("conflict", "overwrite", "--account", ACCOUNT)
    assert bench.cycle().state == "Complete"
    assert titles(bench) == ["Before"]
    assert bench.connection.scalar(text("SELECT count(*) FROM crm.field_conflict")) == 0
    assert bench.cycle().counts.api_calls == 0
