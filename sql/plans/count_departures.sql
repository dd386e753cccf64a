-- Keeps and returns how much of a plan came as it says, and how much otherwise.
WITH departed AS (
    SELECT
        count(foreseen) AS foreseen,
        count(explanation) AS explained,
        count(*) - count(explanation) AS unexplained
    FROM crm.plan_departure
    WHERE plan_id = :plan_id
)

UPDATE crm.plan AS p
SET
    as_planned = (SELECT count(*) FROM crm.plan_row AS r WHERE r.plan_id = p.plan_id) - d.foreseen,
    explained = d.explained,
    unexplained = d.unexplained
FROM departed AS d
WHERE p.plan_id = :plan_id
RETURNING p.unexplained
