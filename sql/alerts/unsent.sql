SELECT alert_id, account_id, cause, message, raised_at
FROM crm.alert
WHERE closed_at IS NULL AND sent_at IS NULL
ORDER BY alert_id
