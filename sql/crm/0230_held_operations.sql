-- The state held: of what is to be sent it is kept back, while something else is sent alone.
ALTER TABLE crm.operation DROP CONSTRAINT operation_state_check;
ALTER TABLE crm.operation ADD CONSTRAINT operation_state_check CHECK (
    state IN (
        'pending', 'held', 'in_flight', 'done', 'failed', 'exhausted', 'superseded', 'rejected',
        'left_out', 'dropped'
    )
);
