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
    ARRAY(
        SELECT s.event_session_id
        FROM warehouse.event_session AS s
        WHERE s.event_id = e.event_id
        ORDER BY s.event_session_id
    ) AS sessions
FROM warehouse.event AS e
WHERE e.client_id = :client_id AND e.event_id = any(CAST(:event_ids AS bigint []))
ORDER BY e.event_id
