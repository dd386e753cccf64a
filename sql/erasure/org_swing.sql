DELETE FROM crm.org_swing
WHERE
    salesforce_id = any(CAST(:record_ids AS text []))
    AND organization_id IN (
        SELECT organization_id FROM crm.account_org WHERE account_id = :account_id
    )
