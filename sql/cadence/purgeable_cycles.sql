-- Cycles that ended before the last :days days, but never the latest that an account ended.
SELECT c.cycle_id
FROM crm.cycle AS c
WHERE
    coalesce(c.finished_at, c.started_at) < now() - make_interval(days => :days)
    AND EXISTS (
        SELECT FROM crm.cycle AS later
        WHERE
            later.account_id = c.account_id
            AND later.cycle_id > c.cycle_id
            AND later.state <> 'Processing'
            AND later.counts <> '{}'
    )
ORDER BY c.cycle_id
