UPDATE crm.pushed_session
SET backfilled_at = now()
WHERE
    account_id = :account_id
    AND event_session_id = any(CAST(:sessions AS bigint []))
    AND backfilled_at IS NULL
