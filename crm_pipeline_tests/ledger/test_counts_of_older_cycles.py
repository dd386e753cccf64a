"""The numbers of cycles that older releases stored are read as those of today."""

from sqlalchemy import Connection, text

from crm_pipeline.database.statements import SQL
from crm_pipeline.report import Tally

FLAT = (
    '{"rows_read": 9, "known": 4, "registrations": 3, "attendances": 2, "rejected": 1,'
    ' "intents_new": 3, "intents_changed": 1, "leads_created": 2, "leads_updated": 0,'
    ' "activities_created": 3, "members_new": 2, "backfills_waiting": 1, "failed": 1,'
    ' "waiting": 5, "api_calls": 7, "rejected_by_reason": {"filtered": 1},'
    ' "api_calls_by_kind": {"query": 2}, "topics": {"badges": {"create": 2}}}'
)


def test_numbers_of_before_are_carried_over_to_their_topics(ledger: Connection) -> None:
    ledger.execute(
        text(
            "INSERT INTO crm.cycle (account_id, run_id, state, counts) VALUES"
            " ('acme', 'old', 'Complete', CAST(:flat AS jsonb)),"
            " ('acme', 'crashed', 'Failed', '{}'),"
            """ ('acme', 'new', 'Complete', '{"topics": {"registrations": {"rows": 1}}}')"""
        ),
        {"flat": FLAT},
    )

    for _ in range(2):
        ledger.execute(text((SQL / "crm" / "0040_counts_by_topic.sql").read_text(encoding="utf-8")))

    old, crashed, new = ledger.scalars(text("SELECT counts FROM crm.cycle ORDER BY cycle_id"))
    assert old == {
        "waiting": 5,
        "api_calls": 7,
        "api_calls_by_kind": {"query": 2},
        "topics": {
            "registrations": {"rows": 3},
            "attendances": {"rows": 2},
            "filtered_leads": {
                "rows_read": 9,
                "known_already": 4,
                "rejected": 1,
                "rejected: filtered": 1,
            },
            "lead_payloads": {"activities_new": 3, "activities_changed": 1},
            "load_results": {"leads_created": 2, "activities_created": 3, "failed": 1},
            "campaigns": {"events_to_read_again": 1},
            "campaign_members": {"memberships_new": 2},
            "badges": {"create": 2},
        },
    }
    assert crashed == {}
    assert Tally.stored(new) == {("registrations", "rows"): 1}
    assert Tally.stored(old).overall("rows") == 5
