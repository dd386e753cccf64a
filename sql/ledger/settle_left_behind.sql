-- These operations brought to their people's records what had been left behind, or found it there.
-- Others may have emptied more while an update was on its way: those people are decided anew.
WITH settled AS (
    UPDATE crm.identity AS i
    SET
        left_behind = nullif(
            ARRAY(
                SELECT l.field
                FROM unnest(i.left_behind) AS l (field)
                WHERE NOT (d.filled ? l.field OR coalesce(o.sent, '{}') ? l.field)
            ),
            '{}'
        )
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS d (operation_id bigint, filled jsonb)
    INNER JOIN crm.operation AS o ON d.operation_id = o.operation_id
    WHERE
        o.kind = 'person'
        AND i.account_id = o.account_id
        AND i.person_key = o.person_key
        AND i.person_key = any(CAST(:person_keys AS bigint []))
    RETURNING o.operation_id, i.left_behind
)

UPDATE crm.latest_version AS o
SET state = 'pending', action = NULL, sobject = NULL, salesforce_id = NULL, sent = NULL
FROM settled AS s
WHERE
    o.operation_id = s.operation_id
    AND s.left_behind IS NOT NULL
