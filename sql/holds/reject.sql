-- Drops what is rejected of a hold, as far as it was shown and still waits.
UPDATE crm.operation
SET
    state = 'dropped',
    reason = :reason,
    reason_code = :reason_code,
    finished_at = clock_timestamp()
WHERE operation_id IN (SELECT h.h FROM crm.held_operations(:hold_id) AS h (h))
