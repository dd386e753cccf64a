SELECT event_session_id, backfilled_at, members_read_at
FROM crm.pushed_session
WHERE account_id = :account_id
ORDER BY event_session_id
