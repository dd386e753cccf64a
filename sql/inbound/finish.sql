UPDATE crm.request
SET
    state = :state,
    cycle_id = :cycle_id,
    receipt = CAST(:receipt AS jsonb),
    problem = :problem,
    finished_at = now(),
    attempts = attempts + 1,
    address = NULL,
    body = NULL
WHERE seq = :seq
