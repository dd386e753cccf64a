-- Made of ../new_rows.sql by `make extracts`: there it says what this is for, and
-- what it must give.
WITH asked AS (
    SELECT
        CAST(JSON_VALUE_ARRAY(:keys)[OFFSET(n)] AS STRING) AS key,
        CAST(JSON_VALUE_ARRAY(:client_ids)[OFFSET(n)] AS STRING) AS client_id,
        CAST(JSON_VALUE_ARRAY(:sources)[OFFSET(n)] AS STRING) AS source,
        CAST(JSON_VALUE_ARRAY(:sinces)[OFFSET(n)] AS TIMESTAMP) AS since
    FROM UNNEST(JSON_VALUE_ARRAY(:keys)) AS k WITH OFFSET AS n
), shipped AS (
    SELECT
        w.key,
        w.source,
        w.since,
        CAST(NULL AS TIMESTAMP) AS shipped_at
    FROM asked AS w
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        p.shipped_at
    FROM warehouse.person AS p
    INNER JOIN `asked AS w`
        ON p.client_id = w.client_id AND p.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        e.shipped_at
    FROM warehouse.event AS e
    INNER JOIN `asked AS w`
        ON e.client_id = w.client_id AND e.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        s.shipped_at
    FROM warehouse.event_session AS s
    INNER JOIN `asked AS w`
        ON s.client_id = w.client_id AND s.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        r.shipped_at
    FROM warehouse.registration AS r
    INNER JOIN `asked AS w`
        ON w.source = 'registrations' AND r.client_id = w.client_id AND r.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        a.shipped_at
    FROM warehouse.attendance AS a
    INNER JOIN `asked AS w`
        ON w.source = 'attendances' AND a.client_id = w.client_id AND a.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        pq.shipped_at
    FROM warehouse.poll_question AS pq
    INNER JOIN `asked AS w`
        ON w.source = 'attendances' AND pq.client_id = w.client_id AND pq.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        pa.shipped_at
    FROM warehouse.poll_answer AS pa
    INNER JOIN `asked AS w`
        ON w.source = 'attendances' AND pa.client_id = w.client_id AND pa.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        m.shipped_at
    FROM warehouse.chat_message AS m
    INNER JOIN `asked AS w`
        ON w.source = 'attendances' AND m.client_id = w.client_id AND m.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        cr.shipped_at
    FROM warehouse.chat_reply AS cr
    INNER JOIN `asked AS w`
        ON w.source = 'attendances' AND cr.client_id = w.client_id AND cr.shipped_at > w.since
    UNION ALL
    SELECT
        w.key,
        w.source,
        w.since,
        i.shipped_at
    FROM warehouse.interaction AS i
    INNER JOIN `asked AS w`
        ON w.source = 'attendances' AND i.client_id = w.client_id AND i.shipped_at > w.since
)
SELECT
    shipped.key,
    shipped.source,
    COUNT(shipped.shipped_at) AS `rows`,
    CAST(MIN(shipped.shipped_at) AS TIMESTAMP) AS oldest,
    CAST(MAX(CASE WHEN shipped.shipped_at <= CURRENT_TIMESTAMP() THEN shipped.shipped_at END) AS TIMESTAMP) AS newest,
    COALESCE(
        SUM(
            CAST(UNIX_MICROS(shipped.shipped_at) AS NUMERIC) / 1000000 - CAST(UNIX_MICROS(shipped.since) AS NUMERIC) / 1000000
        ),
        0
    ) AS seconds
FROM shipped
GROUP BY
    shipped.key,
    shipped.source
