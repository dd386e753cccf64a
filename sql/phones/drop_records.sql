-- What is known of the numbers of some records is not true any more.
DELETE FROM crm.org_phone
WHERE account_id = :account_id AND salesforce_id = any(CAST(:salesforce_ids AS text []))
