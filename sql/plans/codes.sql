-- How much of each object comes to what, and by which code: no words that may name a person.
SELECT
    sobject,
    outcome,
    coalesce(code, '') AS code,
    count(*) AS records
FROM planned
GROUP BY sobject, outcome, code
ORDER BY sobject, outcome, code
