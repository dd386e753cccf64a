-- The tracked leads that were read, by the day (UTC) of their shipping, as tracked_lead_days.sql;
-- without those that vanished.
SELECT
    CAST(t.as_of AT TIME ZONE 'UTC' AS date) AS day,
    count(*) AS leads,
    sum(CAST(extract(EPOCH FROM t.as_of) AS numeric)) AS seconds
FROM crm.tracked_lead AS t
WHERE
    t.account_id = :account_id
    AND t.as_of <= :until
    AND t.rejected_because IS DISTINCT FROM 'vanished'
GROUP BY CAST(t.as_of AT TIME ZONE 'UTC' AS date)
