-- A cycle that would do far more than usual is held before it sends, until a person decides.
CREATE TABLE crm.brake (
    account_id text PRIMARY KEY REFERENCES crm.account ON DELETE CASCADE,
    passed_operation bigint NOT NULL DEFAULT 0,
    load_approved boolean NOT NULL DEFAULT true
);

COMMENT ON TABLE crm.brake
IS 'How far each account''s operations are let through; an account without a row begins its first load.';
COMMENT ON COLUMN crm.brake.passed_operation
IS 'All operations up to this one were within the limits, or a person decided about them.';
COMMENT ON COLUMN crm.brake.load_approved
IS 'A person has approved a load: no limit holds until a whole cycle is Complete and has read all.';

CREATE TABLE crm.hold (
    hold_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL REFERENCES crm.account ON DELETE CASCADE,
    cycle_id bigint NOT NULL,
    held_at timestamptz NOT NULL DEFAULT now(),
    after_operation bigint NOT NULL,
    last_operation bigint NOT NULL,
    exceeded jsonb NOT NULL,
    decision text CHECK (decision IN ('approved', 'rejected')),
    decided_at timestamptz,
    decided_by text,
    why text
);

CREATE UNIQUE INDEX hold_open ON crm.hold (account_id) WHERE decision IS NULL;
CREATE INDEX hold_by_account ON crm.hold (account_id, hold_id);

COMMENT ON TABLE crm.hold
IS 'Cycles that were held before they sent, and what a person decided; nobody has yet where decision is NULL.';
COMMENT ON COLUMN crm.hold.after_operation
IS 'The decision is about operations after this one,';
COMMENT ON COLUMN crm.hold.last_operation
IS 'up to this one: those that people were shown.';
COMMENT ON COLUMN crm.hold.exceeded IS 'The limits that were exceeded, with the numbers.';

INSERT INTO crm.brake (account_id, passed_operation, load_approved)
SELECT
    a.account_id,
    coalesce((SELECT max(o.operation_id) FROM crm.operation AS o), 0),
    s.complete_at IS NULL
FROM crm.account AS a
LEFT JOIN crm.sync_state AS s ON a.account_id = s.account_id;

ALTER TABLE crm.cycle DROP CONSTRAINT cycle_state_check;
ALTER TABLE crm.cycle ADD CONSTRAINT cycle_state_check CHECK (
    state IN ('Processing', 'Complete', 'Failed', 'Paused', 'Held')
);
ALTER TABLE crm.sync_state DROP CONSTRAINT sync_state_state_check;
ALTER TABLE crm.sync_state ADD CONSTRAINT sync_state_state_check CHECK (
    state IN ('New', 'Processing', 'Complete', 'Failed', 'Paused', 'Held')
);
