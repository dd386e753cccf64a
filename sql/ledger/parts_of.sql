-- The visits that are part of these.
SELECT v.attendance_id
FROM crm.visit AS lead
INNER JOIN crm.visit AS v
    ON
        lead.account_id = v.account_id
        AND lead.person_key = v.person_key
        AND lead.event_session_id = v.event_session_id
WHERE
    lead.account_id = :account_id
    AND lead.attendance_id = any(CAST(:attendance_ids AS bigint []))
    AND v.part_of = lead.attendance_id
