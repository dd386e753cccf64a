-- The number of tickets and users that were shipped after a moment, with the columns of
-- new_rows.sql. Parameters, arrays of equal length: keys, given back as they are; client_ids;
-- sources; sinces.
SELECT
    w.key,
    w.source,
    count(shipped.at) AS rows,
    CAST(min(shipped.at) FILTER (WHERE isfinite(shipped.at)) AS timestamptz) AS oldest,
    CAST(max(shipped.at) FILTER (WHERE shipped.at <= now()) AS timestamptz) AS newest,
    coalesce(
        sum(CAST(extract(EPOCH FROM shipped.at - w.since) AS numeric))
        FILTER (WHERE isfinite(shipped.at)),
        0
    ) AS seconds
FROM unnest(
    CAST(:keys AS text []),
    CAST(:client_ids AS text []),
    CAST(:sources AS text []),
    CAST(:sinces AS timestamptz [])
) AS w (key, client_id, source, since)
LEFT JOIN LATERAL (
    SELECT p.shipped_at AS at
    FROM warehouse.person AS p
    WHERE p.client_id = w.client_id AND p.shipped_at > w.since
    UNION ALL
    SELECT t.shipped_at
    FROM warehouse.feedback_ticket AS t
    WHERE t.client_id = w.client_id AND t.shipped_at > w.since
) AS shipped ON true
GROUP BY w.key, w.source
