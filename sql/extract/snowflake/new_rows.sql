-- Made of ../new_rows.sql by `make extracts`: there it says what this is for, and
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
        e.shipped_at
    FROM warehouse.event AS e
    INNER JOIN asked AS w
        ON e.client_id = w.client_id AND e.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        s.shipped_at
    FROM warehouse.event_session AS s
    INNER JOIN asked AS w
        ON s.client_id = w.client_id AND s.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        r.shipped_at
    FROM warehouse.registration AS r
    INNER JOIN asked AS w
        ON w.source = 'registrations' AND r.client_id = w.client_id AND r.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        a.shipped_at
    FROM warehouse.attendance AS a
    INNER JOIN asked AS w
        ON w.source = 'attendances' AND a.client_id = w.client_id AND a.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        pq.shipped_at
    FROM warehouse.poll_question AS pq
    INNER JOIN asked AS w
        ON w.source = 'attendances' AND pq.client_id = w.client_id AND pq.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        pa.shipped_at
    FROM warehouse.poll_answer AS pa
    INNER JOIN asked AS w
        ON w.source = 'attendances' AND pa.client_id = w.client_id AND pa.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        m.shipped_at
    FROM warehouse.chat_message AS m
    INNER JOIN asked AS w
        ON w.source = 'attendances' AND m.client_id = w.client_id AND m.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        cr.shipped_at
    FROM warehouse.chat_reply AS cr
    INNER JOIN asked AS w
        ON w.source = 'attendances' AND cr.client_id = w.client_id AND cr.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        i.shipped_at
    FROM warehouse.interaction AS i
    INNER JOIN asked AS w
        ON w.source = 'attendances' AND i.client_id = w.client_id AND i.shipped_at > w.since
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
