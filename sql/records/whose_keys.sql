-- Records that are to be made by a key which is that of another one, and of which: one that stands in
-- the org, or was wanted before and is still to be sent. They are found by one expression, which is
-- that of operation_by_record_key: no other index is to be thought of.
SELECT mine.operation_id, other.natural_key
FROM crm.operation AS mine
CROSS JOIN LATERAL (
    SELECT o.natural_key
    FROM crm.operation AS o
    LEFT JOIN crm.record AS held
        ON o.account_id = held.account_id AND o.natural_key = held.natural_key
    WHERE
        o.kind = 'record'
        AND o.account_id || ' ' || (o.intent ->> 'sobject') || ' ' || lower(o.intent -> 'key' ->> 1)
        = mine.account_id || ' ' || (mine.intent ->> 'sobject')
        || ' ' || lower(mine.intent -> 'key' ->> 1)
        AND o.intent -> 'key' ->> 0 = mine.intent -> 'key' ->> 0
        AND o.natural_key <> mine.natural_key
        AND (
            held.salesforce_id IS NOT NULL
            OR (
                o.operation_id < mine.operation_id
                AND o.state IN ('pending', 'in_flight', 'failed')
                AND o.intent ->> 'fields' IS NOT NULL
            )
        )
    LIMIT 1
) AS other
WHERE mine.operation_id = any(CAST(:operation_ids AS bigint []))
