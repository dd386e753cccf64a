-- Those of some records that stand for others than some people.
SELECT DISTINCT i.salesforce_id
FROM crm.identity AS i
INNER JOIN crm.person AS p ON i.person_key = p.person_key
WHERE
    i.account_id = :account_id
    AND i.salesforce_id = any(CAST(:record_ids AS text []))
    AND p.successor IS NULL
    AND NOT i.person_key = any(CAST(:person_keys AS bigint []))
