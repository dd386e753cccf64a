SELECT account_id, ciphertext
FROM crm.credential
ORDER BY account_id
FOR UPDATE
