-- The memberships of these sessions were looked at.
UPDATE crm.session_end
SET derived = coalesce(attended AND no_shows_at <= now(), false)
WHERE account_id = :account_id AND event_session_id = any(CAST(:sessions AS bigint []))
