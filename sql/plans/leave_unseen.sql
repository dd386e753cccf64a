-- A cycle sent nothing: the next one is compared with the plans that it saw.
UPDATE crm.plan
SET seen_by = NULL
WHERE account_id = :account_id AND seen_by = :cycle_id
