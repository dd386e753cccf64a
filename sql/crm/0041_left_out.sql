-- The state left_out, with a code, for operations that name somebody or something that is not in
-- the org, and is not to be made there; it ends when that is there.
ALTER TABLE crm.operation DROP CONSTRAINT operation_state_check;
ALTER TABLE crm.operation ADD COLUMN reason_code text;
COMMENT ON COLUMN crm.operation.reason_code
IS 'Of what is left out: UNKNOWN_PERSON, REFERENCE_LEFT_OUT or PERSON_DROPPED.';

UPDATE crm.operation
SET
    state = 'left_out',
    reason_code = CASE kind WHEN 'person' THEN 'UNKNOWN_PERSON' ELSE 'REFERENCE_LEFT_OUT' END
WHERE state = 'dropped' AND reason = 'not in the org, and the account creates nobody';

-- What came of people whom an operator had given up was rejected for good, whatever became of them.
UPDATE crm.operation AS o
SET
    state = CASE WHEN newest.is_newest THEN 'left_out' ELSE 'superseded' END,
    reason_code = CASE WHEN newest.is_newest THEN 'PERSON_DROPPED' END
FROM (
    SELECT
        r.operation_id,
        NOT EXISTS (
            SELECT FROM crm.operation AS newer
            WHERE
                newer.account_id = r.account_id
                AND newer.natural_key = r.natural_key
                AND newer.version > r.version
        ) AS is_newest
    FROM crm.operation AS r
    WHERE r.state = 'rejected' AND r.reason = 'its person was dropped by an operator'
) AS newest
WHERE o.operation_id = newest.operation_id;

ALTER TABLE crm.operation ADD CONSTRAINT operation_state_check CHECK (
    state IN (
        'pending', 'in_flight', 'done', 'failed', 'exhausted', 'superseded', 'rejected', 'left_out',
        'dropped'
    )
);

-- Looked at before each delivery: who is left out, and whom an operator gave up.
CREATE INDEX operation_out ON crm.operation (account_id, kind, operation_id)
WHERE state IN ('left_out', 'dropped');
CREATE INDEX operation_out_person ON crm.operation (account_id, person_key)
WHERE state IN ('left_out', 'dropped');
DROP INDEX crm.operation_dropped;
DROP INDEX crm.operation_dropped_person;
