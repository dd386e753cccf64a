-- Feedback and data of the person that were not told yet are told no more.
UPDATE crm.request
SET
    address = NULL,
    body = NULL,
    state = CASE WHEN state = 'pending' THEN 'failed' ELSE state END,
    problem = CASE WHEN state = 'pending' THEN 'the person was removed on request' ELSE problem END,
    finished_at = coalesce(finished_at, now())
WHERE
    account_id = :account_id
    AND digest = any(:digests)
    AND seq <> :seq
    AND (address IS NOT NULL OR body IS NOT NULL)
