INSERT INTO crm.campaign_census_request (account_id)
VALUES (:account_id)
ON CONFLICT (account_id) DO UPDATE SET requested_at = now()
