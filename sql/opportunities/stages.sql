-- The meaning of the stages of an account's org.
SELECT label, is_closed, is_won
FROM crm.org_stage
WHERE account_id = :account_id
