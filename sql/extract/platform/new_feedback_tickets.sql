-- The number of tickets and users that were shipped after a moment, with the columns of
-- new_rows.sql. Parameters, arrays of equal length: keys, given back as they are; client_ids;
-- sources; sinces.
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
    SELECT t.shipped_at
    FROM warehouse.feedback_ticket AS t
    WHERE t.client_id = w.client_id AND t.shipped_at > w.since
) AS shipped ON true
GROUP BY w.key, w.source
