-- Made of ../tracked_lead_days.sql by `make extracts`: there it says what this is for, and
-- what it must give.
WITH shipped AS (
    SELECT
        CAST(t.lead_id AS VARCHAR) AS lead_id,
        MAX(t.shipped_at) AS changed_at
    FROM warehouse.tracked_lead AS t
    WHERE
        t.client_id = :client_id AND TRIM(CAST(t.lead_id AS VARCHAR)) <> ''
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
        CAST(CONVERT_TIMEZONE('UTC', t.changed_at) AS DATE) AS day,
        CASE
            WHEN t.changed_at IS NULL
            THEN 1
            WHEN CONTAINS(:days, '"' || TO_CHAR(CAST(CONVERT_TIMEZONE('UTC', t.changed_at) AS DATE), 'YYYY-MM-DD') || '"')
            THEN 1
            ELSE 0
        END AS is_named
    FROM timed AS t
    WHERE
        t.changed_at IS NULL OR t.changed_at <= CAST(:until AS TIMESTAMPTZ)
)
SELECT
    d.day,
    COUNT(*) AS leads,
    COALESCE(SUM(DATE_PART(EPOCH_MICROSECOND, d.changed_at) / 1000000), 0) AS seconds,
    ARRAY_AGG(CASE WHEN d.is_named = 1 THEN CAST(d.lead_id AS VARCHAR) END) WITHIN GROUP (ORDER BY d.lead_id) AS ids,
    ARRAY_AGG(CASE
        WHEN d.is_named = 1
        THEN TO_CHAR(CAST(d.changed_at AS TIMESTAMPTZ), 'YYYY-MM-DD"T"HH24:MI:SS.FF6TZH:TZM')
    END) WITHIN GROUP (ORDER BY d.lead_id) AS times
FROM by_day AS d
GROUP BY
    d.day
