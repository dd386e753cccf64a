"""Ticks, cycles and checks read little of an account's ledger, however much is in it.

Pages of PostgreSQL are counted, not seconds: they are the same on a busy machine.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from crm_pipeline.database.statements import statement
from crm_pipeline.delivery.windows import WINDOW
from crm_pipeline.settings import PROJECT, settings
from crm_pipeline_tests.cadence.rows import an_idle_account

pytestmark = pytest.mark.deep

MANY = 50_000
FEW_PAGES = 400

ROWS = sorted((PROJECT / "benchmarks/sql/size").glob("*.sql"))
"""They fill the ledger for `python -m benchmarks size`, too."""


@pytest.fixture
def big(pipeline: Engine) -> Iterator[Connection]:
    """An account with activities that wait for people who never come, and with many members."""
    with pipeline.connect() as connection:
        an_idle_account(connection, "big")
        connection.execute(text("UPDATE crm.account SET settings = '{\"campaigns\": {}}'"))
        sizes = {"account": "big", "operations": MANY, "members": MANY}
        for file in ROWS:
            connection.exec_driver_sql(file.read_text("utf-8"), sizes)
        connection.commit()
        yield connection


def plan(connection: Connection, name: str, **values: Any) -> dict[str, Any]:
    """The plan of a statement of ours, with what came of it."""
    explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement(name).text}"
    [explained] = connection.execute(text(explain), values).scalar_one()
    connection.rollback()
    top: dict[str, Any] = explained["Plan"]
    return top


def pages(connection: Connection, name: str, **values: Any) -> int:
    """The number of pages that a statement of ours reads."""
    top = plan(connection, name, **values)
    return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])


def rows_read(node: Mapping[str, Any]) -> int:
    """The number of rows that a plan reads of all tables, and compares in vain with others.

    Those that do not suit are among it.
    """
    below = sum(rows_read(each) for each in node.get("Plans", ()))
    each = node.get("Rows Removed by Join Filter", 0)
    if "Relation Name" in node:
        each += node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return below + int(each * node["Actual Loops"])


QUESTIONS: dict[str, dict[str, Any]] = {
    "cadence/standings": {"grace_seconds": 600},
    "campaigns/reopen_moved": {"account_id": "big"},
    "campaigns/conversions_since": {"account_id": "big", "pause_seconds": 60},
    "checks/nobody_is_a_member_twice": {"account_ids": ["big"]},
    "plans/release_held": {"account_id": "big"},
}


def test_a_large_account_costs_no_more_than_a_small_one(big: Connection) -> None:
    for analyzed in (False, True):
        if analyzed:
            big.execute(text("ANALYZE crm.operation, crm.campaign_member, crm.identity"))
            big.commit()
        read = {name: pages(big, name, **values) for name, values in QUESTIONS.items()}
        assert {name: many for name, many in read.items() if many >= FEW_PAGES} == {}


FAILED = f"""
    INSERT INTO crm.operation (
        account_id, flow, kind, natural_key, version, as_of, content_hash, intent, state,
        attempts_left, next_attempt_at
    )
    SELECT
        'big', 'webinars', 'person', 'person:' || n, 1, now(), '', '{{}}', 'failed', 3,
        now() + interval '7 days'
    FROM generate_series(1, {MANY}) AS n
    """


def test_what_is_tried_again_later_costs_no_other_account_s_tick(big: Connection) -> None:
    """All operations were read for each account: 17 s with 300,000 and 200 accounts."""
    big.execute(text(FAILED))
    an_idle_account(big, "small")
    big.commit()
    big.execute(text("ANALYZE crm.operation"))
    big.commit()
    assert pages(big, "cadence/standings", grace_seconds=600) < FEW_PAGES
    assert pages(big, "ledger/take_retries", account_id="big", limit=50) < FEW_PAGES
    retries = text(
        "UPDATE crm.operation SET next_attempt_at = now() WHERE natural_key = 'person:7'"
    )
    big.execute(retries)
    standings = big.execute(statement("cadence/standings"), {"grace_seconds": 600})
    assert {each.account_id: each.retries for each in standings} == {"big": True, "small": False}


PEOPLE = f"""
    INSERT INTO crm.person (account_id, address, as_of)
    SELECT 'big', 'now' || n || '@x.test', now() FROM generate_series(1, {MANY}) AS n
    """

WRITTEN = f"""
    INSERT INTO crm.operation (
        account_id, flow, kind, natural_key, version, as_of, content_hash, intent, state
    )
    SELECT
        'big', 'webinars', 'person', 'person:' || n, 1, now(), '',
        jsonb_build_object('Lead', jsonb_build_object('Email', 'then' || n || '@x.test')), 'done'
    FROM generate_series(1, {MANY}) AS n
    """


@pytest.mark.parametrize("analyzed", [False, True])
def test_records_of_other_people_are_looked_up_one_by_one(big: Connection, analyzed: bool) -> None:
    """Ten thousand found by addresses that their people have left: a few pages each."""
    for rows in (PEOPLE, WRITTEN):
        big.execute(text(rows))
    if analyzed:
        big.execute(text("ANALYZE crm.operation, crm.person, crm.identity"))
    big.commit()
    found = [{"address": f"then{n}@x.test", "salesforce_id": f"003{n}"} for n in range(1, 10_001)]
    read = pages(big, "ledger/left_addresses", account_id="big", matches=json.dumps(found))
    assert read < 20 * len(found)


def test_sessions_that_are_over_and_looked_at_make_no_account_due(big: Connection) -> None:
    grace = {"grace_seconds": settings().lost_answer_grace_seconds}
    assert not big.execute(statement("cadence/standings"), grace).one().sessions_over
    big.execute(text("UPDATE crm.session_end SET derived = false WHERE event_session_id = 2"))
    assert big.execute(statement("cadence/standings"), grace).one().sessions_over


def test_where_all_members_are_contacts_no_conversion_is_looked_for(big: Connection) -> None:
    grace = {"grace_seconds": settings().lost_answer_grace_seconds}
    standing = big.execute(statement("cadence/standings"), grace).one()
    assert (standing.conversions_unseen, standing.unfinished) == (False, False)


RECORDS = f"""
    INSERT INTO crm.operation (
        account_id, flow, kind, natural_key, version, as_of, content_hash, intent, state
    )
    SELECT
        'big', 'engagement', 'record', 'record:' || n, 1, now(), '',
        jsonb_build_object(
            'topic', 'topic' || n % 10, 'parent', 'parent:' || n / 10, 'sobject', 'Thing__c',
            'key', jsonb_build_array('Key__c', n), 'fields', jsonb_build_object('Name', n)
        ),
        'pending'
    FROM generate_series(1, {MANY}) AS n
    """

SENT = """
    UPDATE crm.operation AS o SET state = 'done'
    FROM (
        SELECT w.operation_id, CAST(w.intent -> 'key' ->> 1 AS integer) AS n
        FROM crm.operation AS w
        WHERE w.kind = 'record'
    ) AS wanted
    WHERE
        o.operation_id = wanted.operation_id
        AND NOT (n % 10 < 9 AND n % 100 < 50 OR n % 1000 = 999)
    """

HELD = f"""
    INSERT INTO crm.record (
        account_id, natural_key, topic, sobject, salesforce_id, last, ref_fields, ref_keys, ref_ids,
        as_of
    )
    SELECT
        'big', 'record:' || n, 'topic' || n % 10, 'Thing__c', 'a00' || n, '{{}}', '{{}}', '{{}}',
        '{{}}', now()
    FROM generate_series(1, {MANY}) AS n
    """


@pytest.mark.parametrize("analyzed", [False, True])
def test_a_window_of_records_reads_what_it_takes_of_its_topic(
    big: Connection, analyzed: bool
) -> None:
    """Neither what waits of other topics is read, nor what is done, nor all that is held.

    What is counted of them all is what waits.
    """
    for rows in (RECORDS, SENT, HELD):
        big.execute(text(rows))
    if analyzed:
        big.execute(text("ANALYZE crm.operation, crm.record"))
    big.commit()
    for limit, most in ((100, 100), (WINDOW, MANY // 20)):
        window = {"topic": "topic1", "absent": False, "after": 0, "limit": limit}
        read = rows_read(plan(big, "records/due_records", account_id="big", **window))
        assert read <= 2 * most
    whose = {"account_id": "big", "topics": ["topic9"]}
    assert big.execute(statement("records/number_of_new"), whose).scalar_one() == 0
    assert rows_read(plan(big, "records/number_of_new", **whose)) <= 2 * MANY // 1_000
    waits = text("SELECT count(*) FROM crm.operation WHERE state = 'pending'")
    waiting = big.execute(waits).scalar_one()
    for name, more in (("due_volumes", {}), ("settle_left_out", {"also_pending": True})):
        assert rows_read(plan(big, f"records/{name}", account_id="big", **more)) <= waiting


PROSPECTS = (
    """
    INSERT INTO crm.prospect (
        account_id, prospect_id, as_of, email, is_active, columns, tags, scores
    )
    SELECT 'big', 'p' || n, now(), 'p' || n || '@x.test', true, '{}', '{}', '{}'
    FROM generate_series(1, 5000) AS n
    """,
    """
    INSERT INTO crm.engagement_address (account_id, email)
    SELECT 'big', 'p' || n || '@x.test' FROM generate_series(1, 5000) AS n
    """,
    """
    INSERT INTO crm.engagement_person (
        account_id, salesforce_id, sobject, email, is_there, is_converted, columns, stamp
    )
    SELECT 'big', '00Q' || n, 'Lead', 'p' || n || '@x.test', true, false, '{}', now()
    FROM generate_series(1, 5000) AS n
    """,
)


@pytest.mark.parametrize("analyzed", [False, True])
def test_of_a_page_of_prospects_none_is_compared_with_all_addresses(
    big: Connection, analyzed: bool
) -> None:
    for rows in PROSPECTS:
        big.execute(text(rows))
    if analyzed:
        big.execute(text("ANALYZE crm.prospect, crm.engagement_address, crm.engagement_person"))
    big.commit()
    page = {"account_id": "big", "after": "", "limit": 1_000}
    assert rows_read(plan(big, "engagement/prospects_to_say", **page)) <= 5_000 + 3 * 1_000
