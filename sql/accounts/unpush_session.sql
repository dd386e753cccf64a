DELETE FROM crm.pushed_session
WHERE account_id = :account_id AND event_session_id = :event_session_id
RETURNING event_session_id
