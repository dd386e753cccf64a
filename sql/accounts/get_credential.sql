SELECT ciphertext FROM crm.credential WHERE account_id = :account_id
