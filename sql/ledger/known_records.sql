-- Which of these Salesforce records are the outcome of an operation already.
SELECT DISTINCT salesforce_id
FROM crm.operation
WHERE
    account_id = :account_id
    AND person_key = any(CAST(:person_keys AS text []))
    AND state = 'done'
    AND salesforce_id = any(CAST(:salesforce_ids AS text []))
