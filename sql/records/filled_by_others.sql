-- The fields of the records of these operations, named by their Ids, that another account of the same
-- org fills; of several such accounts the first one's.
WITH sharing AS MATERIALIZED (
    SELECT other.account_id
    FROM crm.account_org AS own
    INNER JOIN crm.account_org AS other ON own.organization_id = other.organization_id
    WHERE own.account_id = :account_id AND other.account_id <> :account_id
)

SELECT DISTINCT ON (mine.operation_id)
    mine.operation_id,
    filled.account_id,
    filled.fields
FROM sharing AS s
INNER JOIN crm.operation AS mine ON mine.operation_id = any(CAST(:operation_ids AS bigint []))
CROSS JOIN LATERAL (
    SELECT
        r.account_id,
        array_agg(held.field ORDER BY held.field) AS fields
    FROM crm.record AS r
    CROSS JOIN LATERAL jsonb_each(r.last) AS held (field, value)
    WHERE
        r.account_id = s.account_id
        AND r.salesforce_id
        = coalesce(mine.intent ->> 'id', mine.intent -> 'about' ->> 'salesforce_id')
        AND held.value NOT IN ('null', 'false')
    GROUP BY r.account_id
) AS filled
ORDER BY mine.operation_id, filled.account_id
