-- Those of these records that are no person's of the accounts of this one's org, and whose address
-- nobody there has.
WITH accounts AS (
    SELECT there.account_id
    FROM crm.account_org AS own
    INNER JOIN crm.account_org AS there ON own.organization_id = there.organization_id
    WHERE own.account_id = :account_id
)

SELECT r.salesforce_id
FROM jsonb_to_recordset(CAST(:records AS jsonb)) AS r (salesforce_id text, address text)
WHERE
    NOT EXISTS (
        SELECT FROM crm.identity AS i
        INNER JOIN accounts AS a ON i.account_id = a.account_id
        WHERE i.salesforce_id = r.salesforce_id
    )
    AND NOT EXISTS (
        SELECT FROM crm.person AS p
        INNER JOIN accounts AS a ON p.account_id = a.account_id
        WHERE p.address = r.address
    )
    AND NOT EXISTS (
        SELECT FROM crm.person_alias AS p
        INNER JOIN accounts AS a ON p.account_id = a.account_id
        WHERE p.address = r.address
    )
