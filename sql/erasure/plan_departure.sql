DELETE FROM crm.plan_departure AS r
USING crm.plan AS p
WHERE
    r.plan_id = p.plan_id
    AND p.account_id = :account_id
    AND (
        r.address = any(CAST(:addresses AS text []))
        OR r.about = any(CAST(:natural_keys AS text []))
        OR r.salesforce_ids && CAST(:record_ids AS text [])
    )
