-- Counts what each cause holds up now, and closes those that hold up nothing any more.
UPDATE crm.incident AS i
SET
    closed_at = CASE WHEN held.operations = 0 THEN now() END,
    operations = greatest(i.operations, held.operations)
FROM (
    SELECT
        c.incident_id,
        (
            SELECT count(*)
            FROM crm.operation AS o
            WHERE
                o.account_id = c.account_id
                -- Those that wait for their turn again keep why they failed.
                AND o.state IN ('failed', 'pending')
                AND o.sobject = c.subject
                AND o.error_code = c.code
        ) AS operations
    FROM crm.incident AS c
    WHERE c.account_id = :account_id AND c.closed_at IS NULL
) AS held
WHERE
    i.incident_id = held.incident_id
    AND (held.operations = 0 OR held.operations > i.operations)
