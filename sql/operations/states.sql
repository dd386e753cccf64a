-- Where each account stands, and what of it is open; of some accounts or of all.
SELECT
    a.account_id,
    a.name,
    a.enabled,
    a.activated_at IS NULL AS draft,
    coalesce(s.state, 'New') AS state,
    CASE
        WHEN
            s.state = 'Held'
            AND NOT EXISTS (
                SELECT FROM crm.hold AS h WHERE h.account_id = a.account_id AND h.decision IS NULL
            )
            THEN 'it is decided about; the next cycle goes on'
        ELSE s.reason
    END AS reason,
    s.notes,
    s.since,
    s.complete_at,
    s.watermark,
    s.started_at,
    s.finished_at,
    s.paused_until,
    s.failures_in_a_row,
    c.refused_at IS NOT NULL AS refused,
    s.api_used,
    s.api_limit,
    s.api_seen_at,
    coalesce(o.pending, 0) AS pending,
    coalesce(o.held, 0) AS held,
    coalesce(o.in_flight, 0) AS in_flight,
    coalesce(o.failed, 0) AS failed,
    coalesce(o.exhausted, 0) AS exhausted
FROM crm.account AS a
LEFT JOIN crm.sync_state AS s ON a.account_id = s.account_id
LEFT JOIN crm.credential AS c ON a.account_id = c.account_id
LEFT JOIN (
    SELECT
        account_id,
        count(*) FILTER (WHERE state = 'pending') AS pending,
        count(*) FILTER (WHERE state = 'held') AS held,
        count(*) FILTER (WHERE state = 'in_flight') AS in_flight,
        count(*) FILTER (WHERE state = 'failed') AS failed,
        count(*) FILTER (WHERE state = 'exhausted') AS exhausted
    FROM crm.operation
    WHERE
        state IN ('pending', 'held', 'in_flight', 'failed', 'exhausted')
        AND (CAST(:account_ids AS text []) IS NULL OR account_id = any(:account_ids))
    GROUP BY account_id
) AS o ON a.account_id = o.account_id
WHERE CAST(:account_ids AS text []) IS NULL OR a.account_id = any(:account_ids)
ORDER BY a.account_id
