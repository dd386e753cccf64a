"""Migrations: each with a number of its own, and each says what it is for."""

from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.database.migrations import migrate, migrations, pending, purpose

RECORDED_SO = {"0003_bulk_jobs", "0003_cadence", "0006_seen_seconds", "0006_sending"}
"""Of the first releases: installations know them by these names."""

ALL = [*migrations("crm"), *migrations("warehouse")]


@pytest.mark.parametrize("folder", ["crm", "warehouse"])
def test_a_number_stands_once(folder: str) -> None:
    names = {file.stem for file in migrations(folder)} - RECORDED_SO
    numbers = Counter(name.partition("_")[0] for name in names)
    doubles = sorted(name for name in names if numbers[name.partition("_")[0]] > 1)
    taken = sorted(name for name in names if name.startswith(("0003_", "0006_")))
    assert not doubles, "give the newer one the next free number"
    assert folder == "warehouse" or not taken


def test_what_installations_have_recorded_is_there_under_its_name() -> None:
    assert {file.stem for file in migrations("crm")} >= RECORDED_SO


@pytest.mark.parametrize("file", ALL, ids=lambda file: file.stem)
def test_each_says_what_it_is_for(file: Path) -> None:
    said = purpose(file)
    assert said[:1].isupper(), file.read_text("utf-8")[:100]
    assert said.endswith(".")


def test_what_ran_is_told_once(pipeline: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with pipeline.begin() as connection:
        connection.execute(text("DROP SCHEMA crm, platform_inbox, daily, reporting CASCADE"))
    caplog.set_level("INFO", "crm_pipeline.database.migrations")
    ran = migrate(pipeline, "crm")
    assert ran[0] == (
        "0001_accounts: The clients' accounts, what each wants, and how to get into its org."
    )
    assert caplog.messages == [f"Migrated crm: {each}" for each in ran]
    assert len(ran) == len(migrations("crm"))
    assert migrate(pipeline, "crm") == []
    assert pending(pipeline, "crm") == []
