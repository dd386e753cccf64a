-- The days of the last month that are over and on which something happened, the first one first.
SELECT CAST(d.day AS date) AS day
FROM generate_series(daily.of(now()) - 31, daily.of(now()) - 1, interval '1 day') AS d (day)
WHERE
    EXISTS (SELECT FROM daily.cycle AS c WHERE c.day = CAST(d.day AS date))
    OR EXISTS (SELECT FROM daily.delivery AS w WHERE w.day = CAST(d.day AS date))
ORDER BY d.day
