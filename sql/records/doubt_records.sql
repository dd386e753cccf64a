-- Marks the fields of these operations as unknown: they may stand in the org or not, so whatever is
-- wanted next is sent. They say `{}`, which no value is alike.
UPDATE crm.record AS r
SET
    last = coalesce(
        (
            SELECT
                jsonb_object_agg(
                    f.name,
                    CASE
                        WHEN o.intent -> 'fields' -> f.name = r.last -> f.name
                            THEN r.last -> f.name
                        ELSE '{}'
                    END
                )
            FROM (
                SELECT jsonb_object_keys(r.last)
                UNION
                SELECT jsonb_object_keys(coalesce(nullif(o.intent -> 'fields', 'null'), '{}'))
            ) AS f (name)
        ),
        '{}'
    ),
    ref_fields = kept.fields,
    ref_keys = kept.keys,
    ref_ids = kept.ids
FROM crm.operation AS o
CROSS JOIN LATERAL (
    SELECT
        coalesce(array_agg(ref.field), '{}') AS fields,
        coalesce(array_agg(ref.key), '{}') AS keys,
        coalesce(array_agg(ref.id), '{}') AS ids
    FROM crm.record AS held
    CROSS JOIN LATERAL unnest(held.ref_fields, held.ref_keys, held.ref_ids)
        AS ref (field, key, id)
    WHERE
        held.account_id = o.account_id
        AND held.natural_key = o.natural_key
        AND o.intent -> 'refs' ->> ref.field = ref.key
) AS kept
WHERE
    o.operation_id = any(CAST(:operation_ids AS bigint []))
    AND r.account_id = o.account_id
    AND r.natural_key = o.natural_key
