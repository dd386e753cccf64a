-- The visits that were one attendance with any of these, without them.
SELECT DISTINCT v.attendance_id
FROM crm.visit AS one
INNER JOIN crm.visit AS v
    ON
        one.account_id = v.account_id
        AND one.person_key = v.person_key
        AND one.event_session_id = v.event_session_id
        AND one.on_demand = v.on_demand
WHERE
    one.account_id = :account_id
    AND one.attendance_id = any(CAST(:attendance_ids AS bigint []))
    AND v.attendance_id <> all(CAST(:attendance_ids AS bigint []))
