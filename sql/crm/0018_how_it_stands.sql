-- Parts of a cycle's outcome that are no reason for its state; and since when an account stands as
-- it does.

ALTER TABLE crm.cycle ADD COLUMN notes text;
ALTER TABLE crm.sync_state ADD COLUMN notes text;
ALTER TABLE crm.sync_state ADD COLUMN since timestamptz;
ALTER TABLE crm.sync_state ADD COLUMN complete_at timestamptz;

COMMENT ON COLUMN crm.cycle.notes
IS 'What people may want to know although nothing stopped the cycle: values changed to fit.';
COMMENT ON COLUMN crm.sync_state.notes IS 'Those of the last cycle.';
COMMENT ON COLUMN crm.sync_state.since
IS 'When the account first ended a cycle in its present state, with no other state between.';
COMMENT ON COLUMN crm.sync_state.complete_at IS 'When a cycle of the account last ended Complete.';

-- A Complete cycle had nothing but notes as its reason.
UPDATE crm.cycle SET notes = reason, reason = NULL WHERE state = 'Complete';
UPDATE crm.sync_state SET notes = reason, reason = NULL WHERE state = 'Complete';
UPDATE crm.sync_state SET since = finished_at WHERE state IN ('Complete', 'Failed', 'Paused');
UPDATE crm.sync_state AS s
SET complete_at = c.finished_at
FROM (
    SELECT account_id, max(finished_at) AS finished_at
    FROM crm.cycle
    WHERE state = 'Complete'
    GROUP BY account_id
) AS c
WHERE s.account_id = c.account_id;
