-- Words about them that come again are another thing than those withdrawn.
UPDATE crm.operation AS o
SET
    state = CASE WHEN o.state = 'in_flight' THEN 'dropped' ELSE 'rejected' END,
    reason = :reason,
    reason_code = NULL,
    content_hash = '',
    finished_at = now()
WHERE
    o.account_id = :account_id
    AND o.state IN ('pending', 'held', 'in_flight', 'failed', 'exhausted', 'left_out')
    AND (
        o.person_key = any(:person_keys)
        OR (
            o.kind = 'record'
            AND EXISTS (
                SELECT FROM jsonb_each_text(o.intent -> 'refs') AS r
                WHERE r.value = any(
                    SELECT 'person:' || k FROM unnest(CAST(:person_keys AS bigint [])) AS k
                )
            )
        )
    )
