UPDATE crm.alert
SET sent_at = now()
WHERE alert_id = any(CAST(:alert_ids AS bigint []))
