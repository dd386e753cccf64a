"""Settings say what they would make of the rows there are, before they are stored."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.accounts.account import AccountSettings
from crm_pipeline.cli.settings_what_if import EFFECTS
from crm_pipeline.settings import PROJECT
from crm_pipeline_tests.cli.conftest import Run
from crm_pipeline_tests.cycle.conftest import ACCOUNT, ORG, Bench, bench_of
from crm_pipeline_tests.flows.webinars.warehouse import add_person, register


@pytest.fixture
def bench(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Three registrations, of which one is a sponsor's and one waits."""
    with bench_of({"name": ACCOUNT, **ORG}, pipeline, monkeypatch) as made:
        for number in (1, 2, 3):
            add_person(made.connection, number)
            register(made.connection, number, number)
        update = "UPDATE warehouse.registration SET {} WHERE registration_id = {}"
        made.connection.execute(text(update.format("role = 'sponsor'", 2)))
        made.connection.execute(text(update.format("status = 'waitlisted'", 3)))
        made.cycle()
        yield made


def test_each_setting_says_its_effect_or_why_it_has_none():
    assert EFFECTS.keys() == AccountSettings.model_fields.keys()


def test_the_documentation_has_the_same_table():
    page = (PROJECT / "docs" / "settings-effects.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| `")]
    told = {name.strip("` "): of for names, of in rows for name in names.split(", ")}
    assert told == dict(EFFECTS)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('roles=["attendee", "sponsor"]', "1 person would come, 1 activity would come"),
        ('people_from_stages=["waitlisted"]', "1 person would come no more"),
        ("start_at=2030-01-01", "1 person would come no more, 1 activity would come no more"),
        ("lead_source=Expo", "1 person would be otherwise"),
        ("activity_subject={event}", "1 activity would be otherwise"),
        ("activities=none", "1 activity would come no more"),
        ("attended_at_least_minutes=5", "nothing would be otherwise"),
    ],
)
def test_what_a_setting_makes_of_rows_is_said_first(
    run: Run, bench: Bench, said: str, told: str
) -> None:
    assert told in run("account", "set", ACCOUNT, said).stdout


def test_what_is_much_is_asked(run: Run, bench: Bench) -> None:
    run("account", "set", ACCOUNT, 'limits={"changed_people": 0, "changed_share": 0.1}')
    sets = ("account", "set", ACCOUNT, "lead_source=Expo")
    assert "1 person would be otherwise; about 1 API call" in run(*sets, fails=1).stderr
    assert "Store it?" in run(*sets, typed="y\n").stdout
    run("account", "set", ACCOUNT, "lead_source=", "--yes")


def test_people_who_would_be_made_are_counted_and_asked_about(run: Run, bench: Bench) -> None:
    bench.settings(unknown_email="neither")
    add_person(bench.connection, 4)
    register(bench.connection, 4, 4, minute=5)
    bench.cycle()
    made = ("account", "set", ACCOUNT, "unknown_email=Contact")
    assert "would become a Contact each: 1." in run(*made, fails=1).stderr
    run(*made, "--yes")


def test_a_dry_run_of_a_file_says_it_too(run: Run, bench: Bench, tmp_path: Path) -> None:
    exported = run("account", "export", ACCOUNT).stdout
    changed = (
        "settings: {lead_source: Expo}\n"
        "mapping: {Lead: {Rating: {constant: Hot}}}\n"
        "filters: ['@example.com']\n"
    )
    (file := tmp_path / "acme.yaml").write_text(exported + changed, encoding="utf-8")
    told = run("account", "apply", str(file), "--dry-run", fails=1, silent=True).stdout
    assert "acme: Of all rows there are so far: 1 person would be otherwise" in told
    assert "acme: 1 record of 1 would get another Lead.Rating" in told
    assert "acme: of the 3 people so far, '@example.com' rejects 3." in told
