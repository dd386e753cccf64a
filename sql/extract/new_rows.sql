-- How many rows of a source were shipped after a moment, and when the first and last of them.
--
-- Parameters, arrays of equal length: keys, given back as they are; client_ids; sources
-- ('registrations' or 'attendances'); sinces. One row for each, in any order: key, source, rows,
-- oldest, newest. A row is whatever makes registrations.sql or attendances.sql read something
-- again: count the same tables here as they look at, or an account is asked for in vain.
SELECT
    w.key,
    w.source,
    coalesce(sum(shipped.rows), 0)::bigint AS rows,
    min(shipped.oldest) AS oldest,
    max(shipped.newest) AS newest
FROM unnest(
    CAST(:keys AS text []),
    CAST(:client_ids AS text []),
    CAST(:sources AS text []),
    CAST(:sinces AS timestamptz [])
) AS w (key, client_id, source, since)
CROSS JOIN LATERAL (
    SELECT count(*) AS rows, min(p.shipped_at) AS oldest, max(p.shipped_at) AS newest
    FROM warehouse.person AS p
    WHERE p.client_id = w.client_id AND p.shipped_at > w.since
    UNION ALL
    SELECT count(*), min(r.shipped_at), max(r.shipped_at)
    FROM warehouse.registration AS r
    WHERE w.source = 'registrations' AND r.client_id = w.client_id AND r.shipped_at > w.since
    UNION ALL
    SELECT count(*), min(a.shipped_at), max(a.shipped_at)
    FROM warehouse.attendance AS a
    WHERE w.source = 'attendances' AND a.client_id = w.client_id AND a.shipped_at > w.since
    UNION ALL
    SELECT count(*), min(pa.shipped_at), max(pa.shipped_at)
    FROM warehouse.poll_answer AS pa
    WHERE w.source = 'attendances' AND pa.client_id = w.client_id AND pa.shipped_at > w.since
    UNION ALL
    SELECT count(*), min(m.shipped_at), max(m.shipped_at)
    FROM warehouse.chat_message AS m
    WHERE w.source = 'attendances' AND m.client_id = w.client_id AND m.shipped_at > w.since
    UNION ALL
    SELECT count(*), min(cr.shipped_at), max(cr.shipped_at)
    FROM warehouse.chat_reply AS cr
    WHERE w.source = 'attendances' AND cr.client_id = w.client_id AND cr.shipped_at > w.since
) AS shipped
GROUP BY w.key, w.source
