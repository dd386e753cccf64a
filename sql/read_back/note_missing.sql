-- Counts once more that these were not found, and forgets of those that were; gives the records that
-- were not found often enough.
WITH found AS (
    DELETE FROM crm.org_missing
    WHERE account_id = :account_id AND salesforce_id = any(CAST(:found AS text []))
)

INSERT INTO crm.org_missing AS m (account_id, sobject, salesforce_id)
SELECT :account_id, :sobject, each.salesforce_id
FROM unnest(CAST(:missing AS text [])) AS each (salesforce_id)
ON CONFLICT (account_id, salesforce_id) DO UPDATE SET misses = m.misses + 1
RETURNING m.salesforce_id, m.misses
