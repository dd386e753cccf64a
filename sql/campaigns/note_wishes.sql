-- A member is noted once for each event or session of the campaign: whoever asks again for what was asked
-- for is told no second time.
INSERT INTO crm.campaign_wish (
    account_id,
    member_id,
    campaign_key,
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
    c.campaign_key,
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
    -- People may have named it by the short form of its Id.
    ON c.account_id = :account_id AND left(w.campaign_id, 15) = left(c.campaign_id, 15)
WHERE c.campaign_key NOT LIKE 'series:%'
ON CONFLICT (account_id, member_id, campaign_key) DO NOTHING
