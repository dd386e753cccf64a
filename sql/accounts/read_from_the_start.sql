-- The next cycle reads all rows of the account's client.
DELETE FROM crm.source_position WHERE account_id = :account_id
