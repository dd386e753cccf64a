INSERT INTO crm.hash_key (ciphertext) VALUES (:ciphertext) ON CONFLICT (only_one) DO NOTHING
