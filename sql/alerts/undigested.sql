-- Those of some targets that have not taken the digest of today (UTC) yet, once its hour has come; and
-- the moment of the digest.
SELECT t.target, d.digested_at
FROM unnest(CAST(:targets AS text [])) AS t (target)
CROSS JOIN (
    SELECT
        date_trunc('day', now(), 'UTC') + make_interval(hours => :hour) AS digested_at,
        CAST(now() AT TIME ZONE 'UTC' AS date) AS today
) AS d
WHERE
    d.digested_at <= now()
    AND NOT EXISTS (
        SELECT FROM crm.alert_digest AS k WHERE k.day = d.today AND k.target = t.target
    )
ORDER BY t.target
