SELECT organization_id, other_organization_id
FROM crm.account_org
WHERE account_id = :account_id
