-- The records of each object that all accounts had when they were counted last, in the last week.
SELECT
    s.object,
    sum(s.number) AS number
FROM daily.stock AS s
WHERE
    s.day = (SELECT max(l.day) FROM daily.stock AS l WHERE l.day > daily.of(now()) - 7)
    AND s.what IN (
        'people', 'members', 'campaigns', 'records', 'activities',
        'opportunities matched', 'opportunities waiting', 'opportunities not looked at'
    )
GROUP BY s.object
