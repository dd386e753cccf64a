-- A client's tracked leads by the day (UTC) of their last shipping up to :until, to be compared with
-- what was read of them: how many, and the sum of their times in seconds since 1970; of some days the
-- leads themselves. Those without a time of shipping, which no reading can see, have no day; they are
-- always named, without a time: otherwise it cannot be told which leads have vanished.
--
-- Parameters: client_id; until; days: those whose leads are to be named. Count the leads that
-- tracked_leads.sql gives, with the same `changed_at`. `ids` and `times` are arrays, NULL where there
-- is nothing.
WITH shipped AS (
    SELECT CAST(t.lead_id AS text) AS lead_id, max(t.shipped_at) AS changed_at
    FROM warehouse.tracked_lead AS t
    WHERE t.client_id = :client_id AND trim(CAST(t.lead_id AS text)) <> ''
    GROUP BY t.lead_id
),

timed AS (
    SELECT
        s.lead_id,
        CASE WHEN isfinite(s.changed_at) THEN s.changed_at END AS changed_at
    FROM shipped AS s
),

by_day AS (
    SELECT
        t.lead_id,
        t.changed_at,
        CAST(t.changed_at AT TIME ZONE 'UTC' AS date) AS day,
        CASE
            WHEN t.changed_at IS NULL THEN 1
            WHEN CAST(t.changed_at AT TIME ZONE 'UTC' AS date) = any(CAST(:days AS date []))
                THEN 1
            ELSE 0
        END AS is_named
    FROM timed AS t
    WHERE t.changed_at IS NULL OR t.changed_at <= :until
)

SELECT
    d.day,
    count(*) AS leads,
    coalesce(sum(CAST(extract(EPOCH FROM d.changed_at) AS numeric (38, 6))), 0) AS seconds,
    array_agg(CAST(d.lead_id AS text) ORDER BY d.lead_id) FILTER (WHERE d.is_named = 1) AS ids,
    array_agg(CAST(d.changed_at AS timestamptz) ORDER BY d.lead_id)
    FILTER (WHERE d.is_named = 1) AS times
FROM by_day AS d
GROUP BY d.day
