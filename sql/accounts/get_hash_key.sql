SELECT ciphertext FROM crm.hash_key
