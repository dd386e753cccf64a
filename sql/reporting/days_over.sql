-- The days of the last month that are over and on which something happened, the first one first.
SELECT CAST(d.day AS date) AS day
FROM generate_series(daily.of(now()) - 31, daily.of(now()) - 1, interval '1 day') AS d (day)
WHERE
    EXISTS (SELECT FROM daily.cycle AS c WHERE c.day = CAST(d.day AS date))
    OR EXISTS (SELECT FROM daily.delivery AS w WHERE w.day = CAST(d.day AS date))
    -- A cycle that runs over midnight may have read, and done nothing else on the first day.
    OR EXISTS (SELECT FROM daily.reading AS r WHERE r.day = CAST(d.day AS date))
    OR EXISTS (SELECT FROM daily.refusal AS f WHERE f.day = CAST(d.day AS date))
    OR EXISTS (SELECT FROM daily.incident AS i WHERE i.day = CAST(d.day AS date))
    OR EXISTS (SELECT FROM daily.request AS q WHERE q.day = CAST(d.day AS date))
ORDER BY d.day
