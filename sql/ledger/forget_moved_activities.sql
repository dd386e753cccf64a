-- Of activities that are not in the org any more, those that are somebody else's now than when they
-- were sent last: their record is forgotten, so that they are made anew.
WITH moved AS (
    SELECT
        o.operation_id,
        o.account_id,
        o.natural_key,
        o.version
    FROM crm.operation AS o
    CROSS JOIN LATERAL (
        SELECT d.person_key
        FROM crm.operation AS d
        WHERE
            d.account_id = o.account_id
            AND d.natural_key = o.natural_key
            AND d.version < o.version
            AND d.state = 'done'
        ORDER BY d.version DESC
        LIMIT 1
    ) AS last
    WHERE
        o.operation_id = any(CAST(:operation_ids AS bigint []))
        AND o.kind = 'activity'
        AND last.person_key <> o.person_key
),

forgotten AS (
    UPDATE crm.operation AS e
    SET salesforce_id = NULL
    FROM moved AS m
    WHERE
        e.account_id = m.account_id
        AND e.natural_key = m.natural_key
        AND e.version < m.version
        AND e.salesforce_id IS NOT NULL
)

SELECT operation_id FROM moved
