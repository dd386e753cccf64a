-- Made of ../../engagement/new_rows.sql by `make extracts`: there it says what this is for, and
-- what it must give.
WITH asked AS (
    SELECT
        CAST(keys.value AS VARCHAR) AS key,
        CAST(client_ids.value AS VARCHAR) AS client_id,
        CAST(sources.value AS VARCHAR) AS source,
        CAST(sinces.value AS TIMESTAMPTZ) AS since
    FROM TABLE(FLATTEN(INPUT => PARSE_JSON(:keys))) AS keys
        INNER JOIN TABLE(FLATTEN(INPUT => PARSE_JSON(:client_ids))) AS client_ids ON keys.index = client_ids.index
        INNER JOIN TABLE(FLATTEN(INPUT => PARSE_JSON(:sources))) AS sources ON keys.index = sources.index
        INNER JOIN TABLE(FLATTEN(INPUT => PARSE_JSON(:sinces))) AS sinces ON keys.index = sinces.index
), shipped AS (
    SELECT
        w.key,
        w.source,
        w.since,
        CAST(NULL AS TIMESTAMPTZ) AS shipped_at
    FROM asked AS w
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        t.shipped_at
    FROM warehouse.tag_definition AS t
    INNER JOIN asked AS w
        ON w.source = 'definitions' AND t.client_id = w.client_id AND t.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        s.shipped_at
    FROM warehouse.score_definition AS s
    INNER JOIN asked AS w
        ON w.source = 'definitions' AND s.client_id = w.client_id AND s.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        p.shipped_at
    FROM warehouse.prospect AS p
    INNER JOIN asked AS w
        ON w.source = 'prospects' AND p.client_id = w.client_id AND p.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        pt.shipped_at
    FROM warehouse.prospect_tag AS pt
    INNER JOIN asked AS w
        ON w.source = 'prospects' AND pt.client_id = w.client_id AND pt.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        ps.shipped_at
    FROM warehouse.prospect_score AS ps
    INNER JOIN asked AS w
        ON w.source = 'prospects' AND ps.client_id = w.client_id AND ps.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        g.shipped_at
    FROM warehouse.prospect_page AS g
    INNER JOIN asked AS w
        ON w.source = 'prospects_with_pages' AND g.client_id = w.client_id AND g.shipped_at > w.since
)
SELECT
    shipped.key,
    shipped.source,
    COUNT(shipped.shipped_at) AS "rows",
    CAST(MIN(shipped.shipped_at) AS TIMESTAMPTZ) AS oldest,
    CAST(MAX(CASE WHEN shipped.shipped_at <= CURRENT_TIMESTAMP() THEN shipped.shipped_at END) AS TIMESTAMPTZ) AS newest,
    COALESCE(
        SUM(
            DATE_PART(EPOCH_MICROSECOND, shipped.shipped_at) / 1000000 - DATE_PART(EPOCH_MICROSECOND, shipped.since) / 1000000
        ),
        0
    ) AS seconds
FROM shipped
GROUP BY
    shipped.key,
    shipped.source
