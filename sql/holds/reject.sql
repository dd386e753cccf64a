-- Drops what is rejected of a hold, as far as it was shown and still waits.
UPDATE crm.operation AS o
SET
    state = 'dropped',
    reason = :reason,
    reason_code = :reason_code,
    finished_at = clock_timestamp()
FROM crm.operation AS w
LEFT JOIN crm.identity AS i
    ON w.kind = 'person' AND w.account_id = i.account_id AND w.person_key = i.person_key
WHERE
    o.operation_id = w.operation_id
    AND w.account_id = :account_id
    AND w.kind IN ('person', 'activity', 'campaign', 'member', 'record')
    AND w.state = 'pending'
    AND w.operation_id > :after
    AND w.operation_id <= :last_operation
    AND (
        CAST(:everything AS boolean)
        OR (CAST(:new_people AS boolean) AND w.kind = 'person' AND i.person_key IS NULL)
        OR (CAST(:known_people AS boolean) AND w.kind = 'person' AND i.person_key IS NOT NULL)
        OR (
            w.kind = any(CAST(:deletions_of AS text []))
            AND CASE WHEN w.kind = 'record' THEN w.intent ->> 'fields' IS NULL ELSE w.gone END
        )
    )
