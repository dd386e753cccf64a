-- Campaigns whose events were renamed or put off while campaigns did not follow yet: they are looked
-- at once more, and follow where people have not changed them.
UPDATE crm.operation AS o
SET state = 'pending'
WHERE
    o.kind = 'campaign'
    AND o.state = 'done'
    AND o.salesforce_id IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM crm.operation AS newer
        WHERE
            newer.account_id = o.account_id
            AND newer.natural_key = o.natural_key
            AND newer.version > o.version
    )
    AND EXISTS (
        SELECT FROM crm.operation AS earlier
        WHERE
            earlier.account_id = o.account_id
            AND earlier.natural_key = o.natural_key
            AND earlier.version < o.version
            AND earlier.state = 'done'
            AND earlier.intent -> 'campaign' <> o.intent -> 'campaign'
    );
