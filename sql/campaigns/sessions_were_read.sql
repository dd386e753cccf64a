UPDATE crm.pushed_session
SET members_read_at = now()
WHERE
    account_id = :account_id
    AND event_session_id = any(CAST(:sessions AS bigint []))
    AND members_read_at IS NULL
