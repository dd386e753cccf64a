-- The org does not know these people and the account creates nobody: they are left out, and with them
-- what is about them.
UPDATE crm.operation AS o
SET
    state = 'left_out',
    reason_code = CASE o.kind WHEN 'person' THEN 'UNKNOWN_PERSON' ELSE 'REFERENCE_LEFT_OUT' END,
    reason = 'not in the org, and the account creates nobody',
    finished_at = clock_timestamp()
FROM crm.operation AS p
WHERE
    p.operation_id = any(CAST(:operation_ids AS bigint []))
    AND o.account_id = p.account_id
    AND o.person_key = p.person_key
    AND o.state = 'pending'
