INSERT INTO crm.alert_digest (day, target)
SELECT CAST(CAST(:digested_at AS timestamptz) AT TIME ZONE 'UTC' AS date), t.target
FROM unnest(CAST(:targets AS text [])) AS t (target)
ON CONFLICT DO NOTHING
