-- The org that the last login led to is the account's from now on. Facts about the former one as an
-- installation (fields, used API requests) are asked for again.
WITH described AS (
    DELETE FROM crm.sobject_schema WHERE account_id = :account_id
),

used AS (
    UPDATE crm.sync_state
    SET api_used = NULL, api_limit = NULL, api_seen_at = NULL
    WHERE account_id = :account_id
),

known AS (
    -- A copy of the org has the same records: what was written there and told of them holds on.
    INSERT INTO crm.org_value (organization_id, salesforce_id, written, told)
    SELECT a.other_organization_id, v.salesforce_id, v.written, v.told
    FROM crm.account_org AS a
    INNER JOIN crm.org_value AS v ON a.organization_id = v.organization_id
    WHERE a.account_id = :account_id AND a.other_organization_id IS NOT NULL
    ON CONFLICT (organization_id, salesforce_id) DO NOTHING
)

UPDATE crm.account_org
SET
    organization_id = other_organization_id,
    other_organization_id = NULL,
    delivers_again = false
WHERE account_id = :account_id AND other_organization_id IS NOT NULL
RETURNING organization_id
