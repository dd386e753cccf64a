-- Why rows of an account were rejected and why the org refused writes, of its last days (UTC), the most
-- frequent first.
SELECT
    what,
    about,
    reason,
    sum(number)::bigint AS number
FROM (
    SELECT 'rejected' AS what, r.kind AS about, r.reason, r.number, r.day
    FROM reporting.rejections AS r
    WHERE r.account_id = :account_id
    UNION ALL
    SELECT 'refused', f.object, f.error_code, f.number, f.day
    FROM reporting.failures AS f
    WHERE f.account_id = :account_id
) AS reasons
WHERE day > (now() AT TIME ZONE 'UTC')::date - CAST(:days AS integer)
GROUP BY what, about, reason
ORDER BY number DESC, what, about, reason
LIMIT 50
