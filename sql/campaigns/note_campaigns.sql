-- Notes the campaign of each event.
INSERT INTO crm.event_campaign (account_id, event_id, campaign_id, missing_statuses, is_new)
SELECT :account_id, c.event_id, c.campaign_id, c.missing_statuses, c.is_new
FROM
    jsonb_to_recordset(CAST(:rows AS jsonb)) AS c (
        event_id bigint,
        campaign_id text,
        missing_statuses jsonb,
        is_new boolean
    )
ON CONFLICT (account_id, event_id) DO UPDATE
SET
    campaign_id = excluded.campaign_id,
    missing_statuses = excluded.missing_statuses,
    is_new = excluded.is_new,
    seen_at = now()
