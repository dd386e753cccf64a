-- How far back the first reading of an account's opportunities goes; noted once.
INSERT INTO crm.opportunity_reading (account_id, begins_at)
VALUES (:account_id, :begins_at)
ON CONFLICT (account_id) DO NOTHING
