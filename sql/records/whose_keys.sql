-- Records that are to be made by a key which is that of another one, and of which: one that stands in
-- the org, or was wanted before and is still to be sent, be it another account's of the same org. They
-- are found by one expression, which is that of operation_by_record_key: no other index is to be
-- thought of. Capitals make another key of those of :told_apart.
WITH sharing AS MATERIALIZED (
    SELECT account_id FROM crm.account WHERE account_id = :account_id
    UNION
    SELECT other.account_id
    FROM crm.account_org AS own
    INNER JOIN crm.account_org AS other ON own.organization_id = other.organization_id
    WHERE own.account_id = :account_id
)

SELECT
    mine.operation_id,
    other.natural_key,
    nullif(other.account_id, :account_id) AS other_account
FROM crm.operation AS mine
CROSS JOIN LATERAL (
    SELECT o.natural_key, o.account_id
    FROM sharing AS s
    INNER JOIN crm.operation AS o
        ON
            o.account_id || ' ' || (o.intent ->> 'sobject')
            || ' ' || lower(o.intent -> 'key' ->> 1)
            = s.account_id || ' ' || (mine.intent ->> 'sobject')
            || ' ' || lower(mine.intent -> 'key' ->> 1)
    LEFT JOIN crm.record AS held
        ON o.account_id = held.account_id AND o.natural_key = held.natural_key
    WHERE
        o.kind = 'record'
        AND o.intent -> 'key' ->> 0 = mine.intent -> 'key' ->> 0
        AND (
            o.intent -> 'key' ->> 1 = mine.intent -> 'key' ->> 1
            OR mine.operation_id <> all(CAST(:told_apart AS bigint []))
        )
        AND (o.natural_key, o.account_id) <> (mine.natural_key, mine.account_id)
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
