-- The number of tracked leads that were shipped after a moment, with the columns of new_rows.sql.
-- Parameters, arrays of equal length: keys, given back as they are; client_ids; sources; sinces.
SELECT
    w.key,
    w.source,
    count(t.shipped_at) AS rows,
    CAST(min(t.shipped_at) FILTER (WHERE isfinite(t.shipped_at)) AS timestamptz) AS oldest,
    CAST(max(t.shipped_at) FILTER (WHERE t.shipped_at <= now()) AS timestamptz) AS newest,
    coalesce(
        sum(CAST(extract(EPOCH FROM t.shipped_at - w.since) AS numeric (38, 6)))
        FILTER (WHERE isfinite(t.shipped_at)),
        0
    ) AS seconds
FROM (
    SELECT
        unnest(CAST(:keys AS text [])) AS key,
        unnest(CAST(:client_ids AS text [])) AS client_id,
        unnest(CAST(:sources AS text [])) AS source,
        unnest(CAST(:sinces AS timestamptz [])) AS since
) AS w
LEFT JOIN warehouse.tracked_lead AS t
    ON w.client_id = t.client_id AND t.shipped_at > w.since
GROUP BY w.key, w.source
