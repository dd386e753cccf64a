-- The visits that are known of these rows.
SELECT v.attendance_id, v.person_key, v.event_session_id, v.on_demand, v.part_of
FROM unnest(CAST(:attendance_ids AS bigint [])) AS k (attendance_id)
CROSS JOIN LATERAL (
    SELECT known.*
    FROM crm.visit AS known
    WHERE known.account_id = :account_id AND known.attendance_id = k.attendance_id
    OFFSET 0
) AS v
