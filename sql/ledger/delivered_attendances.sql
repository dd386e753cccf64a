-- When the activity of each attendance of some sessions came to be in the org.
SELECT
    v.attendance_id,
    min(o.finished_at) AS seen_at
FROM crm.visit AS v
INNER JOIN crm.operation AS o
    ON
        v.account_id = o.account_id
        AND o.natural_key = 'attendance:' || v.attendance_id
        AND o.state = 'done'
        AND o.action = 'create'
WHERE
    v.account_id = :account_id
    AND v.event_session_id = any(CAST(:sessions AS bigint []))
    AND v.part_of IS NULL
GROUP BY v.attendance_id
