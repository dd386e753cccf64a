-- Gives back the claims on accounts of a run that has ended before it came to them.
UPDATE crm.sync_state
SET claimed_until = NULL
WHERE
    account_id = any(CAST(:account_ids AS text []))
    AND run_id IS DISTINCT FROM :run_id
    AND state <> 'Processing'
