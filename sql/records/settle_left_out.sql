-- Records that refer to somebody or something that is left out are left out as well, and so are
-- those that refer to these, or to a record that is not there and is not to be, or to somebody or
-- something that an operator dropped; those go on of which nothing is left out any more. Records that
-- are to be gone never are.
--
-- Parameters: account_id; also_pending, beside those that are left out already.
WITH RECURSIVE waiting AS MATERIALIZED (
    SELECT
        o.operation_id,
        o.natural_key,
        CASE
            WHEN p.person_key IS NULL THEN ref.value
            ELSE 'person:' || coalesce(p.successor, p.person_key)
        END AS needs
    FROM (
        -- Each by an index of its own, which holds none that is done.
        SELECT l.operation_id, l.account_id, l.natural_key, l.intent
        FROM crm.operation AS l
        WHERE l.account_id = :account_id AND l.kind = 'record' AND l.state = 'left_out'
        UNION ALL
        SELECT w.operation_id, w.account_id, w.natural_key, w.intent
        FROM crm.operation AS w
        WHERE
            w.account_id = :account_id
            AND w.kind = 'record'
            AND w.state = 'pending'
            AND :also_pending
    ) AS o
    CROSS JOIN LATERAL jsonb_each_text(o.intent -> 'refs') AS ref
    LEFT JOIN crm.person AS p
        ON
            o.account_id = p.account_id
            AND p.person_key
            = CASE WHEN ref.value LIKE 'person:%' THEN CAST(substr(ref.value, 8) AS bigint) END
    WHERE o.intent ->> 'fields' IS NOT NULL
),

without AS (
    SELECT p.natural_key
    FROM crm.operation AS p
    WHERE
        EXISTS (SELECT FROM waiting)
        AND p.account_id = :account_id
        AND p.kind = 'person'
        AND (
            p.state = 'left_out'
            OR (
                p.state = 'dropped'
                AND NOT EXISTS (
                    SELECT FROM crm.operation AS newer
                    WHERE
                        newer.account_id = p.account_id
                        AND newer.natural_key = p.natural_key
                        AND newer.version > p.version
                )
                AND NOT EXISTS (
                    SELECT FROM crm.identity AS i
                    WHERE i.account_id = p.account_id AND i.person_key = p.person_key
                )
            )
        )
    UNION
    SELECT needed.natural_key
    FROM (SELECT DISTINCT w.needs AS natural_key FROM waiting AS w) AS needed
    CROSS JOIN LATERAL (
        SELECT o.state, o.intent
        FROM crm.operation AS o
        WHERE o.account_id = :account_id AND o.natural_key = needed.natural_key
        ORDER BY o.version DESC
        LIMIT 1
    ) AS latest
    WHERE
        needed.natural_key NOT LIKE 'id:%'
        AND needed.natural_key NOT LIKE 'person:%'
        AND (latest.intent ->> 'fields' IS NULL OR latest.state = 'dropped')
        AND NOT EXISTS (
            SELECT FROM crm.record AS held
            WHERE held.account_id = :account_id AND held.natural_key = needed.natural_key
        )
    UNION
    SELECT w.natural_key
    FROM without AS n
    INNER JOIN waiting AS w ON n.natural_key = w.needs
),

settled AS (
    SELECT
        w.operation_id,
        bool_or(n.natural_key IS NOT NULL) AS is_out
    FROM waiting AS w
    LEFT JOIN without AS n ON w.needs = n.natural_key
    GROUP BY w.operation_id
)

UPDATE crm.operation AS o
SET
    state = CASE WHEN s.is_out THEN 'left_out' ELSE 'pending' END,
    reason_code = CASE WHEN s.is_out THEN 'REFERENCE_LEFT_OUT' END,
    reason = CASE WHEN s.is_out THEN 'what it refers to is left out, or gone' END,
    finished_at = CASE WHEN s.is_out THEN clock_timestamp() END
FROM settled AS s
WHERE o.operation_id = s.operation_id AND s.is_out = (o.state = 'pending')
