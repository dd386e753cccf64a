-- What a natural key names, and whom it is about.
SELECT DISTINCT
    person_key,
    natural_key
FROM crm.operation
WHERE account_id = :account_id AND natural_key = :natural_key
