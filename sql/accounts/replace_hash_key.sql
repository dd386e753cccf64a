UPDATE crm.hash_key SET ciphertext = :ciphertext
