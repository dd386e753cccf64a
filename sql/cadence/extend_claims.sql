-- The run that was asked for has started: the claims on its accounts begin anew.
UPDATE crm.sync_state
SET claimed_until = now() + make_interval(mins => :minutes)
WHERE account_id = any(CAST(:account_ids AS text [])) AND claimed_until IS NOT NULL
