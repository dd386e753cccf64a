"""An account that becomes another client forgets what the former one's rows said, and no more."""

import re

from sqlalchemy import Engine, text

from crm_pipeline.settings import PROJECT

KEPT = {
    "people's choices": "account campaign_link credential email_filter field_mapping listener_key"
    " pushed_session",
    "fingerprints of choices": "attribution_said campaign_mapping",
    "the state and history of the account": "account_change account_clock alert alert_pause"
    " brake candidate cycle field_change hold incident refusal ledger_mark sync_state",
    "what Salesforce asked for, and who is to be forgotten": "erased erasure_scan"
    " request request_key",
    "people are known by their addresses": "person",
    "what was sent is not sent again": "operation",
    "of which org it is": "account_org client_in_org",
    "what the org has": "campaign_member emptied_field event_campaign external_activity"
    " external_activity_account field_conflict identity opportunity"
    " opportunity_firing opportunity_person opportunity_reading opportunity_role"
    " opportunity_question org_missing org_person org_phone org_phones_kept org_position org_stage"
    " org_sweep read_hint record record_look sobject_schema unknown_activity",
    "who looked and did what": "console_log",
    "what is under way there": "bulk_job sending",
    "what stood there, to be taken back": "replaced_value",
    "what the platform was told, until it is told otherwise": "opportunity_match",
}
"""Tables with rows of an account that stay, by why they do."""


def test_each_table_of_an_account_is_emptied_or_stays_for_a_reason(pipeline: Engine) -> None:
    with pipeline.connect() as connection:
        tables = connection.scalars(
            text(
                "SELECT table_name FROM information_schema.columns"
                " INNER JOIN information_schema.tables USING (table_schema, table_name)"
                " WHERE table_schema = 'crm' AND table_type = 'BASE TABLE'"
                " AND column_name = 'account_id'"
            )
        ).all()
    statement = (PROJECT / "sql" / "ledger" / "another_client.sql").read_text(encoding="utf-8")
    forgotten = set(
        re.findall(r"DELETE FROM crm\.(\w+)\s+WHERE account_id = :account_id", statement)
    )
    kept = " ".join(KEPT.values()).split()
    assert len(kept) == len(set(kept))
    assert forgotten.isdisjoint(kept)
    assert sorted({*forgotten, *kept}) == sorted(tables)
