-- The position up to which each watched object of an account's org is read.
SELECT sobject, covered, cursor_stamp, cursor_id, cursor_upto, read_since
FROM crm.org_position
WHERE account_id = :account_id
