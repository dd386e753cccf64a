-- The account delivers its client to this org, whoever did so before.
UPDATE crm.account_org SET delivers_again = true WHERE account_id = :account_id
