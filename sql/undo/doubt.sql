-- Values that were restored are ours as much as those that they replace: a policy that leaves alone what
-- people wrote takes neither for theirs.
UPDATE crm.identity AS i
SET doubted = coalesce(i.doubted, '{}') || w.doubted
FROM (
    SELECT
        o.account_id,
        o.person_key,
        o.salesforce_id,
        (
            SELECT
                jsonb_object_agg(
                    f.key,
                    coalesce(k.doubted -> f.key, '[]') || jsonb_build_array(f.value)
                )
            FROM jsonb_each(o.sent) AS f
        ) AS doubted
    FROM crm.operation AS o
    INNER JOIN crm.identity AS k
        ON
            o.account_id = k.account_id
            AND o.person_key = k.person_key
            AND o.salesforce_id = k.salesforce_id
    WHERE o.operation_id = any(CAST(:operation_ids AS bigint []))
) AS w
WHERE i.account_id = w.account_id AND i.person_key = w.person_key
