DELETE FROM crm.alert_pause
WHERE account_id = :account_id
RETURNING paused_until > now() AS was_paused
