-- The org that the last login led to is the account's from now on. What was known of the former
-- one as an installation (fields, used API requests) is asked for again.
WITH described AS (
    DELETE FROM crm.sobject_schema WHERE account_id = :account_id
),

used AS (
    UPDATE crm.sync_state
    SET api_used = NULL, api_limit = NULL, api_seen_at = NULL
    WHERE account_id = :account_id
)

UPDATE crm.account_org
SET organization_id = other_organization_id, other_organization_id = NULL
WHERE account_id = :account_id AND other_organization_id IS NOT NULL
RETURNING organization_id
