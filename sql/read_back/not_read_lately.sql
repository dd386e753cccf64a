-- The accounts with an object of their org that was never read, or not to its end, or not for so many
-- seconds, or not since somebody said that there are changes (`hinted`).
SELECT w.account_id, coalesce(bool_or(h.hinted_at > p.read_at), false) AS hinted
FROM
    unnest(
        CAST(:account_ids AS text []), CAST(:sobjects AS text []), CAST(:seconds AS float [])
    ) AS w (account_id, sobject, seconds)
LEFT JOIN crm.org_position AS p
    ON w.account_id = p.account_id AND w.sobject = p.sobject
LEFT JOIN crm.read_hint AS h ON w.account_id = h.account_id
WHERE
    p.read_at IS NULL
    OR p.read_at <= now() - make_interval(secs => w.seconds)
    OR p.read_at < h.hinted_at
    OR p.cursor_id IS NOT NULL
GROUP BY w.account_id
