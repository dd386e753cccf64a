-- Why what is not written is not, and which records were chosen among several: the most frequent.
-- A refusal is told by one of its messages, which may name each record.
SELECT
    sobject,
    outcome,
    coalesce(code || ': ' || nullif(min(reason), ''), code, min(reason), '')
    || CASE WHEN count(DISTINCT reason) > 1 THEN ' (and more of the sort)' ELSE '' END AS reason,
    count(*) AS records
FROM planned
WHERE
    outcome IN ('rejected', 'left out', 'ambiguous', 'refused')
    OR (outcome IN ('update', 'unchanged') AND reason LIKE 'the oldest of %')
GROUP BY sobject, outcome, code, CASE WHEN code IS NULL THEN reason END
ORDER BY records DESC, sobject, outcome, reason
LIMIT :most
