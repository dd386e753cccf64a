-- Why what is not written is not, and which records were chosen among several.
SELECT
    sobject,
    outcome,
    coalesce(code || ': ' || reason, code, reason, '') AS reason,
    count(*) AS records
FROM planned
WHERE
    outcome IN ('rejected', 'left out', 'ambiguous', 'refused')
    OR (outcome IN ('update', 'unchanged') AND reason LIKE 'the oldest of %')
GROUP BY 1, 2, 3
ORDER BY 4 DESC, 1, 2, 3
