INSERT INTO crm.campaign_asked (account_id, campaign_id, wanted)
SELECT
    :account_id,
    asked.campaign_id,
    :wanted
FROM unnest(CAST(:campaigns AS text [])) AS asked (campaign_id)
ON CONFLICT (account_id, campaign_id) DO UPDATE SET wanted = excluded.wanted
