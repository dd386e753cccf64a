-- Others that change the account wait; its cycles do not.
SELECT account_id
FROM crm.account
WHERE account_id = :account_id
FOR NO KEY UPDATE
