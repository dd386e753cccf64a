"""The API calls of the engagement workflow, exactly."""

from collections import Counter

import pytest
from sqlalchemy import Connection, text

from crm_pipeline_tests.cycle.conftest import Bench
from crm_pipeline_tests.cycle.engagement.conftest import Engaged, complete
from crm_pipeline_tests.flows.engagement.warehouse import define_score, define_tag, now
from crm_pipeline_tests.flows.webinars.warehouse import CLIENT

PROSPECTS, MATCHED, EACH = 1_900, 1_200, 3


PROSPECT = """
INSERT INTO warehouse.prospect (
    client_id, prospect_id, email, life_cycle, temperature, shipped_at
)
SELECT :client, 'p' || n, 'p' || n || '@x.example', 'Active', n % 100, :at
FROM generate_series(1, :prospects) AS n
"""
TAGS = """
INSERT INTO warehouse.prospect_tag (client_id, prospect_id, tag_id, times, shipped_at)
SELECT :client, 'p' || n, 't' || t, 1, :at
FROM generate_series(1, :prospects) AS n, generate_series(0, :each) AS t
"""
SCORES = """
INSERT INTO warehouse.prospect_score (client_id, prospect_id, score_id, value, shipped_at)
SELECT :client, 'p' || n, 's' || s, n, :at
FROM generate_series(1, :prospects) AS n, generate_series(0, :each) AS s
"""
CHANGE = """
UPDATE warehouse.prospect_score SET value = -1, shipped_at = :at
WHERE score_id = 's1' AND CAST(substr(prospect_id, 2) AS integer) <= 100
"""


def fill(connection: Connection, prospects: int = PROSPECTS) -> None:
    """Prospects with three tags and three scores each."""
    for number in range(EACH):
        define_tag(connection, f"t{number}")
        define_score(connection, f"s{number}")
    shipped = {"client": CLIENT, "prospects": prospects, "each": EACH - 1, "at": now()}
    for statement in (PROSPECT, TAGS, SCORES):
        connection.execute(text(statement), shipped)


def seed(bench: Bench, matched: int) -> None:
    """Leads with the addresses of the first prospects."""
    leads = [
        {"LastName": "L", "Company": "C", "Email": f"p{n}@x.example"} for n in range(1, matched + 1)
    ]
    bench.admin("seed", Lead=leads)


@pytest.mark.deep
def test_the_calls_of_a_first_sync_and_of_changes(bench: Bench) -> None:
    bench.settings(route="composite")
    seed(bench, MATCHED)
    fill(bench.connection)

    first, second = complete(bench), complete(bench)
    for sobject, number in (
        ("Prospect__c", PROSPECTS),
        ("SW_Prospect_Tag__c", PROSPECTS * EACH),
        ("Prospect_Score__c", PROSPECTS * EACH),
        ("SW_Tag_Segment_Trigger__c", MATCHED * EACH),
        ("Prospect_Score_Instance__c", MATCHED * EACH),
    ):
        assert len(bench.records(sobject)) == number
    assert first.api_calls_by_kind.pop("describe") == 1
    # Definitions and prospects 3, their tags and scores 12; copies 1, and 10 in which all of a
    # Lead goes together.
    assert first.api_calls_by_kind == {
        "changes+updated": 1,
        "query": 1,
        "limits": 1,
        "upsert": 16,
        "update+upsert": 10,
    }
    # So ten thousand, of whom six thousand are matched, are brought within the 150 calls of the
    # promise, with those that come once.
    assert 16 * 10_000 / PROSPECTS + 10 * 6_000 / MATCHED + 6 < 150
    # Each step tells its own.
    told = {topic: n for (topic, what), n in first.tally.items() if what == "calls"}
    assert told["prospect_tags"] == told["prospect_scores"] == 6
    assert told["match_prospects_to_leads"] == 10
    assert {t: n for (t, what), n in second.tally.items() if what == "calls"} == {
        "get_prospects": 2
    }
    # How the 1,200 matched prospects stand.
    assert second.api_calls_by_kind == {"changes+updated": 1, "update": 2}
    assert complete(bench).counts.api_calls == 1
    bench.connection.execute(text(CHANGE), {"at": now()})
    changed, settled = complete(bench), complete(bench)
    assert changed.counts.api_calls + settled.counts.api_calls == 4
    idle = complete(bench)
    assert idle.counts.api_calls == 1
    assert idle.tally["get_prospects", "examined"] == 0  # None is read again without any news.


@pytest.mark.deep
def test_the_calls_of_a_first_sync_by_bulk_jobs(bench: Bench) -> None:
    """A job for each object and way, whatever its size, within a job's 100 MB."""
    bench.settings(route="bulk")
    seed(bench, 20)
    fill(bench.connection, 30)
    first, second = complete(bench), complete(bench)
    assert len(bench.records("Prospect_Score_Instance__c")) == 20 * EACH
    assert first.api_calls_by_kind == {
        "describe": 1,
        "changes+updated": 1,
        "query": 1,
        "limits": 1,
        **dict.fromkeys(("bulk.job", "bulk.upload", "bulk.close", "bulk.state"), 8),
        "bulk.results": 7,
    }
    assert second.api_calls_by_kind == {
        "changes+updated": 1,
        **dict.fromkeys(("bulk.job", "bulk.upload", "bulk.close", "bulk.state"), 1),
    }


@pytest.mark.deep
def test_ten_thousand_prospects_by_bulk_jobs_take_sixty_calls(bench: Bench) -> None:
    """All of it is brought within the calls that are promised; jobs are looked at once each."""
    bench.settings(route="bulk")
    seed(bench, 6_000)
    fill(bench.connection, 10_000)
    calls = Counter[str]()
    for _ in range(2):
        calls.update(complete(bench).api_calls_by_kind)
    assert len(bench.records("Prospect_Score__c")) == 10_000 * EACH
    assert len(bench.records("Prospect_Score_Instance__c")) == 6_000 * EACH
    told = Counter(
        (each["Sync_Status__c"], each["Lead_Sync_Attempts__c"])
        for each in bench.records("Prospect__c")
    )
    assert told == {("Processed", 1): 6_000, ("Processed", 0): 4_000}
    assert calls.total() - (calls["bulk.state"] - calls["bulk.job"]) <= 60, calls


def test_the_calls_where_nothing_changed(engaged: Engaged) -> None:
    with engaged(accounts=True, opportunity_tags=True) as bench:
        fill(bench.connection, 30)
        for _ in range(3):
            complete(bench)
        assert complete(bench).counts.api_calls == 2
        bench.settings(read_back_minutes=1440)
        assert complete(bench).counts.api_calls == 0
