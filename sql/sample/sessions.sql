SELECT
    event_session_id,
    client_id,
    starts_at
FROM warehouse.event_session
ORDER BY client_id, event_session_id
