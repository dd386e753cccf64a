-- Records of which a reference is another Id by now (a lead was converted, a parent made anew):
-- their latest versions are looked at again. Only what came to stand for people or records since
-- the last look is compared.
WITH looked AS (
    SELECT coalesce(
        (SELECT l.looked_at FROM crm.record_look AS l WHERE l.account_id = :account_id),
        '-infinity'
    ) AS since
),

noted AS (
    INSERT INTO crm.record_look (account_id, looked_at)
    VALUES (:account_id, now())
    ON CONFLICT (account_id) DO UPDATE SET looked_at = excluded.looked_at
),

changed AS (
    SELECT 'person:' || i.person_key AS ref_key, i.salesforce_id
    FROM crm.identity AS i
    CROSS JOIN looked
    WHERE
        i.account_id = :account_id
        AND i.seen_at >= looked.since
        AND NOT EXISTS (
            SELECT FROM crm.person AS p
            WHERE p.person_key = i.person_key AND p.successor IS NOT NULL
        )
    UNION ALL
    -- Who was absorbed is meant as the one who stands for the person now.
    SELECT 'person:' || p.person_key AS ref_key, i.salesforce_id
    FROM crm.person AS p
    INNER JOIN crm.identity AS i ON p.account_id = i.account_id AND p.successor = i.person_key
    CROSS JOIN looked
    WHERE
        p.account_id = :account_id
        AND p.successor IS NOT NULL
        AND greatest(p.absorbed_at, i.seen_at) >= looked.since
    UNION ALL
    SELECT r.natural_key, r.salesforce_id
    FROM crm.record AS r
    CROSS JOIN looked
    WHERE r.account_id = :account_id AND r.seen_at >= looked.since
),

moved AS (
    -- A few are looked up one by one; for many, all references of the account are read.
    SELECT r.account_id, r.natural_key
    FROM changed AS c
    INNER JOIN crm.record AS r ON r.account_id = :account_id AND r.ref_keys @> ARRAY[c.ref_key]
    CROSS JOIN LATERAL unnest(r.ref_keys, r.ref_ids) AS ref (key, id)
    WHERE
        ref.key = c.ref_key
        AND ref.id <> c.salesforce_id
        AND (SELECT count(*) FROM changed) <= 300
    UNION
    SELECT r.account_id, r.natural_key
    FROM crm.record AS r
    CROSS JOIN LATERAL unnest(r.ref_keys, r.ref_ids) AS ref (key, id)
    INNER JOIN changed AS c ON ref.key = c.ref_key
    WHERE
        r.account_id = :account_id
        AND ref.id <> c.salesforce_id
        AND (SELECT count(*) FROM changed) > 300
)

UPDATE crm.operation AS o
SET
    state = 'pending',
    attempts_left = o.attempts,
    sobject = NULL,
    action = NULL,
    salesforce_id = NULL,
    sent = NULL
FROM moved AS m
CROSS JOIN LATERAL (
    SELECT newest.operation_id
    FROM crm.operation AS newest
    WHERE
        newest.account_id = m.account_id
        AND newest.natural_key = m.natural_key
        AND newest.state <> 'superseded'
    ORDER BY newest.version DESC
    LIMIT 1
) AS latest
WHERE o.operation_id = latest.operation_id AND o.state = 'done'
