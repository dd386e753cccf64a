-- What waits of people who are in the org nowhere, as far as is known, and whom a filter rejects by
-- now: it is not sent. Where the filter goes and their rows are read again, they are said anew.
WITH waiting AS MATERIALIZED (
    SELECT DISTINCT w.person_key
    FROM crm.operation AS w
    WHERE
        w.account_id = :account_id
        AND w.state IN ('pending', 'failed', 'left_out')
        AND w.person_key IS NOT NULL
)

UPDATE crm.operation AS o
SET
    state = 'rejected',
    reason = 'filtered',
    content_hash = '',
    finished_at = clock_timestamp()
FROM waiting AS w
INNER JOIN crm.person AS p ON w.person_key = p.person_key
WHERE
    EXISTS (
        SELECT FROM unnest(CAST(:filters AS text [])) AS unwanted (part)
        WHERE strpos(p.address, unwanted.part) > 0
    )
    AND o.account_id = :account_id
    AND o.person_key = p.person_key
    AND o.state IN ('pending', 'failed', 'left_out')
    AND NOT EXISTS (
        SELECT FROM crm.identity AS i
        WHERE i.account_id = :account_id AND i.person_key = p.person_key
    )
    -- What may be in the org is looked up first.
    AND NOT EXISTS (
        SELECT FROM crm.operation AS asked
        WHERE
            asked.account_id = :account_id
            AND asked.natural_key = 'person:' || p.person_key
            AND (
                asked.state = 'in_flight'
                OR (
                    asked.action = 'create'
                    AND asked.sent_at IS NOT NULL
                    AND asked.error_code IS NULL
                    AND asked.salesforce_id IS NULL
                )
            )
    )
RETURNING o.kind
