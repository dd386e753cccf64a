-- Made of ../tracked_lead_days.sql by `make extracts`: there it says what this is for, and
-- what it must give.
WITH shipped AS (
    SELECT
        CAST(t.lead_id AS NVARCHAR(4000)) AS lead_id,
        MAX(t.shipped_at) AS changed_at
    FROM warehouse.tracked_lead AS t
    WHERE
        t.client_id = :client_id AND TRIM(CAST(t.lead_id AS NVARCHAR(4000))) <> ''
    GROUP BY
        t.lead_id
), timed AS (
    SELECT
        s.lead_id AS lead_id,
        s.changed_at AS changed_at
    FROM shipped AS s
), by_day AS (
    SELECT
        t.lead_id AS lead_id,
        t.changed_at AS changed_at,
        CAST(t.changed_at AT TIME ZONE 'UTC' AS DATE) AS day,
        CASE
            WHEN t.changed_at IS NULL
            THEN 1
            WHEN CAST(t.changed_at AT TIME ZONE 'UTC' AS DATE) IN (SELECT f.value FROM OPENJSON(:days) WITH (value DATE '$') AS f)
            THEN 1
            ELSE 0
        END AS is_named
    FROM timed AS t
    WHERE
        t.changed_at IS NULL OR t.changed_at <= CAST(:until AS DATETIMEOFFSET)
)
SELECT
    d.day,
    COUNT_BIG(*) AS leads,
    COALESCE(
        SUM(
            CAST(DATEDIFF_BIG(MICROSECOND, CAST('1970-01-01T00:00:00+00:00' AS DATETIMEOFFSET), d.changed_at) AS DECIMAL(20, 0)) * 0.000001
        ),
        0
    ) AS seconds,
    '[' + STRING_AGG(CAST(CASE
        WHEN d.is_named = 1
        THEN '"' + STRING_ESCAPE(CAST(CAST(d.lead_id AS NVARCHAR(4000)) AS NVARCHAR(MAX)), 'json') + '"'
    END AS NVARCHAR(MAX)), ',') WITHIN GROUP (ORDER BY d.lead_id) + ']' AS ids,
    '[' + STRING_AGG(CAST(CASE
        WHEN d.is_named = 1
        THEN '"' + STRING_ESCAPE(CAST(CONVERT(NVARCHAR(40), CAST(d.changed_at AS DATETIMEOFFSET), 127) AS NVARCHAR(MAX)), 'json') + '"'
    END AS NVARCHAR(MAX)), ',') WITHIN GROUP (ORDER BY d.lead_id) + ']' AS times
FROM by_day AS d
GROUP BY
    d.day
