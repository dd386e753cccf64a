-- The records of an object that stand in the org for some topics, by Id.
SELECT
    r.salesforce_id,
    r.natural_key
FROM crm.record AS r
WHERE
    r.account_id = :account_id
    AND r.topic = any(CAST(:topics AS text []))
    AND r.sobject = :sobject
ORDER BY r.salesforce_id COLLATE "C"
