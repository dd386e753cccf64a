-- Made of ../new_tracked_leads.sql by `make extracts`: there it says what this is for, and
-- what it must give.
SELECT
    w.key,
    w.source,
    COUNT(t.shipped_at) AS "rows",
    CAST(MIN(t.shipped_at) AS TIMESTAMPTZ) AS oldest,
    CAST(MAX(CASE WHEN t.shipped_at <= CURRENT_TIMESTAMP() THEN t.shipped_at END) AS TIMESTAMPTZ) AS newest,
    COALESCE(
        SUM(
            DATE_PART(EPOCH_MICROSECOND, t.shipped_at) / 1000000 - DATE_PART(EPOCH_MICROSECOND, w.since) / 1000000
        ),
        0
    ) AS seconds
FROM (
    SELECT
        CAST(keys.value AS VARCHAR) AS key,
        CAST(client_ids.value AS VARCHAR) AS client_id,
        CAST(sources.value AS VARCHAR) AS source,
        CAST(sinces.value AS TIMESTAMPTZ) AS since
    FROM TABLE(FLATTEN(INPUT => PARSE_JSON(:keys))) AS keys
        INNER JOIN TABLE(FLATTEN(INPUT => PARSE_JSON(:client_ids))) AS client_ids ON keys.index = client_ids.index
        INNER JOIN TABLE(FLATTEN(INPUT => PARSE_JSON(:sources))) AS sources ON keys.index = sources.index
        INNER JOIN TABLE(FLATTEN(INPUT => PARSE_JSON(:sinces))) AS sinces ON keys.index = sinces.index
) AS w
LEFT JOIN warehouse.tracked_lead AS t
    ON w.client_id = t.client_id AND t.shipped_at > w.since
GROUP BY
    w.key,
    w.source
