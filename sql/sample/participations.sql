-- Every registration and attendance of a client, with the address of the person, and whether it is
-- one: a place on a waiting list is none, nor is a visit of no minutes, or one that
-- was over before the session began.
SELECT
    'registration' AS kind,
    r.event_session_id,
    p.email,
    r.status IN ('registered', 'cancelled') AND r.role IS NULL AS counts
FROM warehouse.registration AS r
INNER JOIN warehouse.person AS p ON r.person_id = p.person_id
WHERE r.client_id = :client_id
UNION ALL
SELECT
    CASE WHEN a.kind = 'on_demand' THEN 'view' ELSE 'attendance' END AS kind,
    a.event_session_id,
    p.email,
    a.minutes_attended <> 0
    AND a.role IS NULL
    AND (
        a.kind = 'on_demand'
        OR a.attended_at + make_interval(mins => a.minutes_attended) > s.starts_at
    ) AS counts
FROM warehouse.attendance AS a
INNER JOIN warehouse.person AS p ON a.person_id = p.person_id
INNER JOIN warehouse.event_session AS s ON a.event_session_id = s.event_session_id
WHERE a.client_id = :client_id
