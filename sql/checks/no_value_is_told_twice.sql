-- Messages of the last cycle that say what the one before says that was told.
SELECT
    a.account_id,
    count(o.operation_id) = 0 AS passed,
    count(o.operation_id) AS told_twice
FROM unnest(CAST(:account_ids AS text [])) AS a (account_id)
LEFT JOIN crm.sync_state AS s ON a.account_id = s.account_id
LEFT JOIN LATERAL (
    SELECT m.operation_id
    FROM crm.operation AS m
    CROSS JOIN LATERAL (
        SELECT b.content_hash
        FROM crm.operation AS b
        WHERE
            b.account_id = m.account_id
            AND b.natural_key = m.natural_key
            AND b.version < m.version
            AND b.state = 'done'
        ORDER BY b.version DESC
        LIMIT 1
    ) AS before
    WHERE
        m.read_by = s.cycle_id
        AND m.kind = 'message'
        AND m.intent ->> 'topic' = 'lead_values'
        AND m.state = 'done'
        AND m.content_hash = before.content_hash
) AS o ON true
GROUP BY a.account_id
