-- The records that an account has made in its org and not deleted, with what each is about.
SELECT DISTINCT ON (o.sobject, o.salesforce_id)
    o.sobject,
    o.salesforce_id,
    CASE WHEN o.kind = 'person' THEN coalesce('person:' || p.address, o.natural_key) ELSE o.natural_key END
        AS about,
    o.finished_at AS made_at
FROM crm.operation AS o
LEFT JOIN crm.person AS p ON o.person_key = p.person_key
WHERE
    o.account_id = :account_id
    AND o.action = 'create'
    AND o.state = 'done'
    AND o.kind <> 'message'
    AND o.salesforce_id <> ''
    AND NOT EXISTS (
        SELECT FROM crm.operation AS later
        WHERE
            later.account_id = o.account_id
            AND later.natural_key = o.natural_key
            AND later.version > o.version
            AND later.action = 'delete'
            AND later.state = 'done'
    )
ORDER BY o.sobject, o.salesforce_id, o.operation_id
