-- How much of each object comes to what.
SELECT
    sobject,
    outcome,
    count(*) AS records
FROM planned
GROUP BY sobject, outcome
ORDER BY sobject, outcome
