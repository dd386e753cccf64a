-- Those of some records that were ever written for some people.
SELECT DISTINCT salesforce_id
FROM crm.operation
WHERE
    account_id = :account_id
    AND kind = 'person'
    AND person_key = any(CAST(:person_keys AS bigint []))
    AND salesforce_id = any(CAST(:record_ids AS text []))
