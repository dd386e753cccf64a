UPDATE crm.account_org
SET other_organization_id = :organization_id
WHERE account_id = :account_id
