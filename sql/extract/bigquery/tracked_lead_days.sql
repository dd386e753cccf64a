-- Made of ../tracked_lead_days.sql by `make extracts`: there it says what this is for, and
-- what it must give.
WITH shipped AS (
    SELECT
        CAST(t.lead_id AS STRING) AS lead_id,
        MAX(t.shipped_at) AS changed_at
    FROM warehouse.tracked_lead AS t
    WHERE
        t.client_id = :client_id AND TRIM(CAST(t.lead_id AS STRING)) <> ''
    GROUP BY
        t.lead_id
), timed AS (
    SELECT
        s.lead_id,
        s.changed_at AS changed_at
    FROM shipped AS s
), by_day AS (
    SELECT
        t.lead_id,
        t.changed_at,
        CAST(TIMESTAMP(DATETIME(t.changed_at, 'UTC')) AS DATE) AS day,
        CASE
            WHEN t.changed_at IS NULL
            THEN 1
            WHEN CAST(TIMESTAMP(DATETIME(t.changed_at, 'UTC')) AS DATE) IN (SELECT CAST(each AS DATE) FROM UNNEST(JSON_VALUE_ARRAY(:days)) AS each)
            THEN 1
            ELSE 0
        END AS is_named
    FROM timed AS t
    WHERE
        t.changed_at IS NULL OR t.changed_at <= CAST(:until AS TIMESTAMP)
)
SELECT
    d.day,
    COUNT(*) AS leads,
    COALESCE(SUM(CAST(UNIX_MICROS(d.changed_at) AS NUMERIC) / 1000000), 0) AS seconds,
    ARRAY_AGG(CASE WHEN d.is_named = 1 THEN CAST(d.lead_id AS STRING) END IGNORE NULLS ORDER BY d.lead_id) AS ids,
    ARRAY_AGG(CASE WHEN d.is_named = 1 THEN CAST(d.changed_at AS TIMESTAMP) END IGNORE NULLS ORDER BY d.lead_id) AS times
FROM by_day AS d
GROUP BY
    d.day
