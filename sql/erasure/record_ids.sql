-- The records of an org that stand for some people, or belong to them.
SELECT i.sobject, i.salesforce_id
FROM crm.identity AS i
WHERE i.account_id = :account_id AND i.person_key = any(CAST(:person_keys AS bigint []))
UNION
SELECT r.sobject, r.salesforce_id
FROM crm.record AS r
WHERE
    r.account_id = :account_id
    AND r.ref_keys && ARRAY(
        SELECT 'person:' || k FROM unnest(CAST(:person_keys AS bigint [])) AS k
    )
UNION
SELECT o.sobject, o.salesforce_id
FROM crm.operation AS o
WHERE
    o.operation_id = any(CAST(:operation_ids AS bigint []))
    AND o.kind = 'activity'
    AND o.salesforce_id <> ''
