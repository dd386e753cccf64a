-- Those of some records that stand for others than some people: of the account, or of another one that
-- works in the org, as long as these have other addresses.
SELECT DISTINCT i.salesforce_id
FROM crm.account_of_same_org AS a
INNER JOIN crm.identity AS i ON a.same_org_id = i.account_id
INNER JOIN crm.person AS p ON i.person_key = p.person_key
WHERE
    a.account_id = :account_id
    AND i.salesforce_id = any(CAST(:record_ids AS text []))
    AND p.successor IS NULL
    AND NOT i.person_key = any(CAST(:person_keys AS bigint []))
    AND coalesce(p.address, '') <> all(CAST(:addresses AS text []))
