DELETE FROM crm.erased WHERE account_id = :account_id AND digest = any(:digests)
