-- Keeps what a person has decided about these fields.
UPDATE crm.field_conflict
SET decided = :decided
WHERE account_id = :account_id AND conflict_id = any(CAST(:conflict_ids AS bigint []))
