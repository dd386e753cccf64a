INSERT INTO crm.pushed_session (account_id, event_session_id)
VALUES (:account_id, :event_session_id)
ON CONFLICT DO NOTHING
