UPDATE crm.alert
SET
    sent_at = coalesce(sent_at, now()),
    end_sent_at = CASE WHEN closed_at IS NOT NULL THEN now() END
WHERE alert_id = any(CAST(:alert_ids AS bigint []))
