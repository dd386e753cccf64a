INSERT INTO crm.listener_key (key_id, account_id, digest) VALUES (:key_id, :account_id, :digest)
