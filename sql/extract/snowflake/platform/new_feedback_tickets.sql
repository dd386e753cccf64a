-- Made of ../../platform/new_feedback_tickets.sql by `make extracts`: there it says what this is for, and
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
        p.shipped_at
    FROM warehouse.person AS p
    INNER JOIN asked AS w
        ON p.client_id = w.client_id AND p.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        t.shipped_at
    FROM warehouse.feedback_ticket AS t
    INNER JOIN asked AS w
        ON t.client_id = w.client_id AND t.shipped_at > w.since
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
