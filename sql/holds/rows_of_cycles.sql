-- The new rows that earlier cycles have read, and those of them that were rejected.
SELECT
    coalesce(
        sum(
            coalesce((t.value ->> 'rows_read')::bigint, 0)
            - coalesce((t.value ->> 'known_already')::bigint, 0)
        ),
        0
    )::bigint AS read,
    coalesce(sum((t.value ->> 'rejected')::bigint), 0)::bigint AS rejected
FROM crm.cycle AS c
CROSS JOIN LATERAL jsonb_each(c.counts -> 'topics') AS t
WHERE
    c.account_id = :account_id
    AND c.cycle_id >= :first
    AND c.cycle_id < :before
    AND t.value ? 'rows_read'
