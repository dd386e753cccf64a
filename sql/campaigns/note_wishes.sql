-- A member is noted once: whoever asks again for what was asked for is told no second time.
INSERT INTO crm.campaign_wish (
    account_id,
    member_id,
    event_id,
    event_session_id,
    campaign_id,
    person_id,
    email,
    first_name,
    last_name,
    noticed_at
)
SELECT
    :account_id,
    w.member_id,
    CASE WHEN c.campaign_key NOT LIKE '%:%' THEN c.campaign_key::bigint END,
    CASE
        WHEN c.campaign_key LIKE 'session:%' THEN substr(c.campaign_key, length('session:') + 1)::bigint
    END,
    w.campaign_id,
    w.person_id,
    w.email,
    w.first_name,
    w.last_name,
    w.noticed_at
FROM jsonb_to_recordset(CAST(:wishes AS jsonb)) AS w (
    member_id text,
    campaign_id text,
    person_id text,
    email text,
    first_name text,
    last_name text,
    noticed_at timestamptz
)
INNER JOIN crm.linked_campaign AS c
    ON c.account_id = :account_id AND w.campaign_id = c.campaign_id
WHERE c.campaign_key NOT LIKE 'series:%'
ON CONFLICT (account_id, member_id) DO NOTHING
