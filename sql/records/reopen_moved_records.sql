-- Records of which a reference is another Id by now (a lead was converted, a parent made anew):
-- their latest versions are looked at again. Only what came to stand for people since the last look,
-- and records that may have become others, are compared.
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

looked_at AS (
    UPDATE crm.record AS r
    SET moved = false
    WHERE r.account_id = :account_id AND r.moved
    RETURNING r.natural_key, r.salesforce_id
),

changed AS MATERIALIZED (
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
    SELECT l.natural_key, l.salesforce_id
    FROM looked_at AS l
),

moved AS (
    -- A few are looked up one by one; for many, all references of the account are read.
    SELECT few.account_id, few.natural_key
    FROM changed AS c
    CROSS JOIN LATERAL (
        SELECT r.account_id, r.natural_key, r.ref_keys, r.ref_ids
        FROM crm.record AS r
        WHERE r.account_id = :account_id AND r.ref_keys @> ARRAY[c.ref_key]
        -- One by one: the planner takes them for many, and would read all.
        OFFSET 0
    ) AS few
    CROSS JOIN LATERAL unnest(few.ref_keys, few.ref_ids) AS ref (key, id)
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
