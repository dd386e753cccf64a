-- The org does not know these people and the account creates nobody: what is about them ends.
UPDATE crm.operation AS o
SET state = 'dropped', reason = :reason, finished_at = clock_timestamp()
FROM crm.operation AS p
WHERE
    p.operation_id = any(CAST(:operation_ids AS bigint []))
    AND o.account_id = p.account_id
    AND o.person_key = p.person_key
    AND o.state = 'pending'
