-- Names a campaign. Whoever people put into it is looked for anew, for what it is about now.
WITH asked AS (
    DELETE FROM crm.campaign_asked
    WHERE account_id = :account_id AND left(campaign_id, 15) = left(:campaign_id, 15)
)

INSERT INTO crm.campaign_link (account_id, campaign_key, campaign_id)
VALUES (:account_id, :campaign_key, :campaign_id)
ON CONFLICT (account_id, campaign_key) DO UPDATE
SET campaign_id = excluded.campaign_id, added_at = now()
