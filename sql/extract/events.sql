-- Some events of a client, for their campaigns.
--
-- Parameters: client_id; event_ids. The columns' names are the contract, as in registrations.sql; a
-- column that is added can be mapped to a field of Campaign, or say which series an event is of
-- (series_parent). Not needed: series_name (of the series, where the other column is its id);
-- series_starts_at, series_ends_at (the days of the series' campaign).
SELECT
    e.event_id,
    e.name,
    e.starts_at,
    e.ends_at,
    e.series,
    e.budget,
    (
        SELECT min(x.starts_at)
        FROM warehouse.event AS x
        WHERE x.client_id = e.client_id AND x.series = e.series
    ) AS series_starts_at,
    (
        SELECT max(x.ends_at)
        FROM warehouse.event AS x
        WHERE x.client_id = e.client_id AND x.series = e.series
    ) AS series_ends_at,
    held.sessions
FROM warehouse.event AS e
LEFT JOIN (
    SELECT s.event_id, array_agg(s.event_session_id ORDER BY s.event_session_id) AS sessions
    FROM warehouse.event_session AS s
    INNER JOIN warehouse.event AS x ON s.event_id = x.event_id
    WHERE x.client_id = :client_id AND x.event_id = any(CAST(:event_ids AS bigint []))
    GROUP BY s.event_id
) AS held ON e.event_id = held.event_id
WHERE e.client_id = :client_id AND e.event_id = any(CAST(:event_ids AS bigint []))
ORDER BY e.event_id
