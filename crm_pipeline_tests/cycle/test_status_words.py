"""Status words of registrations, end to end: who becomes a person of the org, and who does not."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from crm_pipeline.database.statements import SQL, statement
from crm_pipeline_tests.cli.conftest import Run, run
from crm_pipeline_tests.cycle.conftest import ACCOUNT, Bench
from crm_pipeline_tests.depth import deep_but_first
from crm_pipeline_tests.flows.webinars.warehouse import LONG_AGO, add_person, register

__all__ = ["run"]


def says(bench: Bench, registration: int, status: str, *, minute: float = 0) -> None:
    """The registration has this status from now on, shipped so many minutes past noon."""
    bench.connection.execute(
        text(
            "UPDATE warehouse.registration SET status = :status, shipped_at = :at"
            " WHERE registration_id = :registration"
        ),
        {
            "registration": registration,
            "status": status,
            "at": LONG_AGO + timedelta(minutes=minute),
        },
    )


def a_registration(bench: Bench, status: str) -> None:
    add_person(bench.connection, 1)
    register(bench.connection, 1, 1)
    says(bench, 1, status)


def later_rows(bench: Bench) -> None:
    """So much is shipped later that the first rows are not read again by themselves."""
    add_person(bench.connection, 9)
    register(bench.connection, 9, 9, minute=600)
    assert bench.cycle().state == "Complete"


def subjects(bench: Bench) -> list[str]:
    return [each["Subject"] for each in bench.records("Event")]


def held(bench: Bench) -> tuple[bool, int]:
    """Returns whether the check of words passes, and how many registrations it counts."""
    asked = {"account_ids": [ACCOUNT], "freshness_minutes": 60}
    [verdict] = bench.connection.execute(statement("checks/every_status_word_is_known"), asked)
    return verdict.passed, verdict.registrations_held


@pytest.mark.parametrize(
    "status", deep_but_first(2, ["waitlisted", "denied", "pending", "declined", "invited"])
)
def test_who_is_not_registered_becomes_no_lead_until_that_changes(
    bench: Bench, status: str
) -> None:
    a_registration(bench, status)
    report = bench.cycle()
    assert (report.state, report.tally.overall("rejected")) == ("Complete", 1)
    assert (bench.records("Lead"), bench.records("Event")) == ([], [])
    assert held(bench) == (True, 0)
    later_rows(bench)
    says(bench, 1, "approved", minute=700)
    bench.cycle()
    assert len(bench.records("Lead")) == 2
    assert subjects(bench) == ["Webinar Registration"] * 2


@pytest.mark.deep
def test_an_unknown_word_is_held_until_the_command_that_is_told_explains_it(
    bench: Bench, run: Run
) -> None:
    bench.settings(stage_of={"no vino": "no_show"})
    a_registration(bench, "¿Quizás?")
    report = bench.cycle()
    assert report.tally["filtered_leads", "rejected"] == 1
    assert "'¿quizás?' (1)" in report.notes
    assert f"`crm-pipeline account set {ACCOUNT} 'stage_of={{" in report.notes
    assert (bench.records("Lead"), held(bench)) == ([], (False, 1))
    later_rows(bench)
    command = report.notes.partition("`crm-pipeline ")[2].partition("`")[0]
    chosen = command.partition("'")[2].rpartition("'")[0].replace("STAGE", "registered")
    run("account", "set", ACCOUNT, chosen)
    assert bench.cycle().state == "Complete"
    assert len(bench.records("Event")) == 2
    assert held(bench) == (True, 0)
    assert bench.cycle().counts.api_calls == 0


def test_a_long_word_goes_by_its_beginning(bench: Bench) -> None:
    a_registration(bench, "perhaps " * 20)
    bench.cycle()
    bench.settings(stage_of={"perhaps " * 5: "registered"})
    bench.cycle()
    assert len(bench.records("Event")) == 1


def test_a_word_that_is_explained_as_waiting_is_held_no_more(bench: Bench) -> None:
    a_registration(bench, "quizás")
    bench.cycle()
    later_rows(bench)
    bench.settings(stage_of={"quizás": "waitlisted"})
    bench.cycle()
    assert (len(bench.records("Lead")), held(bench)) == (1, (True, 0))


@pytest.mark.parametrize(("vanished", "left"), [("keep", 1), ("delete", 0)])
def test_who_was_registered_and_is_refused_keeps_the_activity_as_rows_that_vanish_do(
    bench: Bench, vanished: str, left: int
) -> None:
    bench.settings(vanished=vanished)
    a_registration(bench, "registered")
    bench.cycle()
    says(bench, 1, "denied", minute=1)
    bench.cycle()
    assert len(bench.records("Event")) == left
    says(bench, 1, "unheard of", minute=2)
    bench.cycle()
    assert len(bench.records("Event")) == left
    says(bench, 1, "registered", minute=3)
    bench.cycle()
    assert len(bench.records("Event")) == 1


def test_an_installation_s_words_are_the_account_s_from_now_on(bench: Bench) -> None:
    bench.connection.execute(
        text("UPDATE crm.account SET settings = CAST(:settings AS jsonb)"),
        {
            "settings": '{"campaigns": {"stage_of": {"quizás": "pending"}, "unknown_stage":'
            ' "registered", "campaign_type": "Talk"}}'
        },
    )
    migration = (SQL / "crm" / "0070_status_words.sql").read_text(encoding="utf-8")
    bench.connection.execute(text(migration.partition(";")[0]))
    settings = bench.connection.scalar(text("SELECT settings FROM crm.account"))
    assert settings == {
        "stage_of": {"quizás": "pending"},
        "unknown_stage": "registered",
        "campaigns": {"campaign_type": "Talk"},
    }
