UPDATE crm.credential SET ciphertext = :ciphertext WHERE account_id = :account_id
