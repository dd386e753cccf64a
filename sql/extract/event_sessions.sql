-- Some sessions of a client's events, for campaigns of their own (`grain`).
--
-- Parameters: client_id; session_ids. The columns' names are the contract, as in registrations.sql; a
-- column that is added can be mapped to a field of Campaign if events.sql gives one of that name, too.
SELECT
    s.event_session_id,
    s.event_id,
    s.title AS session_title,
    s.starts_at AS session_starts_at,
    s.ends_at AS session_ends_at
FROM warehouse.event_session AS s
WHERE s.client_id = :client_id AND s.event_session_id = any(CAST(:session_ids AS bigint []))
ORDER BY s.event_session_id
