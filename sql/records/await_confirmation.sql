-- These operations were published as events: what their records hold is not sure until it is seen.
-- Fields that may hold something say `{}`, which no value is alike.
UPDATE crm.record AS r
SET
    awaits_version = o.version,
    last = coalesce(
        (
            SELECT jsonb_object_agg(f.name, CAST('{}' AS jsonb))
            FROM (
                SELECT held.field FROM jsonb_each(r.last) AS held (field, value)
                WHERE held.value NOT IN ('null', 'false')
                UNION
                SELECT jsonb_object_keys(o.intent -> 'about' -> 'shown')
            ) AS f (name)
        ),
        '{}'
    )
FROM crm.operation AS o
WHERE
    o.operation_id = any(CAST(:operation_ids AS bigint []))
    AND r.account_id = o.account_id
    AND r.natural_key = o.natural_key
