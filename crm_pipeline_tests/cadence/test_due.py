"""Accounts that are due, and claims on them, asked of a real database."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from crm_pipeline.cadence.due import claim, due_accounts, extend_claims
from crm_pipeline.database.engines import engine
from crm_pipeline.database.statements import statement
from crm_pipeline.settings import settings
from crm_pipeline.sources.errors import ExtractError
from crm_pipeline_tests.cadence.rows import (
    LONG_AGO,
    a_shipped_person,
    a_state,
    an_account,
    an_idle_account,
    an_operation,
    read_up_to,
)


def due(*, only_urgent: bool = False) -> dict[str, str]:
    return {d.account_id: d.reason for d in due_accounts(only_urgent=only_urgent)}


def test_an_account_without_news_is_not_due(connection):
    an_idle_account(connection, "idle")
    connection.commit()
    assert due() == {}


def test_a_new_account_is_due_and_a_disabled_one_is_not(connection):
    an_account(connection, "new")
    an_account(connection, "off", enabled=False)
    connection.commit()
    assert due() == {"new": "never run"}


def test_a_claimed_new_account_has_still_never_run(connection):
    an_account(connection, "new")
    a_state(connection, "new", "New", finished_at=None, claimed_until=LONG_AGO)
    connection.commit()
    assert due() == {"new": "never run"}


def test_a_row_that_was_shipped_after_the_last_reading_makes_its_account_due(connection):
    for account in ("a", "b"):
        an_idle_account(connection, account)
    a_shipped_person(connection, "a", 1, LONG_AGO + timedelta(seconds=1))
    connection.commit()
    assert due(only_urgent=True) == {"a": "new rows"}


def test_a_row_that_became_visible_below_the_watermark_makes_its_account_due(connection):
    an_idle_account(connection, "a")
    a_shipped_person(connection, "a", 1, LONG_AGO - timedelta(minutes=10))
    connection.commit()
    assert due(only_urgent=True) == {"a": "new rows"}


def test_rows_that_were_read_do_not(connection):
    an_account(connection, "a")
    a_state(connection, "a")
    a_shipped_person(connection, "a", 1, LONG_AGO - timedelta(minutes=10))
    a_shipped_person(connection, "a", 2, LONG_AGO)
    a_shipped_person(connection, "a", 3, LONG_AGO - timedelta(minutes=30))
    read_up_to(connection, "a", LONG_AGO, rows=2, seconds=(20 + 30) * 60)
    connection.commit()
    assert due() == {}


def test_a_row_that_was_shipped_anew_below_the_watermark_makes_its_account_due(connection):
    an_account(connection, "a")
    a_state(connection, "a")
    a_shipped_person(connection, "a", 1, LONG_AGO - timedelta(minutes=10))
    read_up_to(connection, "a", LONG_AGO, rows=1, seconds=20 * 60)
    connection.execute(
        text("UPDATE warehouse.person SET shipped_at = :later"),
        {"later": LONG_AGO - timedelta(minutes=9)},
    )
    connection.commit()
    assert due(only_urgent=True) == {"a": "new rows"}


def test_two_accounts_of_one_client_are_due_each_by_its_own_reading(connection):
    an_idle_account(connection, "a")
    an_idle_account(connection, "b")
    connection.execute(text("UPDATE crm.account SET client_id = 'client-a'"))
    read_up_to(connection, "b", LONG_AGO + timedelta(hours=1))
    a_shipped_person(connection, "a", 1, LONG_AGO + timedelta(minutes=5))
    connection.commit()
    assert due() == {"a": "new rows"}


def test_a_retry_whose_time_has_come_is_due_with_the_schedule(connection):
    now = datetime.now(UTC)
    for account, columns in {
        "due": {"state": "failed", "next_attempt_at": now - timedelta(minutes=1)},
        "early": {"state": "failed", "next_attempt_at": now + timedelta(minutes=5)},
        "spent": {"state": "exhausted", "attempts_left": 0},
    }.items():
        an_idle_account(connection, account)
        an_operation(connection, account, "person:1", **columns)
    connection.commit()
    assert due() == {"due": "retries"}
    assert due(only_urgent=True) == {}


def test_an_activity_that_waits_for_its_person_is_no_reason_to_run(connection):
    an_idle_account(connection, "a")
    an_operation(connection, "a", "registration:1", kind="activity", person_key=1)
    connection.commit()
    assert due() == {}


def test_what_a_cycle_has_left_although_it_could_be_sent_is_unfinished_business(connection):
    an_account(connection, "a")
    a_state(connection, "a", sendable=True)
    read_up_to(connection, "a", LONG_AGO)
    connection.commit()
    assert due() == {"a": "unfinished"}


def test_a_person_that_waits_is_unfinished_business(connection):
    an_idle_account(connection, "a")
    an_operation(connection, "a", "person:1")
    connection.commit()
    assert due() == {"a": "unfinished"}


def test_a_lost_answer_is_due_when_salesforce_can_no_longer_be_at_it(connection):
    now = datetime.now(UTC)
    grace = timedelta(seconds=settings().lost_answer_grace_seconds)
    an_idle_account(connection, "still-open")
    an_operation(connection, "still-open", "p", state="in_flight", sent_at=now)
    an_idle_account(connection, "lost")
    an_operation(connection, "lost", "p", state="in_flight", sent_at=now - grace)
    connection.commit()
    assert due() == {"lost": "unfinished"}


def test_a_newer_version_waits_for_the_answer_to_the_older_one(connection):
    an_idle_account(connection, "a")
    now = datetime.now(UTC)
    an_operation(connection, "a", "p", version=1, state="in_flight", sent_at=now)
    an_operation(connection, "a", "p", version=2)
    connection.commit()
    assert due() == {}


def test_a_session_to_backfill_is_urgent(connection):
    an_idle_account(connection, "a")
    connection.execute(
        text("INSERT INTO crm.pushed_session (account_id, event_session_id) VALUES ('a', 1)")
    )
    connection.commit()
    assert due(only_urgent=True) == {"a": "sessions to backfill"}


def test_changed_settings_are_looked_at_once(connection):
    """Settings may switch on what concerns rows that were read long ago."""
    now = datetime.now(UTC)
    for account, minutes in {"before": 10, "after": -10}.items():
        an_idle_account(connection, account)
        connection.execute(
            text("UPDATE crm.sync_state SET started_at = :now WHERE account_id = :account"),
            {"now": now, "account": account},
        )
        connection.execute(
            text("UPDATE crm.account SET updated_at = :at WHERE account_id = :account"),
            {"at": now - timedelta(minutes=minutes), "account": account},
        )
    connection.commit()
    assert due(only_urgent=True) == {"after": "settings changed"}


def test_events_to_read_again_are_due_with_the_schedule_while_campaigns_are_on(connection):
    for account in ("on", "off", "done"):
        an_idle_account(connection, account)
        connection.execute(
            text(
                "INSERT INTO crm.campaign_backfill (account_id, event_id, rows, done_at)"
                " VALUES (:account, 1, 1, CASE WHEN :account = 'done' THEN now() END)"
            ),
            {"account": account},
        )
    connection.execute(
        text("UPDATE crm.account SET settings = '{\"campaigns\": {}}' WHERE account_id <> 'off'")
    )
    connection.commit()
    assert due() == {"on": "events to read again"}
    assert due(only_urgent=True) == {}


def test_an_account_with_leads_as_members_is_asked_once_a_day_which_were_converted(connection):
    for account, member, hours in (
        ("on", "00Q1", 25),
        ("lately", "00Q2", 1),
        ("nobody", "003", 25),
    ):
        an_idle_account(connection, account)
        connection.execute(
            text(
                "WITH m AS (INSERT INTO crm.campaign_mapping (account_id, fingerprint,"
                " conversions_seen_at)"
                " VALUES (:account, '', now() - make_interval(hours => :hours)))"
                " INSERT INTO crm.campaign_member (account_id, campaign_key, person_key,"
                " campaign_id, person_id, member_id) VALUES (:account, 1, 1, '701', :member, '00v')"
            ),
            {"account": account, "member": member, "hours": hours},
        )
    connection.execute(text("UPDATE crm.account SET settings = '{\"campaigns\": {}}'"))
    connection.commit()
    assert due() == {"on": "conversions to look for"}
    assert due(only_urgent=True) == {}


def test_refused_credentials_are_not_tried_again(connection):
    an_idle_account(connection, "a")
    a_shipped_person(connection, "a", 1, LONG_AGO + timedelta(seconds=1))
    connection.execute(
        text(
            "INSERT INTO crm.credential (account_id, ciphertext, refused_reason, refused_at)"
            " VALUES ('a', '', 'invalid_grant', now())"
        )
    )
    connection.commit()
    assert due() == {}


def test_an_account_whose_cycle_was_killed_is_due_once_nobody_holds_it(connection, pipeline):
    an_account(connection, "a")
    a_state(connection, "a", "Processing", finished_at=None)
    read_up_to(connection, "a", LONG_AGO)
    connection.commit()
    with pipeline.connect() as holder:
        holder.execute(
            text("SELECT pg_advisory_lock(hashtextextended('crm_pipeline account a', 0))")
        )
        assert due() == {}
        holder.execute(text("SELECT pg_advisory_unlock_all()"))
    assert due() == {"a": "unfinished"}


def test_the_lock_looked_for_is_the_one_a_cycle_takes(connection, pipeline):
    an_account(connection, "a")
    connection.commit()
    with pipeline.connect() as holder:
        assert holder.scalar(statement("ledger/lock_account"), {"account_id": "a"})
        assert due() == {}
        holder.execute(statement("ledger/unlock_account"), {"account_id": "a"})
    assert due() == {"a": "never run"}


def test_the_longest_idle_come_first(connection):
    now = datetime.now(UTC)
    for account, hours in {"b": 3, "a": 1, "c": 2}.items():
        an_account(connection, account)
        a_state(connection, account, finished_at=now - timedelta(hours=hours), sendable=True)
    an_account(connection, "z")
    connection.commit()
    assert [d.account_id for d in due_accounts(only_urgent=False)] == ["z", "b", "c", "a"]


def test_accounts_that_wait_in_a_queue_are_left_out(connection):
    for account in ("a", "b"):
        an_account(connection, account)
    connection.commit()
    assert [d.account_id for d in due_accounts(only_urgent=False, without={"a"})] == ["b"]


def test_a_claimed_account_is_not_due_until_the_claim_ends(connection):
    an_account(connection, "a")
    connection.commit()

    assert claim(["a", "unknown"]) == {"a"}
    assert due() == {}
    assert claim(["a"]) == set()

    connection.execute(text("UPDATE crm.sync_state SET claimed_until = now() - interval '1 s'"))
    connection.commit()
    assert due() == {"a": "never run"}
    assert claim(["a"]) == {"a"}


def test_planners_that_claim_at_once_share_no_account(connection):
    accounts = [f"a{i:03}" for i in range(200)]
    for account in accounts:
        an_account(connection, account)
    connection.commit()

    with ThreadPoolExecutor(6) as planners:
        claimed = list(planners.map(lambda i: claim(accounts[:: 1 if i % 2 else -1]), range(6)))

    assert sorted(a for share in claimed for a in share) == accounts


def test_a_run_that_starts_late_begins_its_claims_anew(connection):
    an_account(connection, "a")
    connection.commit()
    claim(["a"])
    connection.execute(text("UPDATE crm.sync_state SET claimed_until = now() - interval '1 s'"))
    connection.commit()

    extend_claims(["a"])

    assert due() == {}


def test_a_claim_that_was_given_back_is_not_taken_by_extending_it(connection):
    an_idle_account(connection, "a")
    connection.commit()
    extend_claims(["a"])
    assert claim(["a"]) == {"a"}


@pytest.fixture
def no_warehouse(pipeline: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql://nobody:hunter2@127.0.0.1:1/none")
    settings.cache_clear()
    engine.cache_clear()
    yield
    engine("pipeline").dispose()


def test_without_the_warehouse_the_accounts_own_business_goes_on(connection, no_warehouse, caplog):
    an_idle_account(connection, "idle")
    an_idle_account(connection, "retrying")
    an_operation(connection, "retrying", "p", state="failed")
    connection.commit()

    with caplog.at_level(logging.ERROR):
        assert due() == {"retrying": "retries"}
    assert "The warehouse does not answer" in caplog.text
    assert "hunter2" not in caplog.text


def test_without_the_warehouse_and_nothing_else_to_do_the_tick_says_so(connection, no_warehouse):
    an_idle_account(connection, "idle")
    connection.commit()
    with pytest.raises(ExtractError, match="WAREHOUSE_URL") as error:
        due()
    assert "\n" not in str(error.value)


def test_a_statement_that_does_not_fit_the_warehouse_is_named(connection):
    an_idle_account(connection, "idle")
    connection.execute(text("ALTER TABLE warehouse.person RENAME COLUMN shipped_at TO loaded_at"))
    connection.commit()
    with pytest.raises(ExtractError, match=r"new_rows\.sql .*shipped_at"):
        due()
