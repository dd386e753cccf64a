-- How much was delivered to each of some accounts on each of the last 14 days (UTC), where anything was.
SELECT
    v.account_id,
    v.day,
    sum(v.number)::bigint AS delivered
FROM reporting.deliveries AS v
WHERE
    v.account_id = any(CAST(:account_ids AS text []))
    AND v.day > (now() AT TIME ZONE 'UTC')::date - 14
    AND v.action <> 'none'
    AND v.kind <> 'message'
GROUP BY v.account_id, v.day
