-- The number of rows that were shipped after a moment, with the columns and parameters of
-- ../new_rows.sql; sources: definitions, prospects, prospects_with_pages.
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
    SELECT t.shipped_at
    FROM warehouse.tag_definition AS t
    WHERE w.source = 'definitions' AND t.client_id = w.client_id AND t.shipped_at > w.since
    UNION ALL
    SELECT s.shipped_at
    FROM warehouse.score_definition AS s
    WHERE w.source = 'definitions' AND s.client_id = w.client_id AND s.shipped_at > w.since
    UNION ALL
    SELECT p.shipped_at
    FROM warehouse.prospect AS p
    WHERE w.source = 'prospects' AND p.client_id = w.client_id AND p.shipped_at > w.since
    UNION ALL
    SELECT pt.shipped_at
    FROM warehouse.prospect_tag AS pt
    WHERE w.source = 'prospects' AND pt.client_id = w.client_id AND pt.shipped_at > w.since
    UNION ALL
    SELECT ps.shipped_at
    FROM warehouse.prospect_score AS ps
    WHERE w.source = 'prospects' AND ps.client_id = w.client_id AND ps.shipped_at > w.since
    UNION ALL
    SELECT g.shipped_at
    FROM warehouse.prospect_page AS g
    WHERE
        w.source = 'prospects_with_pages'
        AND g.client_id = w.client_id
        AND g.shipped_at > w.since
) AS shipped ON true
GROUP BY w.key, w.source
