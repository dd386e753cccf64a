-- What others said stays, without the address.
UPDATE crm.operation
SET
    intent = CAST(regexp_replace(CAST(intent AS text), :pattern, '[removed]', 'gi') AS jsonb),
    sent = CAST(regexp_replace(CAST(sent AS text), :pattern, '[removed]', 'gi') AS jsonb),
    error_message = regexp_replace(error_message, :pattern, '[removed]', 'gi')
WHERE operation_id = any(CAST(:naming_ids AS bigint []))
