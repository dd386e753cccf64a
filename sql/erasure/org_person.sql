DELETE FROM crm.org_person
WHERE account_id = :account_id AND address_key = any(:addresses)
