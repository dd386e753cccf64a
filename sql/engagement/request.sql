-- A full reading is asked for: of one prospect, or of all (empty).
INSERT INTO crm.engagement_request (account_id, prospect_id)
VALUES (:account_id, :prospect_id)
ON CONFLICT (account_id, prospect_id) DO UPDATE SET requested_at = now()
