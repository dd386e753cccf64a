-- What became of an account's data on each of its last days (UTC), today among them.
WITH days AS (
    SELECT (now() AT TIME ZONE 'UTC')::date - n AS day
    FROM generate_series(CAST(:days AS integer) - 1, 0, -1) AS n
)

SELECT
    d.day,
    coalesce((
        SELECT sum(v.number)::bigint FROM reporting.deliveries AS v
        WHERE v.account_id = :account_id AND v.day = d.day AND v.action <> 'none' AND v.kind <> 'message'
    ), 0) AS delivered,
    coalesce((
        SELECT l.late FROM reporting.lateness AS l WHERE l.account_id = :account_id AND l.day = d.day
    ), 0) AS late,
    coalesce((
        SELECT sum(r.number)::bigint FROM reporting.rejections AS r
        WHERE r.account_id = :account_id AND r.day = d.day
    ), 0) AS rejected,
    coalesce((
        SELECT sum(f.number)::bigint FROM reporting.failures AS f
        WHERE f.account_id = :account_id AND f.day = d.day
    ), 0) AS refused,
    coalesce((
        SELECT c.api_calls FROM reporting.cycles AS c WHERE c.account_id = :account_id AND c.day = d.day
    ), 0) AS api_calls
FROM days AS d
ORDER BY d.day
