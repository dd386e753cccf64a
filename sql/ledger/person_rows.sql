SELECT
    person_key,
    is_attendance,
    event_session_id,
    at,
    minutes
FROM crm.person_row
WHERE account_id = :account_id AND person_key = any(CAST(:person_keys AS bigint []))
