-- The number of a source's rows that were shipped after a moment, the times of the first and last
-- of them, and the sum of their times in seconds after that moment: another one when a row was
-- shipped anew.
--
-- Parameters, arrays of equal length: keys, given back as they are; client_ids; sources
-- ('registrations' or 'attendances'); sinces. One row for each, in any order: key, source, rows,
-- oldest, newest (of those not dated in the future), seconds. A row is whatever makes
-- registrations.sql or attendances.sql read something again: look at the same tables here as they
-- do, or an account is asked for in vain, or never.
SELECT
    w.key,
    w.source,
    count(shipped.shipped_at) AS rows,
    CAST(min(shipped.shipped_at) FILTER (WHERE isfinite(shipped.shipped_at)) AS timestamptz) AS oldest,
    CAST(max(shipped.shipped_at) FILTER (WHERE shipped.shipped_at <= now()) AS timestamptz) AS newest,
    coalesce(
        sum(CAST(extract(EPOCH FROM shipped.shipped_at - w.since) AS numeric (38, 6)))
        FILTER (WHERE isfinite(shipped.shipped_at)),
        0
    ) AS seconds
FROM (
    SELECT
        unnest(CAST(:keys AS text [])) AS key,
        unnest(CAST(:client_ids AS text [])) AS client_id,
        unnest(CAST(:sources AS text [])) AS source,
        unnest(CAST(:sinces AS timestamptz [])) AS since
) AS w
LEFT JOIN LATERAL (
    SELECT p.shipped_at
    FROM warehouse.person AS p
    WHERE p.client_id = w.client_id AND p.shipped_at > w.since
    UNION ALL
    SELECT e.shipped_at
    FROM warehouse.event AS e
    WHERE e.client_id = w.client_id AND e.shipped_at > w.since
    UNION ALL
    SELECT s.shipped_at
    FROM warehouse.event_session AS s
    WHERE s.client_id = w.client_id AND s.shipped_at > w.since
    UNION ALL
    SELECT r.shipped_at
    FROM warehouse.registration AS r
    WHERE w.source = 'registrations' AND r.client_id = w.client_id AND r.shipped_at > w.since
    UNION ALL
    SELECT a.shipped_at
    FROM warehouse.attendance AS a
    WHERE w.source = 'attendances' AND a.client_id = w.client_id AND a.shipped_at > w.since
    UNION ALL
    SELECT pq.shipped_at
    FROM warehouse.poll_question AS pq
    WHERE w.source = 'attendances' AND pq.client_id = w.client_id AND pq.shipped_at > w.since
    UNION ALL
    SELECT pa.shipped_at
    FROM warehouse.poll_answer AS pa
    WHERE w.source = 'attendances' AND pa.client_id = w.client_id AND pa.shipped_at > w.since
    UNION ALL
    SELECT m.shipped_at
    FROM warehouse.chat_message AS m
    WHERE w.source = 'attendances' AND m.client_id = w.client_id AND m.shipped_at > w.since
    UNION ALL
    SELECT cr.shipped_at
    FROM warehouse.chat_reply AS cr
    WHERE w.source = 'attendances' AND cr.client_id = w.client_id AND cr.shipped_at > w.since
    UNION ALL
    SELECT i.shipped_at
    FROM warehouse.interaction AS i
    WHERE w.source = 'attendances' AND i.client_id = w.client_id AND i.shipped_at > w.since
) AS shipped ON true
GROUP BY w.key, w.source
