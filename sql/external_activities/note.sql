INSERT INTO crm.external_activity (account_id, natural_key, stage, state)
VALUES (:account_id, :natural_key, :stage, :state)
ON CONFLICT (account_id, natural_key, stage) DO UPDATE SET state = excluded.state, at = now()
