-- Pauses the alerts of an account until a time, instead of any pause before.
INSERT INTO crm.alert_pause (account_id, paused_until, paused_by, why)
VALUES (:account_id, :until, :paused_by, :why)
ON CONFLICT (account_id) DO UPDATE
SET
    paused_at = now(),
    paused_until = excluded.paused_until,
    paused_by = excluded.paused_by,
    why = excluded.why
