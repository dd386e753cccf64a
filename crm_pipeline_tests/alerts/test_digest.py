"""The digest of a day: once, to whom it is to go, and with numbers that add up."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from sqlalchemy import Connection, text

from crm_pipeline.alerts.channels import MOST_LINES
from crm_pipeline.alerts.digest import AccountDay, digest
from crm_pipeline.alerts.targets import AlertTarget
from crm_pipeline.alerts.watch import watch
from crm_pipeline.settings import settings
from crm_pipeline_tests.alerts.receiver import Receiver, receiving
from crm_pipeline_tests.cadence.rows import an_account, an_idle_account

COUNTS = """{"api_calls": 7, "topics": {"people": {"create": 3, "update": 2, "failed": 1},
 "activities": {"create": 1200, "delete": 4}}}"""


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as receiver:
        targets = {
            "all": {"url": f"{receiver.url}/all"},
            "team": {"url": f"{receiver.url}/team", "accounts": ["b"]},
            "none": {"url": f"{receiver.url}/none", "digest": False},
            "pager": {"url": "pagerduty://routing@key"},
        }
        file = tmp_path / "alerts.yaml"
        file.write_text(yaml.safe_dump({"targets": targets}))
        monkeypatch.setenv("ALERTS_FILE", str(file))
        settings.cache_clear()
        yield receiver


def at_hour(monkeypatch: pytest.MonkeyPatch, hour: int) -> None:
    monkeypatch.setenv("ALERT_DIGEST_HOUR", str(hour))
    settings.cache_clear()


def a_cycle(connection: Connection, account_id: str, finished_at: datetime) -> None:
    connection.execute(
        text(
            "INSERT INTO crm.cycle (account_id, run_id, state, finished_at, counts)"
            " VALUES (:account_id, 'r', 'Complete', :finished_at, CAST(:counts AS jsonb))"
        ),
        {"account_id": account_id, "finished_at": finished_at, "counts": COUNTS},
    )


def test_each_target_gets_the_numbers_of_its_accounts_once(
    connection: Connection, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        an_idle_account(connection, name)
    an_account(connection, "off", enabled=False)
    connection.execute(text("UPDATE crm.sync_state SET api_used = 350, api_limit = 1000"))
    until = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for ago in (timedelta(minutes=1), timedelta(hours=24), timedelta(hours=25), -timedelta(1)):
        a_cycle(connection, "b", until - ago)
    connection.commit()
    watch()
    assert receiver.came == {}
    at_hour(monkeypatch, 0)
    receiver.answers["/team"] = 500
    watch()
    receiver.answers.clear()
    watch()
    watch()
    assert receiver.came.keys() == {"/all", "/team"}
    failed, team = receiver.documents("/team")
    assert failed == team
    assert team == {
        "text": f"24 hours to {until:%Y-%m-%d} 00:00 UTC, 1 account: 2,406 new, 4 changed, "
        "8 deleted, 2 failed, 0 late, 0 held, 14 API calls.\n"
        "B (b): 2,406 new, 4 changed, 8 deleted, 2 failed, 14 API calls, "
        "35 % of the org's requests used.",
        "alerts": [],
    }
    (everything,) = [each for each in receiver.documents("/all") if not each["alerts"]]
    first, *_, last = everything["text"].splitlines()
    assert "2 accounts: 2,406 new" in first
    assert last == "Nothing was to be done for 1 account."


def test_before_its_hour_nobody_gets_it(
    connection: Connection, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database's clock counts; at the last hour of a day there is no later one."""
    an_idle_account(connection, "a")
    connection.commit()
    now = connection.execute(text("SELECT now() AT TIME ZONE 'UTC'")).scalar_one()
    at_hour(monkeypatch, min(now.hour + 1, 23))
    watch()
    assert (receiver.came == {}) is (now.hour < 23)


def test_a_digest_of_many_accounts_names_those_that_are_amiss_first() -> None:
    quiet = AccountDay("quiet", "Quiet", 0, 0, 0, 0, 0, None, late=False, held=False)
    busy = [
        AccountDay(f"b{n}", f"B{n}", 1, 0, 0, 0, 1, None, late=False, held=False)
        for n in range(MOST_LINES)
    ]
    amiss = AccountDay("z", "Z", 0, 0, 0, 0, 0, 99.6, late=True, held=True)
    until = datetime(2026, 11, 30, 6, tzinfo=UTC)
    subject, told = digest(AlertTarget(email="a@b.c"), [quiet, *busy, amiss], until)
    assert subject == "CRM pipeline: digest of 2026-11-30"
    lines = told.splitlines()
    assert lines[1] == "Z (z): late, held, 0 API calls, 100 % of the org's requests used."
    assert lines[-2:] == [
        "1 more account with less to tell.",
        "Nothing was to be done for 1 account.",
    ]
    assert len(lines) == MOST_LINES + 3
