-- How many records the account holds.
SELECT count(*) AS number
FROM crm.record
WHERE account_id = :account_id
