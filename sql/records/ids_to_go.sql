-- Those of some records that are to be gone and are pending.
SELECT r.salesforce_id
FROM crm.record AS r
INNER JOIN crm.operation AS o ON r.account_id = o.account_id AND r.natural_key = o.natural_key
WHERE
    r.account_id = :account_id
    AND r.salesforce_id = any(CAST(:salesforce_ids AS text []))
    AND o.kind = 'record'
    AND o.state = 'pending'
    AND o.intent ->> 'fields' IS NULL
