DELETE FROM crm.external_activity
WHERE account_id = :account_id AND natural_key = :natural_key AND stage = :stage
