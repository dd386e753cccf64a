-- Notes what targets have taken.
INSERT INTO crm.alert_told AS k (target, alert_id, version, end_told_at)
SELECT t.target, t.alert_id, t.version, CASE WHEN t.is_over THEN now() END
FROM unnest(
    CAST(:targets AS text []),
    CAST(:alert_ids AS bigint []),
    CAST(:versions AS integer []),
    CAST(:over AS boolean [])
) AS t (target, alert_id, version, is_over)
ON CONFLICT (alert_id, target) DO UPDATE
SET version = excluded.version, told_at = now(), end_told_at = excluded.end_told_at
