-- A hold of which nothing waits any more, as the source has said otherwise since or a plan has sent it,
-- needs nobody to decide.
ALTER TABLE crm.hold DROP CONSTRAINT hold_decision_check;
ALTER TABLE crm.hold ADD CONSTRAINT hold_decision_check CHECK (
    decision IN ('approved', 'rejected', 'lapsed')
);

-- The operations that exceed a limit, of those that a hold is about and that still wait: all of them
-- where too many rows were rejected.
CREATE FUNCTION crm.held_operations(which bigint) RETURNS SETOF bigint
STABLE LANGUAGE sql
AS $$
    SELECT o.operation_id
    FROM crm.hold AS h
    INNER JOIN crm.operation AS o
        ON
            o.account_id = h.account_id
            AND o.kind IN ('person', 'activity', 'campaign', 'member', 'record')
            AND o.state = 'pending'
            AND o.operation_id > h.after_operation
            AND o.operation_id <= h.last_operation
    LEFT JOIN crm.identity AS i
        ON o.kind = 'person' AND o.account_id = i.account_id AND o.person_key = i.person_key
    WHERE
        h.hold_id = which
        AND EXISTS (
            SELECT FROM jsonb_array_elements(h.exceeded) AS e
            WHERE
                CASE e.value ->> 'limit'
                    WHEN 'new people' THEN o.kind = 'person' AND i.person_key IS NULL
                    WHEN 'changed people' THEN o.kind = 'person' AND i.person_key IS NOT NULL
                    WHEN 'deletions'
                        THEN
                            o.kind = e.value ->> 'kind'
                            AND CASE
                                WHEN o.kind = 'record' THEN o.intent ->> 'fields' IS NULL
                                ELSE o.gone
                            END
                    ELSE true
                END
        )
$$;
