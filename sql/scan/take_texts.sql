-- Takes the addresses of erased people out of what others said long ago, and was done with.
UPDATE crm.operation
SET
    intent = CAST(regexp_replace(CAST(intent AS text), :pattern, '[removed]', 'gi') AS jsonb),
    sent = CAST(regexp_replace(CAST(sent AS text), :pattern, '[removed]', 'gi') AS jsonb),
    error_message = regexp_replace(error_message, :pattern, '[removed]', 'gi')
WHERE
    account_id = :account_id
    AND state IN ('done', 'superseded', 'rejected', 'dropped')
    AND concat_ws(' ', CAST(intent AS text), CAST(sent AS text), error_message) ~* :pattern
