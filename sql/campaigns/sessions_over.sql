-- Those of these sessions whose absentees are no-shows: over for so long, and somebody was there. NULL: none.
SELECT s.event_session_id
FROM crm.session_end AS s
WHERE
    s.account_id = :account_id
    AND s.event_session_id = any(CAST(:sessions AS bigint []))
    AND s.attended
    AND s.ends_at + make_interval(secs => :grace_seconds) <= now()
