-- Those of some natural keys for which a record stands in the org.
SELECT natural_key
FROM crm.record
WHERE account_id = :account_id AND natural_key = any(CAST(:natural_keys AS text []))
