-- The cycles of the demo's accounts after a cycle, and whether one is an account's first.
SELECT
    c.account_id,
    c.state,
    c.reason,
    c.notes,
    c.counts,
    c.finished_at IS NOT NULL AS finished,
    CAST(extract(EPOCH FROM c.finished_at - c.started_at) AS float) AS seconds,
    NOT exists(
        SELECT FROM crm.cycle AS earlier
        WHERE earlier.account_id = c.account_id AND earlier.cycle_id < c.cycle_id
    ) AS is_first
FROM crm.cycle AS c
WHERE c.cycle_id > :after
ORDER BY c.cycle_id
