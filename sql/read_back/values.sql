-- Values last written to some records of an org, and last told of them.
SELECT salesforce_id, written, told
FROM crm.org_value
WHERE
    organization_id = :organization_id
    AND salesforce_id = any(CAST(:salesforce_ids AS text []))
