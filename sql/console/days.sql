-- What became of an account's data on each of its last days (UTC), today among them; `late` is NULL where
-- it was not counted.
WITH days AS (
    SELECT (now() AT TIME ZONE 'UTC')::date - n AS day
    FROM generate_series(CAST(:days AS integer) - 1, 0, -1) AS n
)

SELECT
    d.day,
    coalesce(l.delivered, 0) AS delivered,
    CASE WHEN l.day IS NULL THEN 0 ELSE l.late END AS late,
    coalesce(r.number, 0) AS rejected,
    coalesce(f.number, 0) AS refused,
    coalesce(c.api_calls, 0) AS api_calls
FROM days AS d
LEFT JOIN (
    SELECT v.day, v.delivered, v.late
    FROM reporting.lateness AS v
    WHERE v.account_id = :account_id
) AS l ON d.day = l.day
LEFT JOIN (
    SELECT v.day, sum(v.number)::bigint AS number
    FROM reporting.rejections AS v
    WHERE v.account_id = :account_id
    GROUP BY v.day
) AS r ON d.day = r.day
LEFT JOIN (
    SELECT v.day, sum(v.number)::bigint AS number
    FROM reporting.failures AS v
    WHERE v.account_id = :account_id
    GROUP BY v.day
) AS f ON d.day = f.day
LEFT JOIN reporting.cycles AS c ON c.account_id = :account_id AND d.day = c.day
ORDER BY d.day
