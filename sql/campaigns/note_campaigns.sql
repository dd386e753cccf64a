-- Notes the campaign of each event.
INSERT INTO crm.event_campaign (
    account_id, campaign_key, campaign_id, missing_statuses, is_new, parent_id
)
SELECT :account_id, c.campaign_key, c.campaign_id, c.missing_statuses, c.is_new, c.parent_id
FROM
    jsonb_to_recordset(CAST(:rows AS jsonb)) AS c (
        campaign_key text,
        campaign_id text,
        missing_statuses jsonb,
        is_new boolean,
        parent_id text
    )
ON CONFLICT (account_id, campaign_key) DO UPDATE
SET
    campaign_id = excluded.campaign_id,
    missing_statuses = excluded.missing_statuses,
    is_new = excluded.is_new,
    parent_id = excluded.parent_id,
    seen_at = now()
