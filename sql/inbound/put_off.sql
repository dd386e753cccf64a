UPDATE crm.request
SET
    attempts = attempts + 1,
    problem = :problem,
    next_attempt_at = now() + least(interval '1 hour', interval '15 seconds' * 2 ^ least(attempts, 10))
WHERE seq = :seq
