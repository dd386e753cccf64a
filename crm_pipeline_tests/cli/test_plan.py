"""`crm-pipeline plan`: what the next cycle would do, as people and programs read it."""

import csv
import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from crm_pipeline.local_org.store import Org
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register


@pytest.fixture
def two_people(org: Org, pipeline: Engine) -> Org:
    with pipeline.begin() as connection:
        for person in (1, 2):
            add_person(connection, person)
            register(connection, person, person)
    return org


def test_a_plan_is_shown_and_changes_nothing(run: Run, two_people: Org, tmp_path: Path) -> None:
    shown = run("plan", "acme").stdout
    assert "object\tcreate" in shown
    assert "Lead\t2" in shown
    assert "Event\t2" in shown
    assert "Lead\tcreate\tperson:p1@example.com\t\tLastName\t\tLast 1\tnew" in shown
    assert "\n\n\n" not in shown, "of what there is nothing, nothing is said"
    assert "share of the day\t0.0% of 15000 calls" in shown
    assert "Not foreseen: what validation rules" in shown
    alone = json.loads(run("plan", "acme", "--person=p2@example.com", "--json").stdout)
    assert f"This is plan {alone['facts']['plan']}: " in alone["said"][-1]
    [of_lead, of_event] = alone["what_the_next_cycle_would_do"]
    assert [of_lead["create"], of_event["create"]] == [1, 1]
    assert "Lead\t1" in run("plan", "acme", "--limit=1").stdout
    later = run("plan", "acme", "--from-now").stdout
    assert "before the account's start (start_at)" in later
    assert "create" not in later

    (tmp_path / "plan.csv").touch(0o644)
    for name in ("plan.csv", "plan.json"):
        run("plan", "acme", "--all", tmp_path / name)
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
    with (tmp_path / "plan.csv").open(newline="", encoding="utf-8") as opened:
        fields = {(row["about"], row["field"]): row for row in csv.DictReader(opened)}
    assert fields["person:p2@example.com", "Email"]["planned"] == "p2@example.com"
    assert fields["registration:2", "WhoId"]["planned"] == "(new)"
    listed = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    assert len(listed) == 4
    [one] = [each for each in listed if each["about"] == "person:p1@example.com"]
    assert one["fields"]["Email"] == {"now": None, "planned": "p1@example.com"}

    assert not two_people.table("Lead").rows
    assert "No cycle has run yet." in run("state", "acme").stdout


def test_a_draft_has_a_plan(run: Run, two_people: Org) -> None:
    login_url = run("account", "list", "--json").stdout
    [acme] = json.loads(login_url)["rows"]
    run("account", "disable", "acme")
    add = ("account", "add", "beta", "--client=client-1", "--name=Beta", "--yes")
    run(*add, f"--login-url={acme['login_url']}", typed="3MVG9\ns3cret\n")
    assert "Lead\t2" in run("plan", "beta").stdout
    assert "Draft" in run("state").stdout


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--since=2026-11-01", "--from-now"), "not both"),
        (("--limit=1", "--person=p1@example.com"), "not both"),
        (("--all=plan.xlsx",), "FILE.csv or FILE.json"),
        (("--all=/nowhere/plan.csv",), "cannot be written"),
        (("--since=soon",), "a date as 2026-11-01"),
        (("--person=nobody@example.com",), "nobody of this address was read"),
    ],
)
def test_what_cannot_be_planned_is_told(
    run: Run, two_people: Org, tmp_path: Path, options: tuple[str, ...], told: str
) -> None:
    kept = tmp_path / "kept.csv"
    kept.write_text("as it was", encoding="utf-8")
    if not any(each.startswith("--all") for each in options):
        options = (*options, f"--all={kept}")
    refused = run("plan", "acme", *options, fails=1)
    assert [kept.read_text(encoding="utf-8"), *tmp_path.iterdir()] == ["as it was", kept]
    assert told in refused.stderr
    assert not refused.stdout, "nothing of what others come to"
    assert "There is no account 'nobody'" in run("plan", "nobody", fails=1).stderr


def test_a_plan_is_applied_by_its_number_once_a_person_agrees(run: Run, two_people: Org) -> None:
    [line] = [
        each
        for each in run("plan", "acme", "--person=p1@example.com").stdout.splitlines()
        if each.startswith("This is plan ")
    ]
    plan = line.split("`")[1].split()[-1]
    early = run("plans", "acme", plan, fails=1).stderr
    assert f"No cycle was compared with plan {plan}: only the next one is" in early
    unasked = run("apply", "acme", plan, fails=1)
    assert "1 Event to create, 1 Lead to create" in unasked.stderr
    assert not two_people.table("Lead").rows
    done = run("apply", "acme", plan, "--yes").stdout
    assert "All came as it was planned." in done
    assert "2 are new since the plan, or were not part of it, and wait." in done
    [lead] = two_people.table("Lead").rows.values()
    assert lead["Email"] == "p1@example.com"
    assert f"plan {plan} was applied by cycle" in run("apply", "acme", plan, fails=1).stderr
    [listed] = json.loads(run("plans", "acme", "--json").stdout)["rows"]
    assert [listed[each] for each in ("plan", "as_planned", "otherwise")] == [int(plan), 2, 0]
    assert "All came as it was planned." in run("plans", "acme", plan).stdout
    assert "has no plan 4711" in run("plans", "acme", "4711", fails=1).stderr
    assert "has no plan 4711" in run("apply", "acme", "4711", fails=1).stderr
