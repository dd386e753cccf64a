-- The values that stand in the org where a plan would write others.
UPDATE planned AS p
SET there = n.there
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (operation_id bigint, there jsonb)
WHERE p.operation_id = n.operation_id
